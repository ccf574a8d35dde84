import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DeriveJob } from "../../src/media/ports.js";
import { animation, CORNERS, colourAt, colourDistance, orientedJpeg, paint, quarters } from "../support/pictures.js";
import { openPixelStage, type PixelStage } from "../support/pixel-stage.js";

const GREY = [120, 120, 120] as const;
const RED = [230, 20, 20] as const;

describe("a picture made on demand", () => {
  let stage: PixelStage;
  beforeAll(async () => {
    stage = await openPixelStage(1_000_000);
  });
  afterAll(() => stage.close());

  async function derive(bytes: Uint8Array, job: Partial<DeriveJob> = {}): Promise<string> {
    const [path, outputFolder] = [await stage.store(bytes), await mkdtemp(join(stage.folder, "out-"))];
    const common = { focalPoint: null, contentType: "image/webp", quality: 80, heldPixels: 1_000_000 } as const;
    return stage.pipeline.derive({ path, outputFolder, width: 100, height: 100, ...common, ...job });
  }

  it.each([
    ["image/avif", "heif"],
    ["image/webp", "webp"],
    ["image/jpeg", "jpeg"],
  ] as const)("is %s of exactly the size, without metadata", async (contentType, format) => {
    const picture = await quarters(301, 203)
      .withExif({ IFD0: { Artist: "A" } })
      .jpeg()
      .toBuffer();
    const metadata = await sharp(await derive(picture, { contentType, width: 97, height: 65 })).metadata();
    expect(metadata).toMatchObject({ format, width: 97, height: 65 });
    expect([metadata.exif, metadata.icc]).toEqual([undefined, undefined]);
  });

  it("stands upright", async () => {
    const made = await derive(await orientedJpeg(200, 100, 6), { width: 100, height: 50 });
    expect(colourDistance(await colourAt(made, 0.1, 0.1), CORNERS.topLeft)).toBeLessThan(40);
  });

  it("keeps what is transparent, on white where JPEG cannot", async () => {
    const hole = {
      create: { width: 200, height: 200, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } },
    } as const;
    const picture = await sharp(hole).png().toBuffer();
    for (const contentType of ["image/avif", "image/webp"] as const)
      expect(await sharp(await derive(picture, { contentType })).metadata()).toMatchObject({ hasAlpha: true });
    expect(await colourAt(await derive(picture, { contentType: "image/jpeg" }), 0.5, 0.5)).toEqual([255, 255, 255]);
  });

  it("is the first frame of an animation", async () => {
    const made = await derive(await (await animation("webp", { width: 200, height: 200 }, [RED, GREY])).toBuffer());
    expect((await sharp(made).metadata()).pages ?? 1).toBe(1);
    expect(colourDistance(await colourAt(made, 0.5, 0.5), RED)).toBeLessThan(30);
  });

  describe("cropped", () => {
    /** A red square of 60 px at the right edge of a grey picture of 400 x 100. */
    const subject = () => paint(400, 100, (x, y) => (x > 0.8 && x < 0.95 && y > 0.2 && y < 0.8 ? RED : GREY));
    const showsIt = async (made: string) => {
      const { data, info } = await sharp(made).removeAlpha().raw().toBuffer({ resolveWithObject: true });
      let red = 0;
      for (let at = 0; at < data.length; at += 3) if ((data[at] ?? 0) > 180 && (data[at + 1] ?? 0) < 90) red++;
      return red / (info.width * info.height) > 0.3;
    };

    it("shows what catches the eye, wherever it is", async () => {
      expect(await showsIt(await derive(await subject().png().toBuffer()))).toBe(true);
    });

    it("shows what the focal point says instead, within the picture", async () => {
      const picture = await subject().png().toBuffer();
      expect(await showsIt(await derive(picture, { focalPoint: { x: 0.1, y: 0.5 } }))).toBe(false);
      expect(await showsIt(await derive(picture, { focalPoint: { x: 1, y: 1 } }))).toBe(true);
      const corners = await quarters(400, 400).png().toBuffer();
      const bottomLeft = await derive(corners, { width: 200, height: 100, focalPoint: { x: 0, y: 1 } });
      // The whole width is kept, of the height the lower half.
      expect(colourDistance(await colourAt(bottomLeft, 0.1, 0.1), CORNERS.bottomLeft)).toBeLessThan(40);
      expect(colourDistance(await colourAt(bottomLeft, 0.9, 0.1), CORNERS.bottomRight)).toBeLessThan(40);
    });
  });

  it.each([
    ["that would be enlarged", { width: 301 }, "PROCESSING_FAILED"],
    ["of too many pixels", {}, "TOO_MANY_PIXELS"],
    ["that is none", {}, "UNSUPPORTED_TYPE"],
  ])("is refused, %s", async (what, job, code) => {
    const side = what.includes("many") ? 1_001 : 300;
    const picture = await sharp({ create: { width: side, height: side, channels: 3, background: "#123456" } })
      .png()
      .toBuffer();
    const bytes = what.includes("none") ? Buffer.from("<svg xmlns='http://www.w3.org/2000/svg'/>") : picture;
    await expect(derive(bytes, job)).rejects.toMatchObject({
      failure: { code: what.includes("none") ? expect.stringMatching(/UNSUPPORTED_TYPE|CORRUPT_FILE/) : code },
    });
  });
});
