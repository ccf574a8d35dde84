import { mkdtemp, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import sharp, { type Sharp } from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ACCEPTED_IMAGE_TYPES } from "../../src/media/content-type.js";
import type { ImagePipeline, RenderedImage, RenderedVariant } from "../../src/media/ports.js";
import { VARIANTS } from "../../src/media/variants.js";
import {
  animation,
  CORNERS,
  colourAt,
  colourDistance,
  greyDifference,
  orientedJpeg,
  paint,
  quarters,
  type Rgb,
  scenery,
  storedPng,
} from "../support/pictures.js";
import { openPixelStage, type PixelStage } from "../support/pixel-stage.js";

const MAX_PIXELS = 30_000_000;
let stage: PixelStage;
let pipeline: ImagePipeline;
beforeAll(async () => {
  stage = await openPixelStage(MAX_PIXELS);
  pipeline = stage.pipeline;
});
afterAll(() => stage.close());

const store = (bytes: Uint8Array): Promise<string> => stage.store(bytes);
const render = async (bytes: Uint8Array): Promise<RenderedImage> => stage.renderAt(await store(bytes));

const inspect = async (bytes: Uint8Array, contentType: string) => pipeline.inspect(await store(bytes), contentType);

function variant(image: RenderedImage, name: string): RenderedVariant {
  const found = image.variants.find((variant) => variant.name === name);
  if (!found) throw new Error(`there is no ${name}`);
  return found;
}

const png = (picture: Sharp): Promise<Buffer> => picture.png().toBuffer();
const failure = (code: string) => ({ failure: expect.objectContaining({ code }) });

