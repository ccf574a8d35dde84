import { readFile } from "node:fs/promises";
import exifr from "exifr";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CorpusRow, corpusPath, corpusRows, noCorpus } from "../support/corpus.js";
import { greyDifference } from "../support/pictures.js";
import { startTestServer, type TestServer, type UploadResult } from "../support/server.js";

type Media = UploadResult["media"];
const MIN_SIDE = 50;

/** What the manifest says must happen, where the limits of this system do not say otherwise first. */
function expectedOutcome(row: CorpusRow): "ACCEPT" | "REJECT" | "EITHER" {
  if (row.expect === "ACCEPT" && Math.min(Number(row.w), Number(row.h)) < MIN_SIDE) return "REJECT";
  return row.expect as "ACCEPT" | "REJECT" | "EITHER";
}

describe.skipIf(noCorpus)("real and odd pictures", () => {
  let server: TestServer;
  let token: string;

  beforeAll(async () => {
    server = await startTestServer();
    token = await server.user("USR-1");
    await server.entity("builder", "BLD-1", { ownerId: "USR-1" });
  });
  afterAll(() => server.stop());

  const upload = async (row: CorpusRow) => {
    const name = row.file.slice(row.file.lastIndexOf("/") + 1);
    return server.post("/v1/media/builders/BLD-1/portfolio", token, [["file", [await readFile(corpusPath(row.file)), name]]]);
  };

  async function bytesOf(url: string): Promise<Buffer> {
    const response = await fetch(url);
    expect(response.status).toBe(200);
    return Buffer.from(await response.arrayBuffer());
  }

  async function expectStripped(media: Media): Promise<void> {
    expect(JSON.stringify(media.metadata)).not.toMatch(/gps|latitude|longitude/i);
    for (const url of [media.originalUrl, ...media.variants.map((v) => v.url)])
      expect(await exifr.gps(await bytesOf(url)).catch(() => undefined)).toBeUndefined();
    for (const { url } of media.variants) {
      const { exif, xmp, orientation } = await sharp(await bytesOf(url)).metadata();
      expect([exif, xmp, orientation]).toEqual([undefined, undefined, undefined]);
    }
  }

  function expectExif({ metadata }: Media, row: CorpusRow): void {
    const exif = (metadata.exif ?? {}) as Record<string, string>;
    if (row.exif_make) expect(exif.make).toBe(row.exif_make.trim());
    if (row.exif_model) expect(exif.model).toBe(row.exif_model.trim());
  }

  async function expectUpright(media: Media, row: CorpusRow): Promise<void> {
    const reference = /upright:([^;]+)/.exec(row.must ?? "")?.[1];
    if (!reference) return;
    const folder = row.file.slice(0, row.file.lastIndexOf("/"));
    for (const { url, name } of media.variants.filter((v) => v.name !== "thumbnail"))
      expect(await greyDifference(await bytesOf(url), corpusPath(`${folder}/${reference}`)), name).toBeLessThan(4);
  }

  it.each(["exif", "orientation"].flatMap(corpusRows))("$file: $expect", async (row) => {
    const before = await server.files();
    const answer = await upload(row);
    expect(answer.status).toBeLessThan(500);
    const outcome = expectedOutcome(row);
    if (outcome !== "EITHER") expect(answer.status).toBe(outcome === "ACCEPT" ? 201 : 400);
    if (answer.status !== 201) {
      expect(await server.files()).toEqual(before);
      return;
    }
    const { media } = answer.body;
    if (row.must?.includes("dims")) expect([media.width, media.height]).toEqual([Number(row.w), Number(row.h)]);
    expectExif(media, row);
    await expectStripped(media);
    await expectUpright(media, row);
  });

  it("one picture in all its orientations is one picture", async () => {
    const rows = corpusRows("orientation").filter((row) => row.must?.includes("same_phash_family"));
    const hashes = await Promise.all(rows.map(async (row) => (await upload(row)).body.media.imageHash as string));
    const distances = hashes.map((hash) => [...hash].filter((bit, at) => bit !== hashes[0]?.[at]).length);
    expect(rows.length).toBeGreaterThan(5);
    expect(Math.max(...distances)).toBeLessThanOrEqual(5);
  });
});
