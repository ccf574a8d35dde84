import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import sharp, { type Sharp } from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RenderedImage } from "../../src/media/ports.js";
import { gridItem, type HeifItem, heifFile, itemOf, PROPERTIES } from "../support/heif-file.js";
import { withChunk, withSegment } from "../support/hostile-pictures.js";
import {
  CORNERS,
  colourAt,
  colourDistance,
  greyDifference,
  paint,
  quarters,
  type Rgb,
  scenery,
  storedPng,
} from "../support/pictures.js";
import { openPixelStage, type PixelStage } from "../support/pixel-stage.js";

const SIZE = { width: 500, height: 341 } as const;

let stage: PixelStage;
let picture: Buffer;
beforeAll(async () => {
  stage = await openPixelStage(30_000_000);
  picture = await scenery(SIZE.width, SIZE.height).png().toBuffer();
});
afterAll(() => stage.close());

const from = (): Sharp => sharp(picture);
const fixture = (path: string): Promise<Buffer> =>
  readFile(fileURLToPath(new URL(`../fixtures/${path}`, import.meta.url)));
const largest = ({ variants }: RenderedImage): string => variants[0]?.path ?? "none";
const kinds = ({ variants }: RenderedImage): string[] => [...new Set(variants.map(({ contentType }) => contentType))];

/** Taken as the type, of the size, and every variant shows `reference`. */
async function expectPicture(
  bytes: Buffer,
  { type, reference = picture, size = SIZE, kind = "image/jpeg" }: Expected,
): Promise<RenderedImage> {
  const path = await stage.store(bytes);
  expect(await stage.pipeline.inspect(path, type)).toMatchObject({ ...size, frames: 1 });
  const image = await stage.renderAt(path);
  expect(image).toMatchObject(size);
  expect(kinds(image)).toEqual([kind]);
  expect(await greyDifference(largest(image), reference)).toBeLessThan(4);
  return image;
}
type Expected = { type: string; reference?: Buffer; size?: { width: number; height: number }; kind?: string };

describe("JPEG", () => {
  const type = "image/jpeg";

  it.each<[string, () => Sharp]>([
    ["baseline", () => from().jpeg({ progressive: false })],
    ["progressive", () => from().jpeg({ progressive: true })],
    ["without subsampling", () => from().jpeg({ chromaSubsampling: "4:4:4" })],
    ["with other tables", () => from().jpeg({ mozjpeg: true })],
  ])("%s", async (_, make) => {
    await expectPicture(await make().toBuffer(), { type });
  });

  it("in grey", async () => {
    const reference = await from().greyscale().png().toBuffer();
    await expectPicture(await from().greyscale().jpeg().toBuffer(), { type, reference });
  });

  it("of arithmetic coding, which few programs read", async () => {
    const size = { width: 320, height: 240 };
    // Its only variant is the square in the middle.
    const middle = { left: 40, top: 0, width: 240, height: 240 };
    const reference = await scenery(320, 240).extract(middle).png().toBuffer();
    await expectPicture(await fixture("jpeg/arithmetic.jpg"), { type, reference, size });
  });

  it("with more pictures behind it is the first: stereo pairs, gain maps", async () => {
    const [first, second] = [await from().jpeg().toBuffer(), await quarters(250, 170).jpeg().toBuffer()];
    await expectPicture(Buffer.concat([first, second]), { type });
    const xmp = 'http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x="adobe:ns:meta/" hdrgm:Version="1.0"/>';
    await expectPicture(Buffer.concat([withSegment(first, 0xe1, Buffer.from(xmp)), second]), { type });
  });

  it("with a movie behind it is the picture", async () => {
    const movie = Buffer.concat([
      Buffer.from("\0\0\0\x18ftypmp42\0\0\0\0mp42isom\0\0\x10\x08mdat", "latin1"),
      Buffer.alloc(4096, 7),
    ]);
    await expectPicture(Buffer.concat([await from().jpeg().toBuffer(), movie]), { type });
  });
});

