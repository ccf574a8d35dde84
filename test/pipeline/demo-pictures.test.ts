import { mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sniffContentType } from "../../src/media/content-type.js";
import { hammingDistance, TIER_DISTANCE } from "../../src/media/near-duplicates.js";
import type { RenderedImage } from "../../src/media/ports.js";
import { VARIANTS } from "../../src/media/variants.js";
import { type DemoPicture, makeDemoPictures } from "../../src/pipeline/demo-pictures.js";
import { renderPicture } from "../../src/pipeline/render.js";
import { makeTemporaryFolder } from "../support/temporary-folder.js";

const MAX_PIXELS = 100_000_000;

describe("the demo's pictures", () => {
  let folder: Awaited<ReturnType<typeof makeTemporaryFolder>>;
  let pictures: DemoPicture[];
  const rendered = new Map<string, RenderedImage>();

  const picture = (filename: string): DemoPicture => pictures.find((one) => one.filename === filename)!;
  const render = (filename: string): RenderedImage => rendered.get(filename)!;

  beforeAll(async () => {
    folder = await makeTemporaryFolder();
    pictures = await makeDemoPictures();
    for (const { filename, body } of pictures) {
      const path = join(folder.path, filename);
      await writeFile(path, body);
      const outputFolder = await mkdtemp(join(folder.path, "out-"));
      const job = { path, outputFolder, variants: VARIANTS, focalPoint: null, keepGps: false };
      rendered.set(filename, await renderPicture(job, MAX_PIXELS));
    }
  });
  afterAll(() => folder.remove());

  it("are a handful, each with a name and a description of its own", () => {
    expect(pictures.length).toBeGreaterThanOrEqual(8);
    expect(new Set(pictures.map((one) => one.filename)).size).toBe(pictures.length);
    expect(new Set(pictures.map((one) => one.altText)).size).toBe(pictures.length);
    for (const { altText } of pictures) expect(altText.length).toBeGreaterThan(15);
  });

  it("are what their names say", () => {
    const types = pictures.map(({ filename, body }) => [filename.split(".").at(-1), sniffContentType(body)]);
    expect(new Set(types.map(String))).toEqual(new Set(["jpg,image/jpeg", "png,image/png", "webp,image/webp"]));
  });

  it("do not look alike: every two are farther apart than similar ones", () => {
    const hashes = [...rendered].map(([filename, { perceptualHash }]) => [filename, perceptualHash] as const);
    const near = hashes.flatMap(([a, hashA], i) =>
      hashes.slice(i + 1).flatMap(([b, hashB]) => {
        const distance = hashA && hashB ? hammingDistance(hashA, hashB) : 0;
        return distance > TIER_DISTANCE.similar ? [] : [`${a} and ${b}: ${distance}`];
      }),
    );
    expect(near).toEqual([]);
  });

  it("are large enough for every variant, but for the small animation and the mark", () => {
    const withAll = [...rendered].filter(([, { variants }]) => variants.length === Object.keys(VARIANTS).length);
    expect(withAll.map(([filename]) => filename)).toEqual(
      pictures.map((one) => one.filename).filter((name) => name.endsWith(".jpg")),
    );
  });

  it("come upright and on their side", () => {
    const shapes = [...rendered.values()].map(({ width, height }) => `${width}x${height}`);
    expect(shapes).toContain("2400x1600");
    expect(shapes).toContain("1600x2400");
  });

  it("hold one that a camera stored sideways, with what it says of the shot", async () => {
    const { width, height, orientation } = await sharp(picture("front-door.jpg").body).metadata();
    expect([width, height, orientation]).toEqual([2400, 1600, 6]);
    expect(render("front-door.jpg")).toMatchObject({ width: 1600, height: 2400 });
    expect(render("front-door.jpg").exif).toMatchObject({
      make: "Artitec",
      model: "Demo Camera 1",
      lens: "Demo 35mm f/2",
      dateTimeOriginal: "2026-05-14T18:42:07",
      exposureTime: 1 / 125,
      fNumber: 2.8,
      iso: 400,
      focalLength: 35,
    });
  });

  it("hold one with transparency and one that moves", async () => {
    const mark = await sharp(picture("builder-mark.png").body).stats();
    expect(mark.isOpaque).toBe(false);
    expect((await sharp(picture("day-passing.webp").body).metadata()).pages).toBe(12);
  });

  it("are the same at every call", async () => {
    const again = await makeDemoPictures();
    expect(again.map(({ body }) => Buffer.from(body).toString("base64"))).toEqual(
      pictures.map(({ body }) => Buffer.from(body).toString("base64")),
    );
  });
});
