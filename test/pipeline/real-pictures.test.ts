import { copyFile, mkdtemp, readFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import distance from "sharp-phash/distance.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MediaError } from "../../src/media/errors.js";
import type { ImagePipeline, RenderedImage } from "../../src/media/ports.js";
import { VARIANTS } from "../../src/media/variants.js";
import { createSharpPipeline } from "../../src/pipeline/sharp-pipeline.js";
import { type CorpusRow, corpusPath, corpusRows, noCorpus } from "../support/corpus.js";
import { greyDifference } from "../support/pictures.js";
import { makeTemporaryFolder } from "../support/temporary-folder.js";

const bits = distance as unknown as typeof distance.default;

let folder: Awaited<ReturnType<typeof makeTemporaryFolder>>;
let pipeline: ImagePipeline;

beforeAll(async () => {
  folder = await makeTemporaryFolder();
  pipeline = createSharpPipeline({
    processes: 1,
    queueLimits: { upload: 50, demand: 50 },
    pixelBudget: 200_000_000,
    inspectTimeoutMs: 20_000,
    renderTimeoutMs: 20_000,
    maxPixels: 200_000_000,
  });
});
afterAll(async () => {
  await pipeline.close();
  await folder.remove();
});

async function render(file: string, keepGps = false): Promise<RenderedImage> {
  const outputFolder = await mkdtemp(join(folder.path, "out-"));
  const path = join(outputFolder, "original");
  await copyFile(corpusPath(file), path);
  return pipeline.render({ path, outputFolder, variants: VARIANTS, focalPoint: null, keepGps });
}

const isTaken = (row: CorpusRow): boolean => pipeline.contentTypes.includes(row.true_type ?? "");
const sizeIn = (row: CorpusRow) => ({ width: Number(row.w), height: Number(row.h) });

/** The manifest writes a date as EXIF does. */
const dateIn = (row: CorpusRow): string | undefined =>
  row.exif_datetime?.replace(/^(\d{4}):(\d\d):(\d\d) (\d\d:\d\d:\d\d)$/, "$1-$2-$3T$4") || undefined;

describe.skipIf(noCorpus)("pictures of real cameras", () => {
  const rows = corpusRows("exif");

  it.each(rows.map((row) => [row.file, row] as const))(
    "%s: size, camera and variants without metadata",
    async (file, row) => {
      expect(await pipeline.inspect(corpusPath(file), "image/jpeg")).toMatchObject({ ...sizeIn(row), frames: 1 });
      const { exif, variants } = await render(file);
      expect([exif.make, exif.model]).toEqual([row.exif_make || undefined, row.exif_model || undefined]);
      expect(exif).not.toHaveProperty("latitude");
      for (const { path } of variants) {
        const metadata = await sharp(path).metadata();
        expect([metadata.exif, metadata.xmp, metadata.icc, metadata.iptc, metadata.orientation]).toEqual(
          Array(5).fill(undefined),
        );
      }
    },
  );

  it("tell when they were taken", async () => {
    const dated = rows.filter((row) => row.exif_make && row.exif_datetime);
    expect(dated.length).toBeGreaterThan(8);
    for (const row of dated) expect((await render(row.file)).exif.dateTimeOriginal, row.file).toBe(dateIn(row));
  });

  it("tell where they were taken where positions are kept", async () => {
    const located = rows.filter((row) => row.gps_lat && Math.abs(Number(row.gps_lat)) <= 90);
    expect(located.length).toBeGreaterThan(5);
    for (const row of located) {
      const { exif } = await render(row.file, true);
      expect(exif.latitude, row.file).toBeCloseTo(Number(row.gps_lat), 4);
    }
  });
});

describe.skipIf(noCorpus)("pictures stored turned", () => {
  const rows = corpusRows("orientation");

  it.each(rows.map((row) => [row.file, row] as const))("%s has its upright size", async (file, row) => {
    const size = sizeIn(row);
    expect(await pipeline.inspect(corpusPath(file), row.true_type ?? "")).toMatchObject({ ...size, frames: 1 });
    expect(await render(file)).toMatchObject(size);
  });

  it("stand upright in every variant and have one hash", async () => {
    const upright = corpusPath("orientation/Landscape_1.jpg");
    const { perceptualHash } = await render("orientation/Landscape_1.jpg");
    const landscapes = rows.filter((row) => row.file.includes("Landscape_"));
    expect(landscapes).toHaveLength(9);
    for (const { file } of landscapes) {
      const image = await render(file);
      expect(bits(image.perceptualHash ?? "", perceptualHash ?? ""), file).toBeLessThanOrEqual(2);
      for (const { name, path } of image.variants) {
        const { width, height, fit } = VARIANTS[name];
        const reference = await sharp(upright).autoOrient().resize(width, height, { fit }).png().toBuffer();
        expect(await greyDifference(path, reference), `${file} ${name}`).toBeLessThan(4);
      }
    }
  });
});

/** Of these sharp cannot make the picture to compare with; their decoders have tests of their own. */
const DECODED_WITHOUT_SHARP = ["image/bmp", "image/heic", "image/heif"];

describe.skipIf(noCorpus)("pictures of every format", () => {
  it("that sharp cannot read have their size too", async () => {
    const rows = corpusRows("formats").filter((row) => DECODED_WITHOUT_SHARP.includes(row.true_type ?? ""));
    expect(rows.length).toBeGreaterThan(2);
    for (const row of rows) expect(await render(row.file), row.file).toMatchObject(sizeIn(row));
  }, 60_000);

  it("come out as they look", async () => {
    const rows = corpusRows("formats").filter(
      (row) => isTaken(row) && !DECODED_WITHOUT_SHARP.includes(row.true_type ?? "") && Number(row.w) > 150,
    );
    expect(rows.length).toBeGreaterThan(20);
    for (const row of rows) {
      const image = await render(row.file);
      expect(image, row.file).toMatchObject(sizeIn(row));
      for (const { name, path } of image.variants) {
        const { width, height, fit } = VARIANTS[name];
        const reference = sharp(corpusPath(row.file), { limitInputPixels: false }).autoOrient().toColourspace("srgb");
        const expected = await reference
          .resize(width, height, { fit, withoutEnlargement: fit === "inside" })
          .png()
          .toBuffer();
        if (Math.min(Number(row.w), Number(row.h)) >= 150)
          expect(await greyDifference(path, expected), `${row.file} ${name}`).toBeLessThan(4);
      }
    }
  }, 60_000);

  it("keep the primary colours of Display P3 without a shift of hue", async () => {
    const { variants } = await render("formats/P3-sRGB-color-bars.png");
    const reference = await sharp(corpusPath("formats/P3-sRGB-color-bars.png")).resize(800, 640).png().toBuffer();
    expect(await greyDifference(variants[0]?.path ?? "", reference)).toBeLessThan(2);
  });
});

describe.skipIf(noCorpus)("damaged and hostile pictures", () => {
  const rows = [...corpusRows("broken"), ...corpusRows("hostile")];
  const EXPECTED_REFUSALS = ["CORRUPT_FILE", "TOO_MANY_PIXELS", "UNSUPPORTED_TYPE"];

  it("are taken whole or refused for what they are, and nothing hangs or crashes", async () => {
    expect(rows.length).toBeGreaterThan(80);
    for (const { file } of rows) {
      const outcome = await render(file).then(
        (image) => image.width > 0 && "whole",
        (error: unknown) => (error instanceof MediaError ? error.failure.code : error),
      );
      expect(["whole", ...EXPECTED_REFUSALS], file).toContain(outcome);
    }
  }, 60_000);

  it("that end too early are refused", async () => {
    for (const name of [
      "cut-50.jpg",
      "cut-99.jpg",
      "truncated.jpg",
      "truncated_image.png",
      "truncated_jpeg.jpg",
      "xd3n2c08.png",
    ])
      await expect(render(`broken/${name}`), name).rejects.toMatchObject({ failure: { code: "CORRUPT_FILE" } });
  });

  it("carry no marker into variants", async () => {
    const marked = rows.filter((row) => row.must?.includes("no_marker_in_variants") && row.expect === "ACCEPT");
    expect(marked.length).toBeGreaterThan(3);
    for (const { file } of marked)
      for (const { path } of (await render(file)).variants)
        expect((await readFile(path)).includes("MARKER"), file).toBe(false);
  });
});
