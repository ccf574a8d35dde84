import { stat } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PIPELINE_VERSION } from "../../src/media/rendering.js";
import { VARIANTS } from "../../src/media/variants.js";
import { animation, type Rgb, scenery } from "../support/pictures.js";
import { openPixelStage, type PixelStage } from "../support/pixel-stage.js";

/**
 * What each version of the pipeline makes of three pictures: bytes of each variant. Another effort, another resampling
 * or another chroma changes them by more than the hundredth that is let through for other processors. A change belongs
 * to a version of its own: raise PIPELINE_VERSION, or nobody makes the stored variants anew.
 */
const MADE_BY: Readonly<Record<number, Record<string, Record<string, number>>>> = {
  1: {
    jpeg: { large: 89_723, medium: 23_318, small: 9292, thumbnail: 2878 },
    alpha: { small: 6592, thumbnail: 1960 },
    animation: { small: 730, thumbnail: 370 },
  },
};

const PICTURES: Readonly<Record<string, () => Promise<Buffer>>> = {
  jpeg: () => scenery(1700, 1100, 3).jpeg().toBuffer(),
  alpha: () => scenery(500, 400, 5).ensureAlpha(0.4).png().toBuffer(),
  animation: async () => {
    const colours: Rgb[] = [
      [240, 10, 10],
      [10, 240, 10],
    ];
    return (await animation("gif", { width: 420, height: 300 }, colours)).toBuffer();
  },
};

describe(`version ${PIPELINE_VERSION} of the pipeline`, () => {
  let stage: PixelStage;
  beforeAll(async () => {
    stage = await openPixelStage(30_000_000);
  });
  afterAll(() => stage.close());

  it.each(Object.entries(PICTURES))("makes of %s what it always made", async (name, make) => {
    const { variants } = await stage.renderAt(await stage.store(await make()));
    const sizes = variants.map(async (variant) => [variant.name, (await stat(variant.path)).size] as const);
    const made: Record<string, number> = Object.fromEntries(await Promise.all(sizes));
    const known = MADE_BY[PIPELINE_VERSION]?.[name] ?? {};
    expect(Object.keys(made), JSON.stringify(made)).toEqual(Object.keys(known));
    for (const [variant, bytes] of Object.entries(known))
      expect(Math.abs((made[variant] ?? 0) - bytes) / bytes, JSON.stringify(made)).toBeLessThan(0.01);
  });

  it("is known for every variant there is", () => {
    expect(Object.keys(MADE_BY[PIPELINE_VERSION]?.jpeg ?? {}).sort()).toEqual(Object.keys(VARIANTS).sort());
  });
});