describe("rendering", () => {
  it("writes every variant as progressive JPEG of the planned size, largest first", async () => {
    const image = await render(await scenery(2000, 1500).jpeg().toBuffer());
    expect(image).toMatchObject({ width: 2000, height: 1500 });
    expect(image.variants.map(({ name, width, height }) => [name, width, height])).toEqual([
      ["large", 1600, 1200],
      ["medium", 800, 600],
      ["small", 400, 300],
      ["thumbnail", 150, 150],
    ]);
    for (const { path, width, height, contentType } of image.variants) {
      const metadata = await sharp(path).metadata();
      expect(metadata).toMatchObject({ width, height, mediaType: contentType, isProgressive: true, space: "srgb" });
    }
  });

  it("puts the files where it was told and nowhere else", async () => {
    const outputFolder = await mkdtemp(join(stage.folder, "out-"));
    const path = await store(await png(scenery(500, 400)));
    const image = await pipeline.render({ path, outputFolder, variants: VARIANTS, focalPoint: null, keepGps: false });
    expect(image.variants.map((variant) => variant.path).sort()).toEqual(
      (await readdir(outputFolder)).map((name) => join(outputFolder, name)).sort(),
    );
  });

  it("gives hash, placeholder and colour", async () => {
    const image = await render(await png(scenery(700, 500)));
    expect(image.perceptualHash).toMatch(/^[01]{64}$/);
    expect(Buffer.from(image.placeholder, "base64").length).toBeGreaterThan(10);
    expect(image.dominantColor).toMatch(/^#[0-9a-f]{6}$/);
    const red = await render(await png(paint(300, 300, () => [250, 5, 5])));
    expect(red.dominantColor).toBe("#f80808");
    expect(red.perceptualHash).toBeNull();
  });

  it("keeps no metadata in variants", async () => {
    const tagged = await scenery(900, 700)
      .withExif({ IFD0: { Make: "MARKER-CAMERA", Copyright: "MARKER-OWNER" } })
      .withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/"><!-- MARKER-XMP --></x:xmpmeta>')
      .withIccProfile("p3")
      .jpeg()
      .toBuffer();
    const image = await render(tagged);
    expect(image.exif).toEqual({ make: "MARKER-CAMERA", copyright: "MARKER-OWNER" });
    for (const { path } of image.variants) {
      const { exif, xmp, icc, iptc, orientation } = await sharp(path).metadata();
      expect({ exif, xmp, icc, iptc, orientation }).toEqual({});
      expect((await readFile(path)).includes("MARKER")).toBe(false);
    }
  });

  it("makes nothing of a tiny picture but describes it", async () => {
    const image = await render(await png(scenery(60, 50)));
    expect(image).toMatchObject({ width: 60, height: 50, variants: [] });
    expect(image.placeholder).not.toBe("");
  });

  it.each([
    [5000, 50, "150x50"],
    [50, 5000, "50x150"],
  ])("fills the thumbnail of a strip of %i x %i from its own pixels", async (width, height, thumbnail) => {
    const middle: Rgb = [10, 220, 40];
    const strip = paint(width, height, (x, y) =>
      Math.abs((width > height ? x : y) - 0.5) < 0.02 ? middle : [200, 30, 30],
    );
    const image = await render(await png(strip));
    const { path, ...size } = variant(image, "thumbnail");
    expect(`${size.width}x${size.height}`).toBe(thumbnail);
    expect(colourDistance(await colourAt(path, 0.5, 0.5), middle)).toBeLessThan(20);
    expect(colourDistance(await colourAt(path, 0.05, 0.05), middle)).toBeLessThan(20);
  });
});

describe("orientation", () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])("%i is followed in size and in every variant", async (orientation) => {
    const picture = await orientedJpeg(640, 400, orientation);
    expect(await inspect(picture, "image/jpeg")).toMatchObject({ width: 640, height: 400, frames: 1 });
    const image = await render(picture);
    expect(image).toMatchObject({ width: 640, height: 400 });
    for (const { path } of image.variants) {
      expect(colourDistance(await colourAt(path, 0.2, 0.2), CORNERS.topLeft)).toBeLessThan(25);
      expect(colourDistance(await colourAt(path, 0.8, 0.2), CORNERS.topRight)).toBeLessThan(25);
      expect(colourDistance(await colourAt(path, 0.2, 0.8), CORNERS.bottomLeft)).toBeLessThan(25);
      expect(colourDistance(await colourAt(path, 0.8, 0.8), CORNERS.bottomRight)).toBeLessThan(25);
    }
  });

  it.each([2, 3, 4, 5, 6, 7, 8])(
    "%i of an animation is followed in every frame, whose order stays",
    async (orientation) => {
      const stored = await storedPng(quarters(300, 200), orientation);
      const { width, height } = await sharp(stored).metadata();
      const turned = await sharp([stored, await png(paint(width, height, () => [9, 9, 9]))], {
        join: { animated: true },
      })
        .withMetadata({ orientation })
        .webp({ delay: [100, 250], lossless: true })
        .toBuffer();
      expect(await inspect(turned, "image/webp")).toMatchObject({ width: 300, height: 200, frames: 2 });
      const { path } = variant(await render(turned), "thumbnail");
      expect(await sharp(path, { animated: true }).metadata()).toMatchObject({
        width: 150,
        pageHeight: 150,
        delay: [100, 250],
      });
      expect(colourDistance(await colourAt(path, 0.2, 0.2), CORNERS.topLeft)).toBeLessThan(25);
      expect(colourDistance(await colourAt(path, 0.8, 0.2), CORNERS.topRight)).toBeLessThan(25);
      expect(colourDistance(await colourAt(path, 0.2, 0.8), CORNERS.bottomLeft)).toBeLessThan(25);
      const second = await sharp(path, { page: 1 }).png().toBuffer();
      expect(colourDistance(await colourAt(second, 0.2, 0.2), [9, 9, 9])).toBeLessThan(25);
    },
  );

  it("of AVIF, which its decoder follows, is not followed twice", async () => {
    const turned = await sharp(await orientedJpeg(300, 200, 6))
      .keepMetadata()
      .avif({ quality: 80, effort: 0 })
      .toBuffer();
    const { width, height } = await inspect(turned, "image/avif");
    const image = await render(turned);
    expect(image).toMatchObject({ width, height });
    expect(
      await greyDifference(
        variant(image, "thumbnail").path,
        await sharp(turned).autoOrient().resize(150, 150).png().toBuffer(),
      ),
    ).toBeLessThan(4);
  });
});

