import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import sharp, { type Sharp } from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RenderedVariant } from "../../src/media/ports.js";
import { VARIANTS } from "../../src/media/variants.js";
import { photograph } from "../support/photograph.js";
import { storedJpeg } from "../support/pictures.js";
import { openPixelStage, type PixelStage } from "../support/pixel-stage.js";

let stage: PixelStage;
beforeAll(async () => {
  stage = await openPixelStage(30_000_000);
});
afterAll(() => stage.close());

/** Greys row by row. */
type Greys = { data: Buffer; width: number; height: number };

async function greysOf(picture: Sharp): Promise<Greys> {
  const { data, info } = await picture.greyscale().raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

/** The picture decoded whole and shrunk once: nothing can be nearer to the original. */
const ideal = async (whole: Buffer, { name, width, height }: RenderedVariant): Promise<Greys> =>
  greysOf(
    sharp(whole).resize(width, height, { fit: VARIANTS[name].fit === "cover" ? "cover" : "fill", kernel: "lanczos3" }),
  );

/** Mean square of the difference, where `other` is moved so many pixels. */
function difference(one: Greys, other: Greys, right = 0, down = 0): number {
  let [sum, count] = [0, 0];
  for (let y = 1; y < one.height - 1; y++)
    for (let x = 1; x < one.width - 1; x++, count++)
      sum += ((one.data[y * one.width + x] ?? 0) - (other.data[(y + down) * one.width + x + right] ?? 0)) ** 2;
  return sum / count;
}

const decibels = (meanSquare: number): number => 10 * Math.log10(255 ** 2 / meanSquare);

const SHIFTS = [-1, 0, 1].flatMap((right) => [-1, 0, 1].map((down) => [right, down] as const));

/** The shift at which the pictures agree best. */
function bestShift(one: Greys, other: Greys): string {
  const [best] = SHIFTS.map((shift) => ({ shift, error: difference(one, other, ...shift) })).sort(
    (a, b) => a.error - b.error,
  );
  return best?.shift.join() ?? "none";
}

/** In place of the variants' own qualities: what is left then is the resizing. */
const UNCODED = Object.fromEntries(
  Object.entries(VARIANTS).map(([name, spec]) => [name, { ...spec, quality: 100 }]),
) as unknown as typeof VARIANTS;

/** How much worse a variant may be than one made straight from the file, in dB. */
const TOLERANCE = 0.3;

describe("a variant", () => {
  it.each([
    ["as it is served", VARIANTS],
    ["before it is coded", UNCODED],
  ])("%s is as near to the ideal as one made straight from the file, to the pixel", async (_, specs) => {
    // An odd width is no multiple of what a JPEG decoder shrinks by.
    const file = await (await photograph(1707, 1138)).jpeg({ quality: 92 }).toBuffer();
    const whole = await sharp(file).png({ compressionLevel: 1 }).toBuffer();
    const path = await stage.store(file);
    const outputFolder = await mkdtemp(join(stage.folder, "out-"));
    const { variants } = await stage.pipeline.render({
      path,
      outputFolder,
      variants: specs,
      focalPoint: null,
      keepGps: false,
    });
    expect(variants).toHaveLength(4);
    for (const variant of variants) {
      const { name, width, height } = variant;
      const { fit, quality } = specs[name];
      const expected = await ideal(whole, variant);
      const straight = sharp(file).resize(width, height, { fit: fit === "cover" ? "cover" : "fill" });
      const naive = await greysOf(sharp(await straight.jpeg({ quality, progressive: true }).toBuffer()));
      const ours = await greysOf(sharp(variant.path));
      const least = decibels(difference(expected, naive)) - TOLERANCE;
      expect(decibels(difference(expected, ours)), name).toBeGreaterThan(least);
      expect(bestShift(expected, ours), name).toBe("0,0");
    }
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    "of an odd size stored in orientation %i has not moved by a pixel",
    async (orientation) => {
      const picture = await photograph(601, 403, orientation);
      const upright = await picture.clone().png({ compressionLevel: 1 }).toBuffer();
      const { variants } = await stage.renderAt(await stage.store(await storedJpeg(picture, orientation)));
      expect(variants.map(({ width, height }) => [width, height])).toEqual([
        [400, 268],
        [150, 150],
      ]);
      for (const variant of variants) {
        const greys = await greysOf(sharp(variant.path));
        expect([greys.width, greys.height]).toEqual([variant.width, variant.height]);
        expect(bestShift(await ideal(upright, variant), greys), variant.name).toBe("0,0");
      }
    },
  );
});
