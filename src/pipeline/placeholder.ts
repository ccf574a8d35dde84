import { rgbaToThumbHash } from "thumbhash";
import { flattenPixels, openPixels, type Pixels } from "./pixels.js";
import { sizeInside } from "./variant-plan.js";

/** ThumbHash takes no more. */
const BOX = { width: 100, height: 100 } as const;

/** `placeholder`: thumbhash, base64, alpha kept. `dominantColor`: `#rrggbb` of the picture on white. */
export type Placeholder = { placeholder: string; dominantColor: string };

/** What can be shown before the picture has loaded, from any rendition of it at least 100 px long. */
export async function describeAtAGlance(pixels: Pixels): Promise<Placeholder> {
  const size = sizeInside(pixels, BOX);
  const { data, info } = await openPixels(pixels)
    .resize(size.width, size.height, { fit: "fill" })
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const hash = rgbaToThumbHash(info.width, info.height, data);
  const small = await flattenPixels({ ...size, data, channels: 4 });
  return { placeholder: Buffer.from(hash).toString("base64"), dominantColor: await dominantColor(small) };
}

/** The most frequent colour by sharp's histogram of 4096 bins. */
async function dominantColor(pixels: Pixels): Promise<string> {
  const { dominant } = await openPixels(pixels).stats();
  return `#${[dominant.r, dominant.g, dominant.b].map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}