describe("PNG", () => {
  const type = "image/png";

  it.each<[string, () => Sharp]>([
    ["interlaced", () => from().png({ progressive: true })],
    ["of 16 bits", () => from().toColourspace("rgb16").png()],
  ])("%s", async (_, make) => {
    await expectPicture(await make().toBuffer(), { type });
  });

  it("with a palette", async () => {
    const few = await quarters(500, 341).png().toBuffer();
    await expectPicture(await sharp(few).png({ palette: true, colours: 8 }).toBuffer(), { type, reference: few });
  });

  it("with one transparent colour keeps it", async () => {
    // tRNS of RGB (W3C, PNG, 11.3.2.1): the red of the first corner, in 16 bits a channel.
    const few = await quarters(500, 341).png({ palette: false }).toBuffer();
    const image = await expectPicture(
      withChunk(few, "tRNS", Buffer.from(CORNERS.topLeft.flatMap((value) => [0, value]))),
      {
        type,
        kind: "image/webp",
        reference: await sharp(few)
          .composite([
            { input: { create: { width: 250, height: 171, channels: 3, background: "#fff" } }, left: 0, top: 0 },
          ])
          .png()
          .toBuffer(),
      },
    );
    const { data, info } = await sharp(largest(image)).raw().toBuffer({ resolveWithObject: true });
    expect([info.channels, data[3], data[info.width * 4 - 1]]).toEqual([4, 0, 255]);
  });

  it("that moves is the still picture it also is", async () => {
    const control = Buffer.from([0, 0, 0, 2, 0, 0, 0, 0]);
    await expectPicture(withChunk(await from().png().toBuffer(), "acTL", control), { type });
  });
});

describe("GIF", () => {
  const type = "image/gif";

  it("of one frame is a still picture, transparent where it is", async () => {
    const few = await quarters(500, 341).png().toBuffer();
    await expectPicture(await sharp(few).gif().toBuffer(), { type, reference: few });
    const half = paint(500, 341, (x) => (x < 0.5 ? [255, 255, 255] : [0, 0, 0]));
    const mask = await half.extractChannel(0).png().toBuffer();
    const veiled = await sharp(few).joinChannel(mask).gif().toBuffer();
    const reference = await sharp(veiled).flatten({ background: "#ffffff" }).png().toBuffer();
    await expectPicture(veiled, { type, kind: "image/webp", reference });
  });

  it("whose later frames hold only what changes shows whole frames", async () => {
    const still = quarters(300, 200);
    const patch = { create: { width: 40, height: 40, channels: 3, background: "#000000" } } as const;
    const frames = await Promise.all(
      [[], [{ input: patch, left: 20, top: 20 }], [{ input: patch, left: 220, top: 140 }]].map((patches) =>
        still.clone().composite(patches).png().toBuffer(),
      ),
    );
    const file = await sharp(frames, { join: { animated: true } })
      .gif({ delay: [100, 100, 100] })
      .toBuffer();
    // What is written is smaller than three pictures: the encoder cut the later frames to what changes.
    expect(file.length).toBeLessThan(2 * (await sharp(frames[0]).gif().toBuffer()).length);
    const path = await stage.store(file);
    expect(await stage.pipeline.inspect(path, type)).toMatchObject({ width: 300, height: 200, frames: 3 });
    const shown = largest(await stage.renderAt(path));
    for (const [page, at, expected] of [
      [0, [0.25, 0.25], CORNERS.topLeft],
      [1, [0.3, 0.2], [0, 0, 0]],
      [1, [0.8, 0.8], CORNERS.bottomRight],
      [2, [0.1, 0.1], CORNERS.topLeft],
      [2, [0.3, 0.8], CORNERS.bottomLeft],
    ] as const) {
      const frame = await sharp(shown, { page }).png().toBuffer();
      // The thumbnail shows the middle 200 of 300 columns.
      const colour = await colourAt(frame, page === 1 && expected[0] === 0 ? 0.02 : at[0], at[1]);
      expect(colourDistance(colour, expected as Rgb), `frame ${page} at ${at.join()}`).toBeLessThan(40);
    }
  });
});

describe("WebP", () => {
  it.each<[string, () => Sharp]>([
    ["lossy", () => from().webp()],
    ["lossless", () => from().webp({ lossless: true })],
  ])("%s", async (_, make) => {
    await expectPicture(await make().toBuffer(), { type: "image/webp" });
  });
});

