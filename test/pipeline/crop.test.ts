import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FocalPoint } from "../../src/media/model.js";
import { cropAround, type Rectangle } from "../../src/pipeline/crop.js";
import type { Size } from "../../src/pipeline/pixels.js";
import { animation, colourAt, colourDistance, orientedJpeg, paint, type Rgb, scenery } from "../support/pictures.js";
import { openPixelStage, type PixelStage } from "../support/pixel-stage.js";

const SQUARE = { width: 150, height: 150 };
const at = (x: number, y: number): FocalPoint => ({ x, y });

describe("the part a crop keeps", () => {
  it.each<[string, Size, Size, FocalPoint | null, [number, number, number, number]]>([
    ["the middle where there is no point", { width: 400, height: 300 }, SQUARE, null, [50, 0, 300, 300]],
    ["the middle for the middle", { width: 400, height: 300 }, SQUARE, at(0.5, 0.5), [50, 0, 300, 300]],
    ["what lies around the point", { width: 400, height: 300 }, SQUARE, at(0.4, 0.9), [10, 0, 300, 300]],
    ["the left edge and no further", { width: 400, height: 300 }, SQUARE, at(0.01, 0.5), [0, 0, 300, 300]],
    ["the right edge and no further", { width: 400, height: 300 }, SQUARE, at(1, 1), [100, 0, 300, 300]],
    ["the top of a tall picture", { width: 300, height: 900 }, SQUARE, at(0.2, 0), [0, 0, 300, 300]],
    ["the bottom of a tall picture", { width: 300, height: 900 }, SQUARE, at(0.2, 1), [0, 600, 300, 300]],
    ["all of a picture of its proportions", { width: 60, height: 60 }, SQUARE, at(0, 1), [0, 0, 60, 60]],
    ["a wide box", { width: 300, height: 300 }, { width: 16, height: 9 }, at(0.5, 0.75), [0, 131, 300, 169]],
    ["at least a pixel", { width: 9000, height: 1 }, { width: 1, height: 9 }, at(0, 0), [0, 0, 1, 1]],
  ])("is %s", (_, picture, box, focalPoint, [left, top, width, height]) => {
    expect(cropAround(picture, box, focalPoint)).toEqual({ left, top, width, height });
  });

  it("lies within the picture, keeps the point and is as large as can be, whatever the sizes", () => {
    const sizes = [1, 2, 151, 400, 3001].flatMap((width) => [1, 3, 149, 600].map((height) => ({ width, height })));
    const boxes = [SQUARE, { width: 16, height: 9 }, { width: 3, height: 1000 }];
    const points = [0, 0.0001, 0.37, 0.5, 0.99, 1].map((x) => at(x, 1 - x));
    const cases = sizes.flatMap((size) => boxes.flatMap((box) => points.map((point) => ({ size, box, point }))));
    const wrong = cases.filter(({ size, box, point }) => !isAsLargeAsCanBe(size, cropAround(size, box, point), point));
    expect([cases.length, wrong]).toEqual([360, []]);
  });
});

function isAsLargeAsCanBe(whole: Size, part: Rectangle, { x, y }: FocalPoint): boolean {
  const [right, bottom] = [part.left + part.width, part.top + part.height];
  const isInside = part.left >= 0 && part.top >= 0 && right <= whole.width && bottom <= whole.height;
  const [across, down] = [x * whole.width, y * whole.height];
  // To within the rounding to whole pixels.
  const holds = part.left <= across + 0.5 && across <= right + 0.5 && part.top <= down + 0.5 && down <= bottom + 0.5;
  return isInside && holds && (part.width === whole.width || part.height === whole.height);
}

