import sharp, { type Sharp } from "sharp";

export type Rgb = readonly [number, number, number];

/** RGB pixels computed from the place in the picture, both coordinates 0..1. */
export function paint(width: number, height: number, colour: (x: number, y: number) => Rgb): Sharp {
  const data = Buffer.alloc(width * height * 3);
  for (let at = 0; at < width * height; at++)
    data.set(colour((at % width) / width, Math.floor(at / width) / height), at * 3);
  return sharp(data, { raw: { width, height, channels: 3 } });
}

export const CORNERS = {
  topLeft: [230, 20, 20],
  topRight: [20, 200, 20],
  bottomLeft: [20, 20, 230],
  bottomRight: [230, 220, 20],
} as const satisfies Record<string, Rgb>;

/** Four fields of colour: how a picture is turned shows in its corners. */
export const quarters = (width: number, height: number): Sharp =>
  paint(width, height, (x, y) =>
    y < 0.5 ? (x < 0.5 ? CORNERS.topLeft : CORNERS.topRight) : x < 0.5 ? CORNERS.bottomLeft : CORNERS.bottomRight,
  );

/** Soft shapes in both directions, as a photograph has them; `seed` gives another one. */
export const scenery = (width: number, height: number, seed = 1): Sharp =>
  paint(width, height, (x, y) => {
    const wave = (a: number, b: number, c: number): number => Math.sin(seed * c + 2 * Math.PI * (a * x + b * y));
    const light =
      128 + 40 * wave(1.3, 0.7, 1) + 30 * wave(-2.1, 1.9, 2) + 25 * wave(3.2, 2.6, 3) + 15 * wave(5.1, -4.3, 5);
    return [light, light * 0.8 + 30, 255 - light].map((value) =>
      Math.max(0, Math.min(255, Math.round(value))),
    ) as never;
  });

/** The quarters as JPEG, stored so that they stand upright once the EXIF orientation (1..8) is followed. */
export const orientedJpeg = (width: number, height: number, orientation: number): Promise<Buffer> =>
  storedJpeg(quarters(width, height), orientation);

/** Any picture, stored in the same way. */
export async function storedJpeg(upright: Sharp, orientation: number): Promise<Buffer> {
  return sharp(await storedPng(upright, orientation))
    .withMetadata({ orientation })
    .jpeg({ quality: 95 })
    .toBuffer();
}

/** The pixels alone, with no word of how they stand. */
export async function storedPng(upright: Sharp, orientation: number): Promise<Buffer> {
  const stored = await STORE[orientation]?.(await upright.png({ compressionLevel: 1 }).toBuffer());
  if (!stored) throw new RangeError(`orientation ${orientation}`);
  return stored;
}

const flop = (png: Buffer): Promise<Buffer> => sharp(png).flop().png().toBuffer();
const flip = (png: Buffer): Promise<Buffer> => sharp(png).flip().png().toBuffer();
const turn = (png: Buffer, clockwise: number): Promise<Buffer> => sharp(png).rotate(clockwise).png().toBuffer();

/** The opposite of what EXIF 2.32, tag 0x0112, tells a viewer to do. */
const STORE: Readonly<Record<number, (upright: Buffer) => Promise<Buffer>>> = {
  1: async (upright) => upright,
  2: flop,
  3: (upright) => turn(upright, 180),
  4: flip,
  5: async (upright) => flop(await turn(upright, 90)),
  6: (upright) => turn(upright, 270),
  7: async (upright) => flop(await turn(upright, 270)),
  8: (upright) => turn(upright, 90),
};

/** An animation of plain frames, one of each colour, 200 ms the first and 100 ms more each further one, played 3 times. */
export async function animation(
  format: "gif" | "webp",
  size: { width: number; height: number },
  colours: readonly Rgb[],
) {
  const frames = await Promise.all(
    colours.map((colour) =>
      paint(size.width, size.height, () => colour)
        .png()
        .toBuffer(),
    ),
  );
  const delay = colours.map((_, frame) => 200 + 100 * frame);
  return sharp(frames, { join: { animated: true } })[format]({ delay, loop: 3 });
}

/** The colour at a place of the picture's first frame, both coordinates 0..1. */
export async function colourAt(picture: string | Buffer, x: number, y: number): Promise<Rgb> {
  const { data, info } = await sharp(picture)
    .removeAlpha()
    .toColourspace("srgb")
    .raw()
    .toBuffer({ resolveWithObject: true });
  const at = (Math.floor(y * info.height) * info.width + Math.floor(x * info.width)) * info.channels;
  return [data[at] ?? -1, data[at + 1] ?? -1, data[at + 2] ?? -1];
}

/** Largest difference of a channel. */
export const colourDistance = (a: Rgb, b: Rgb): number =>
  Math.max(...a.map((value, at) => Math.abs(value - (b[at] ?? 0))));

/** Mean difference of 64 x 64 greys: 0 for the same picture, under 4 for the same picture encoded anew. */
export async function greyDifference(a: string | Buffer, b: string | Buffer): Promise<number> {
  const [first, second] = [await greysOf(a), await greysOf(b)];
  return first.reduce((sum, grey, at) => sum + Math.abs(grey - (second[at] ?? 0)), 0) / first.length;
}

/** Decoded whole before it is shrunk: a decoder that shrinks by itself blurs fine detail more than a resize does. */
async function greysOf(picture: string | Buffer): Promise<Buffer> {
  const whole = await sharp(picture).autoOrient().flatten({ background: "#ffffff" }).greyscale().png().toBuffer();
  return sharp(whole).resize(64, 64, { fit: "fill" }).extractChannel(0).raw().toBuffer();
}
