import sharp, { type Sharp } from "sharp";
import { createRandom } from "./seeded-random.js";

/** How many times smaller than the picture a layer's own pixels are, and how strong it is: from soft shapes to grain. */
const LAYERS = [
  { finer: 60, strength: 0.55 },
  { finer: 12, strength: 0.3 },
  { finer: 2.5, strength: 0.15 },
] as const;

/** Light and detail of every size, as a photograph has them; the same ones for the same seed. */
export async function photograph(width: number, height: number, seed = 1): Promise<Sharp> {
  const random = createRandom(seed);
  const sum = new Float32Array(width * height * 3);
  for (const { finer, strength } of LAYERS) {
    const size = { width: Math.ceil(width / finer), height: Math.ceil(height / finer) };
    const noise = Buffer.from(Array.from({ length: size.width * size.height * 3 }, () => random() * 256));
    const layer = await sharp(noise, { raw: { ...size, channels: 3 } })
      .resize(width, height, { fit: "fill", kernel: "cubic" })
      .raw()
      .toBuffer();
    for (const [at, value] of layer.entries()) sum[at] = (sum[at] ?? 0) + value * strength;
  }
  return sharp(Buffer.from(sum), { raw: { width, height, channels: 3 } });
}