describe("TIFF", () => {
  const type = "image/tiff";

  it.each<[string, () => Sharp]>([
    ["in tiles", () => from().tiff({ tile: true, tileWidth: 128, tileHeight: 128 })],
    ["of LZW", () => from().tiff({ compression: "lzw" })],
    ["of Deflate", () => from().tiff({ compression: "deflate", predictor: "horizontal" })],
    ["of JPEG", () => from().tiff({ compression: "jpeg", quality: 90 })],
    ["of more than 4 gigabytes' offsets", () => from().tiff({ bigtiff: true })],
    ["in a pyramid", () => from().tiff({ pyramid: true, tile: true })],
  ])("%s", async (_, make) => {
    await expectPicture(await make().toBuffer(), { type });
  });

  it("of one bit", async () => {
    const half = paint(500, 341, (x) => (x < 0.5 ? [255, 255, 255] : [0, 0, 0]));
    const reference = await half.png().toBuffer();
    const file = await sharp(reference).toColourspace("b-w").tiff({ bitdepth: 1, compression: "ccittfax4" }).toBuffer();
    await expectPicture(file, { type, reference });
  });

  it.each([3, 6])("stored in orientation %i", async (orientation) => {
    const stored = await storedPng(from(), orientation);
    await expectPicture(await sharp(stored).withMetadata({ orientation }).tiff().toBuffer(), { type });
  });
});

/** The same for both: what a file says of its pixels is not the codec's business. */
describe.each([
  ["HEIC", "image/heic", () => fixture("heic/plain.heic")],
  ["AVIF", "image/avif", () => quarters(320, 240).avif({ quality: 80, effort: 0 }).toBuffer()],
])("%s", (_, type, make) => {
  let item: HeifItem;
  const upright = quarters(320, 240);
  beforeAll(async () => {
    item = itemOf(await make());
  });
  const withProperties = (...properties: Buffer[]): Buffer =>
    heifFile([{ ...item, properties: [...item.properties, ...properties] }]);

  it("is turned, then mirrored, as it says", async () => {
    const png = await upright.clone().png().toBuffer();
    const turned = await sharp(png).rotate(270).png().toBuffer();
    await expectPicture(withProperties(PROPERTIES.turn(1)), {
      type,
      reference: turned,
      size: { width: 240, height: 320 },
    });
    await expectPicture(withProperties(PROPERTIES.mirror("left and right")), {
      type,
      reference: await sharp(png).flop().png().toBuffer(),
      size: { width: 320, height: 240 },
    });
    await expectPicture(withProperties(PROPERTIES.turn(1), PROPERTIES.mirror("top and bottom")), {
      type,
      reference: await sharp(turned).flip().png().toBuffer(),
      size: { width: 240, height: 320 },
    });
  });

  it("is cropped as it says", async () => {
    const reference = await upright.clone().extract({ left: 10, top: 8, width: 300, height: 224 }).png().toBuffer();
    await expectPicture(withProperties(PROPERTIES.crop(300, 224, 0, 0)), {
      type,
      reference,
      size: { width: 300, height: 224 },
    });
  });

  it("of several tiles is one picture, cut at its right and lower edge", async () => {
    const tile = await upright.clone().png().toBuffer();
    const whole = sharp({ create: { width: 640, height: 480, channels: 3, background: "#fff" } });
    const tiled = await whole
      .composite([0, 1, 2, 3].map((at) => ({ input: tile, left: (at % 2) * 320, top: (at >> 1) * 240 })))
      .png()
      .toBuffer();
    const reference = await sharp(tiled).extract({ left: 0, top: 0, width: 600, height: 420 }).png().toBuffer();
    const grid = gridItem({ columns: 2, rows: 2, width: 600, height: 420 }, [1, 2, 3, 4]);
    await expectPicture(heifFile([grid, item, item, item, item]), {
      type,
      reference,
      size: { width: 600, height: 420 },
    });
  });

  it("with a second picture as its alpha is transparent", async () => {
    const alpha = {
      ...item,
      properties: [...item.properties, PROPERTIES.alpha()],
      references: { type: "auxl", to: [0] },
    } as const;
    const image = await stage.renderAt(await stage.store(heifFile([item, alpha])));
    expect(kinds(image)).toEqual(["image/webp"]);
  });

  it("with a movie behind it is the picture", async () => {
    const movie = Buffer.from("\0\0\0\x18mpvdftypmp42\0\0\0\0mp42isom", "latin1");
    const reference = await upright.clone().png().toBuffer();
    await expectPicture(Buffer.concat([heifFile([item]), movie]), {
      type,
      reference,
      size: { width: 320, height: 240 },
    });
  });
});