describe("a thumbnail with a focal point", () => {
  const RED: Rgb = [230, 20, 20];
  const GREY: Rgb = [120, 120, 120];
  let stage: PixelStage;
  beforeAll(async () => {
    stage = await openPixelStage(30_000_000);
  });
  afterAll(() => stage.close());

  const corner = (width: number, height: number) => paint(width, height, (x, y) => (x > 0.85 && y > 0.8 ? RED : GREY));
  async function thumbnail(bytes: Uint8Array, focalPoint: FocalPoint | null): Promise<string> {
    const { variants } = await stage.renderAt(await stage.store(bytes), focalPoint);
    return variants.find(({ name }) => name === "thumbnail")?.path as string;
  }
  const isRed = async (picture: string | Buffer, x: number, y: number) =>
    colourDistance(await colourAt(picture, x, y), RED) < 40;

  it("keeps a corner that the middle leaves out, and is of the exact size", async () => {
    const bytes = await corner(903, 401).png().toBuffer();
    const [centred, kept] = [await thumbnail(bytes, null), await thumbnail(bytes, at(0.95, 0.95))];
    expect([await isRed(centred, 0.97, 0.97), await isRed(kept, 0.97, 0.97), await isRed(kept, 0.1, 0.1)]).toEqual([
      false,
      true,
      false,
    ]);
    expect(await sharp(kept).metadata()).toMatchObject({ width: 150, height: 150 });
  });

  it("does not stretch: a square stays one", async () => {
    const square = paint(1200, 400, (x, y) => (x > 0.75 && x < 0.85 && y > 0.35 && y < 0.65 ? RED : GREY));
    const path = await thumbnail(await square.png().toBuffer(), at(0.8, 0.5));
    const inside = [isRed(path, 0.4, 0.4), isRed(path, 0.6, 0.6), isRed(path, 0.4, 0.6)];
    const outside = [isRed(path, 0.3, 0.5), isRed(path, 0.7, 0.5), isRed(path, 0.5, 0.3), isRed(path, 0.5, 0.7)];
    expect([await Promise.all(inside), await Promise.all(outside)]).toEqual([
      [true, true, true],
      [false, false, false, false],
    ]);
  });

  it("goes by the upright picture", async () => {
    // Orientation 6 lies on its side in the file; the right edge of the upright one is yellow below, green above.
    const path = await thumbnail(await orientedJpeg(900, 300, 6), at(1, 0.5));
    expect([await colourAt(path, 0.5, 0.2), await colourAt(path, 0.5, 0.8)].map(([r]) => r > 128)).toEqual([
      false,
      true,
    ]);
  });

  it.each([1, 6])("crops every frame of an animation, also one turned by orientation %i", async (orientation) => {
    const frames = await (await animation("webp", { width: 600, height: 200 }, [GREY, GREY]))
      .composite([
        { input: { create: { width: 60, height: 40, channels: 3, background: "#e61414" } }, left: 540, top: 160 },
      ])
      .toBuffer();
    const turned = orientation === 6 ? await turnedAnimation() : frames;
    const path = await thumbnail(turned, at(1, 1));
    expect(await sharp(path, { animated: true }).metadata()).toMatchObject({ width: 150, pageHeight: 150, pages: 2 });
    const red = [0, 1].map(async (page) => isRed(await sharp(path, { page }).png().toBuffer(), 0.95, 0.95));
    expect(await Promise.all(red)).toEqual([true, orientation === 6]);
  });

  /** Upright 600 x 200 with a red bottom right corner; stored on its side. */
  async function turnedAnimation(): Promise<Buffer> {
    const dark = paint(600, 200, (x, y) => (x > 0.85 && y > 0.8 ? RED : [9, 9, 9]));
    const upright = await Promise.all([corner(600, 200), dark].map((picture) => picture.png().toBuffer()));
    const stored = await Promise.all(upright.map((png) => sharp(png).rotate(270).png().toBuffer()));
    return sharp(stored, { join: { animated: true } })
      .withMetadata({ orientation: 6 })
      .webp({ delay: [100, 250], lossless: true })
      .toBuffer();
  }

  it("leaves every other rendition, and pictures too small for a crop, as they are", async () => {
    const bytes = await scenery(500, 300).png().toBuffer();
    const [plain, pointed] = [await stage.store(bytes), await stage.store(bytes)];
    const small = async (path: string, point: FocalPoint | null) => {
      const { variants } = await stage.renderAt(path, point);
      return sharp(variants.find(({ name }) => name === "small")?.path)
        .raw()
        .toBuffer();
    };
    expect((await small(plain, null)).equals(await small(pointed, at(0, 0)))).toBe(true);
    const tiny = await scenery(140, 100).png().toBuffer();
    expect((await stage.renderAt(await stage.store(tiny), at(1, 0))).variants).toEqual([]);
  });
});
