import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { VARIANTS } from "../../src/media/variants.js";
import { hashSourceSize } from "../../src/pipeline/perceptual-hash.js";
import type { Size } from "../../src/pipeline/pixels.js";
import { planVariants, sizeInside } from "../../src/pipeline/variant-plan.js";

const plan = (width: number, height: number) =>
  planVariants({ width, height }, VARIANTS, hashSourceSize({ width, height }));

/** `name:WxH`, in the plan's order. */
const described = (width: number, height: number): string[] =>
  plan(width, height).variants.map((variant) => `${variant.name}:${variant.width}x${variant.height}`);

describe("the variants of a picture", () => {
  it("are all there for a large one, largest first", () => {
    expect(described(4032, 3024)).toEqual(["large:1600x1200", "medium:800x600", "small:400x300", "thumbnail:150x150"]);
  });

  it("stand upright for a tall one", () => {
    expect(described(1200, 1800)).toEqual(["large:1067x1600", "medium:533x800", "small:267x400", "thumbnail:150x150"]);
  });

  it("leave out what would enlarge the picture", () => {
    expect(described(1600, 1600)[0]).toBe("medium:800x800");
    expect(described(1601, 10)[0]).toBe("large:1600x10");
    expect(described(400, 300)).toEqual(["thumbnail:150x150"]);
    expect(described(151, 151)).toEqual(["thumbnail:150x150"]);
    expect(described(150, 150)).toEqual([]);
    expect(described(1, 1)).toEqual([]);
  });

  it("crop a thumbnail no larger than the picture's sides", () => {
    expect(described(300, 90)).toEqual(["thumbnail:150x90"]);
    expect(described(90, 300)).toEqual(["thumbnail:90x150"]);
    expect(described(5000, 50).at(-1)).toBe("thumbnail:150x50");
    expect(described(50, 5000).at(-1)).toBe("thumbnail:50x150");
  });

  it("never have a side of nothing", () => {
    expect(described(16384, 3)).toContain("small:400x1");
  });

  it("carry the quality and the fit of their row", () => {
    expect(plan(4032, 3024).variants.map(({ quality, fit }) => [quality, fit])).toEqual([
      [90, "fill"],
      [85, "fill"],
      [85, "fill"],
      [80, "cover"],
    ]);
  });

  it("follow the table they are given, in whatever order it stands", () => {
    const narrow = { ...VARIANTS, large: { ...VARIANTS.large, width: 100, height: 50, fit: "cover" as const } };
    const { variants } = planVariants({ width: 900, height: 900 }, narrow, { width: 10, height: 10 });
    expect(variants.map(({ name }) => name)).toEqual(["medium", "small", "thumbnail", "large"]);
    expect(variants.at(-1)).toMatchObject({ width: 100, height: 50, fit: "cover" });
  });
});

describe("the size a picture is decoded to", () => {
  it.each<[Size, Size, string]>([
    [{ width: 4032, height: 3024 }, { width: 1600, height: 1200 }, "the largest variant"],
    [{ width: 1200, height: 900 }, { width: 800, height: 600 }, "no larger than what is made of it"],
    [{ width: 500, height: 400 }, { width: 500, height: 400 }, "all of a small picture, for the hash"],
    [{ width: 60, height: 50 }, { width: 60, height: 50 }, "all of a tiny picture"],
    [{ width: 5000, height: 50 }, { width: 5000, height: 50 }, "all of a thin strip: its thumbnail needs every row"],
    [{ width: 16000, height: 600 }, { width: 4000, height: 150 }, "of a strip so much that the thumbnail is filled"],
  ])("of %o is %o: %s", (picture, base) => {
    expect(plan(picture.width, picture.height).base).toEqual(base);
  });

  it("covers every variant of any picture and never exceeds the picture", () => {
    for (let width = 1; width < 17_000; width = Math.ceil(width * 1.37)) {
      for (let height = 1; height < 17_000; height = Math.ceil(height * 1.41)) {
        const { base, variants } = plan(width, height);
        const hash = hashSourceSize({ width, height });
        expect(base.width <= width && base.height <= height, `${width}x${height}`).toBe(true);
        for (const need of [...variants, hash])
          expect(base.width >= need.width && base.height >= need.height, `${width}x${height}`).toBe(true);
      }
    }
  });
});

describe("the size inside a box", () => {
  it("is the one sharp computes", async () => {
    const pictures = [1, 2, 3, 149, 151, 401, 799, 1333, 1999].flatMap((width) =>
      [1, 7, 150, 400, 533, 1201].map((height) => ({ width, height })),
    );
    for (const picture of pictures) {
      const blank = sharp({ create: { ...picture, channels: 3, background: "#888" } });
      const { info } = await blank
        .resize(400, 400, { fit: "inside", withoutEnlargement: true })
        .raw()
        .toBuffer({ resolveWithObject: true });
      expect(sizeInside(picture, { width: 400, height: 400 }), `${picture.width}x${picture.height}`).toEqual({
        width: info.width,
        height: info.height,
      });
    }
  });
});