describe("transparency", () => {
  const glass = (alpha: number): Sharp => scenery(500, 400).ensureAlpha(alpha);

  it("is kept, as WebP", async () => {
    const image = await render(await png(glass(0.5)));
    for (const { path, contentType } of image.variants) {
      expect(contentType).toBe("image/webp");
      const { channels } = await sharp(path).stats();
      expect(channels[3]?.mean).toBeCloseTo(128, -1);
    }
  });

  it("that hides nothing is dropped, as JPEG", async () => {
    const image = await render(await png(glass(1)));
    expect(image.variants.map(({ contentType }) => contentType)).toEqual(["image/jpeg", "image/jpeg"]);
    expect(await greyDifference(variant(image, "small").path, await png(scenery(500, 400)))).toBeLessThan(4);
  });

  it("is kept where a colour profile is followed", async () => {
    const image = await render(await png(glass(0.5).withIccProfile("p3")));
    const { path } = variant(image, "small");
    expect((await sharp(path).stats()).channels[3]?.mean).toBeCloseTo(128, -1);
    expect(await greyDifference(path, await png(glass(0.5)))).toBeLessThan(4);
  });

  it("of a grey picture is kept", async () => {
    const image = await render(await png(scenery(500, 400).greyscale().ensureAlpha(0.3)));
    expect(await sharp(variant(image, "small").path).metadata()).toMatchObject({ format: "webp", hasAlpha: true });
  });
});

describe("colours and depths come out right as 8-bit sRGB", () => {
  const colour: Rgb = [180, 90, 60];
  const plain = (): Sharp => paint(500, 400, () => colour);

  it.each<[string, () => Promise<Buffer>, number]>([
    ["CMYK JPEG", () => plain().toColourspace("cmyk").jpeg({ quality: 95 }).toBuffer(), 25],
    ["16-bit PNG", () => plain().toColourspace("rgb16").png().toBuffer(), 3],
    ["16-bit TIFF", () => plain().toColourspace("rgb16").tiff().toBuffer(), 3],
    ["Display P3 PNG", () => plain().withIccProfile("p3").png().toBuffer(), 4],
    ["Display P3 JPEG", () => plain().withIccProfile("p3").jpeg({ quality: 95 }).toBuffer(), 6],
    ["CMYK JPEG with a profile", () => plain().withIccProfile("cmyk").jpeg({ quality: 95 }).toBuffer(), 25],
    ["palette PNG", () => plain().png({ palette: true }).toBuffer(), 4],
    ["WebP", () => plain().webp({ lossless: true }).toBuffer(), 3],
    ["AVIF", () => plain().avif({ quality: 90, effort: 0 }).toBuffer(), 8],
    ["GIF of one frame", () => plain().gif().toBuffer(), 8],
  ])("%s", async (_, make, tolerance) => {
    const { path } = variant(await render(await make()), "small");
    expect(await sharp(path).metadata()).toMatchObject({ format: "jpeg", space: "srgb", channels: 3, depth: "uchar" });
    expect(colourDistance(await colourAt(path, 0.5, 0.5), colour)).toBeLessThanOrEqual(tolerance);
  });

  it.each(["b-w", "grey16"] as const)("grey PNG (%s)", async (space) => {
    const grey = paint(500, 400, () => [100, 100, 100]).toColourspace(space);
    const { path } = variant(await render(await png(grey)), "small");
    expect(await sharp(path).metadata()).toMatchObject({ space: "srgb", channels: 3 });
    expect(colourDistance(await colourAt(path, 0.5, 0.5), [100, 100, 100])).toBeLessThan(3);
  });
});

