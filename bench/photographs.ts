import { join } from "node:path";
import sharp, { type Sharp } from "sharp";
import { createRandom } from "../test/support/seeded-random.js";

type Size = { width: number; height: number };

/** Light and its grain, from the whole scene down to the sensor: how many pixels a blot covers and how far it goes. */
type Layer = { blot: number; strength: number };
const SCENE: readonly Layer[] = [
  { blot: 1000, strength: 255 },
  { blot: 250, strength: 160 },
  { blot: 60, strength: 90 },
  { blot: 24, strength: 40 },
];
/** As much fine grain as makes 12 megapixels at quality 90 some 3 to 4 MB, which is what phones write. */
const FINE_GRAIN: readonly Layer[] = [
  { blot: 6, strength: 20 },
  { blot: 2, strength: 36 },
];
/** Less, for with the other 12 megapixels of PNG would exceed the server's 20 MiB. */
const SOFT_GRAIN: readonly Layer[] = [{ blot: 12, strength: 4 }];

const FRAME = { width: 4000, height: 3000 } as const satisfies Size;
const QUALITY = 90;

export type Photograph = {
  label: string;
  path: string;
  contentType: "image/jpeg" | "image/png";
  megapixels: number;
  bytes: number;
};

type Recipe = Size & { label: string; grain: readonly Layer[]; encode(picture: Sharp): Sharp };

const jpeg = (progressive: boolean) => (picture: Sharp) => picture.jpeg({ quality: QUALITY, progressive });

const RECIPES = {
  jpeg12: { label: "12 MP JPEG", width: 4000, height: 3000, grain: FINE_GRAIN, encode: jpeg(false) },
  jpeg24: { label: "24 MP JPEG", width: 6000, height: 4000, grain: FINE_GRAIN, encode: jpeg(false) },
  jpeg48: { label: "48 MP JPEG", width: 8000, height: 6000, grain: FINE_GRAIN, encode: jpeg(false) },
  png12: {
    label: "12 MP PNG",
    width: 4000,
    height: 3000,
    grain: SOFT_GRAIN,
    encode: (picture) => picture.png({ adaptiveFiltering: true }),
  },
  progressive48: { label: "48 MP progressive", width: 8000, height: 6000, grain: FINE_GRAIN, encode: jpeg(true) },
} as const satisfies Record<string, Recipe>;

export type PhotographName = keyof typeof RECIPES;
export type Photographs = Record<PhotographName, Photograph>;

/** Writes every kind of photograph into the folder, the same ones for the same seed. */
export async function takePhotographs(folder: string, seed: number): Promise<Photographs> {
  const scenes = new Map<readonly Layer[], Buffer>();
  for (const grain of [FINE_GRAIN, SOFT_GRAIN]) scenes.set(grain, await scene([...SCENE, ...grain], seed));
  const written: [string, Photograph][] = [];
  for (const [name, recipe] of Object.entries<Recipe>(RECIPES)) {
    const pixels = scenes.get(recipe.grain) as Buffer;
    const path = join(folder, name);
    const { size, format } = await recipe.encode(enlarged(pixels, recipe)).toFile(path);
    const megapixels = (recipe.width * recipe.height) / 1e6;
    const contentType = format === "png" ? "image/png" : "image/jpeg";
    written.push([name, { label: recipe.label, path, contentType, megapixels, bytes: size }]);
  }
  return Object.fromEntries(written) as Photographs;
}

/** The same light and grain over more pixels: what is beyond the frame mirrors what is in it. */
const enlarged = (pixels: Buffer, { width, height }: Size): Sharp =>
  sharp(pixels, { raw: { ...FRAME, channels: 3 } }).extend({
    right: width - FRAME.width,
    bottom: height - FRAME.height,
    extendWith: "mirror",
  });

async function scene(layers: readonly Layer[], seed: number): Promise<Buffer> {
  const random = createRandom(seed);
  const picture = new Int16Array(FRAME.width * FRAME.height * 3).fill(GREY);
  for (const layer of layers) {
    const blots = await spread(layer, random);
    for (let at = 0; at < picture.length; at++) picture[at] = (picture[at] ?? 0) + (blots[at] ?? 0) - GREY;
  }
  return Buffer.from(Uint8ClampedArray.from(picture).buffer);
}

const GREY = 128;
/** How far the colours of a blot go beside its light. */
const TINT = 0.3;

function spread({ blot, strength }: Layer, random: () => number): Promise<Buffer> {
  const [width, height] = [Math.ceil(FRAME.width / blot), Math.ceil(FRAME.height / blot)];
  const offset = (range: number) => (random() - 0.5) * range;
  const blots = new Uint8ClampedArray(width * height * 3);
  for (let at = 0; at < blots.length; at += 3) {
    const light = GREY + offset(strength);
    for (let channel = 0; channel < 3; channel++) blots[at + channel] = light + offset(strength * TINT);
  }
  return sharp(blots, { raw: { width, height, channels: 3 } })
    .resize(FRAME.width, FRAME.height, { fit: "fill", kernel: "cubic" })
    .raw()
    .toBuffer();
}