describe("animation", () => {
  const colours: Rgb[] = [
    [240, 10, 10],
    [10, 240, 10],
    [10, 10, 240],
  ];

  it.each(["gif", "webp"] as const)("of %s keeps frames, delays and loop in every variant", async (format) => {
    const moving = await (await animation(format, { width: 500, height: 300 }, colours)).toBuffer();
    expect(await inspect(moving, `image/${format}`)).toMatchObject({ width: 500, height: 300, frames: 3 });
    const image = await render(moving);
    expect(image).toMatchObject({ width: 500, height: 300, perceptualHash: null });
    expect(image.variants.map(({ name }) => name)).toEqual(["small", "thumbnail"]);
    for (const { path, width, height, contentType } of image.variants) {
      expect(contentType).toBe("image/webp");
      expect(await sharp(path, { animated: true }).metadata()).toMatchObject({
        width,
        pageHeight: height,
        pages: 3,
        delay: [200, 300, 400],
        loop: 3,
      });
      for (const [page, colour] of colours.entries())
        expect(
          colourDistance(await colourAt(await sharp(path, { page }).png().toBuffer(), 0.5, 0.5), colour),
        ).toBeLessThan(20);
    }
  });

  it("of a PNG counts as the still picture it also is", async () => {
    expect(await inspect(await png(scenery(80, 60)), "image/png")).toMatchObject({ width: 80, height: 60, frames: 1 });
  });
});

describe("TIFF of several pages", () => {
  it("is its first page", async () => {
    const [first, second] = await Promise.all([quarters(300, 200), paint(300, 200, () => [0, 0, 0])].map(png));
    const pages = await sharp([first as Buffer, second as Buffer], { join: { animated: true } })
      .tiff()
      .toBuffer();
    expect(await inspect(pages, "image/tiff")).toMatchObject({ width: 300, height: 200, frames: 1 });
    const { path } = variant(await render(pages), "thumbnail");
    expect(await sharp(path).metadata()).toMatchObject({ format: "jpeg", width: 150, height: 150 });
    expect(colourDistance(await colourAt(path, 0.1, 0.1), CORNERS.topLeft)).toBeLessThan(25);
  });
});

describe("the original", () => {
  it("stays as it was where there is no position in it", async () => {
    const bytes = await scenery(300, 200)
      .withExif({ IFD0: { Make: "Canon" } })
      .jpeg()
      .toBuffer();
    const path = await store(bytes);
    const outputFolder = await mkdtemp(join(stage.folder, "out-"));
    const image = await pipeline.render({ path, outputFolder, variants: VARIANTS, focalPoint: null, keepGps: false });
    expect(image.originalChanged).toBe(false);
    expect((await readFile(path)).equals(bytes)).toBe(true);
  });

  const located = () =>
    scenery(300, 200)
      .withExif({
        IFD0: { Make: "Canon" },
        IFD3: {
          GPSLatitudeRef: "N",
          GPSLatitude: "41/1 54/1 0/1",
          GPSLongitudeRef: "E",
          GPSLongitude: "12/1 30/1 0/1",
        },
      })
      .jpeg()
      .toBuffer();

  it("loses its position and nothing else, and says that it changed", async () => {
    const path = await store(await located());
    const outputFolder = await mkdtemp(join(stage.folder, "out-"));
    const job = { path, outputFolder, variants: VARIANTS, focalPoint: null };
    const image = await pipeline.render({ ...job, keepGps: false });
    expect(image).toMatchObject({ originalChanged: true, exif: { make: "Canon" } });
    expect(image.exif).not.toHaveProperty("latitude");
    const again = await pipeline.render({ ...job, keepGps: true });
    expect(again).toMatchObject({ originalChanged: false, exif: { make: "Canon" } });
    expect(again.exif).not.toHaveProperty("latitude");
  });

  it("keeps its position where that is wanted", async () => {
    const bytes = await located();
    const path = await store(bytes);
    const outputFolder = await mkdtemp(join(stage.folder, "out-"));
    const image = await pipeline.render({ path, outputFolder, variants: VARIANTS, focalPoint: null, keepGps: true });
    expect(image).toMatchObject({ originalChanged: false, exif: { latitude: 41.9, longitude: 12.5 } });
    expect((await readFile(path)).equals(bytes)).toBe(true);
  });
});

describe("what is refused", () => {
  it.each(["jpeg", "png", "webp", "tiff", "avif"] as const)("a %s cut off in the middle", async (format) => {
    const whole = await scenery(600, 400)[format]().toBuffer();
    await expect(render(whole.subarray(0, whole.length / 2))).rejects.toMatchObject(failure("CORRUPT_FILE"));
    await expect(render(whole)).resolves.toMatchObject({ width: 600 });
  });

  it.each([
    ["noise", Buffer.from(Array.from({ length: 4000 }, (_, at) => (at * 7919) % 251))],
    ["nothing", Buffer.alloc(0)],
    ["a JPEG's first bytes and no more", Buffer.from([0xff, 0xd8, 0xff, 0xe0])],
    ["SVG", Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="300" height="300"/>')],
  ])("%s", async (_, bytes) => {
    await expect(inspect(bytes, "image/jpeg")).rejects.toMatchObject(failure("CORRUPT_FILE"));
    await expect(render(bytes)).rejects.toMatchObject(failure("CORRUPT_FILE"));
  });

  it("a file of another type than its first bytes say", async () => {
    const picture = await png(scenery(100, 80));
    await expect(inspect(picture, "image/jpeg")).rejects.toMatchObject(failure("CORRUPT_FILE"));
    await expect(inspect(picture, "image/png")).resolves.toMatchObject({ width: 100, height: 80, frames: 1 });
  });

  it("no picture that is taken anywhere: servers without pixels promise the same types", () => {
    expect([...pipeline.contentTypes].sort()).toEqual([...ACCEPTED_IMAGE_TYPES].sort());
  });

  it("a type without a decoder, naming those that have one", async () => {
    await expect(inspect(Buffer.from("<svg/>"), "image/svg+xml")).rejects.toMatchObject({
      failure: { code: "UNSUPPORTED_TYPE", detected: "image/svg+xml", accepted: pipeline.contentTypes },
    });
  });

  it("more pixels than allowed, by the header alone; its size can still be asked for", async () => {
    const huge = await sharp({ create: { width: 12_000, height: 6_000, channels: 3, background: "#fff" } })
      .png()
      .toBuffer();
    expect(await inspect(huge, "image/png")).toMatchObject({ width: 12_000, height: 6_000, frames: 1 });
    await expect(render(huge)).rejects.toMatchObject({
      failure: { code: "TOO_MANY_PIXELS", pixels: 72_000_000, maxPixels: MAX_PIXELS },
    });
  });

  it("never names a path", async () => {
    const error = await render((await scenery(300, 200).tiff().toBuffer()).subarray(0, 900)).catch(
      (error: unknown) => error,
    );
    expect(String(error)).not.toContain(stage.folder);
    expect(JSON.stringify(error)).not.toContain("upload-");
  });
});

describe("what fails on this side", () => {
  it("is no fault of the file: it is gone", async () => {
    const job = {
      path: join(stage.folder, "no-such-file"),
      outputFolder: stage.folder,
      variants: VARIANTS,
      focalPoint: null,
      keepGps: false,
    };
    await expect(pipeline.render(job)).rejects.toMatchObject(failure("PROCESSING_FAILED"));
  });

  it("is no fault of the file: the folder is gone", async () => {
    const job = {
      path: await store(await png(scenery(300, 200))),
      outputFolder: "/nowhere/at/all",
      variants: VARIANTS,
      focalPoint: null,
      keepGps: false,
    };
    await expect(pipeline.render(job)).rejects.toMatchObject(failure("PROCESSING_FAILED"));
    await expect(
      pipeline.render({ ...job, outputFolder: await mkdtemp(join(stage.folder, "out-")) }),
    ).resolves.toBeDefined();
  });
});
