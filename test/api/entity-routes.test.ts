import { readFile } from "node:fs/promises";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mediaOutSchema } from "../../src/media/model.js";
import { currentCombination } from "../support/combination.js";
import { corpusPath, noCorpus } from "../support/corpus.js";
import { CORNERS, colourAt, colourDistance, quarters } from "../support/pictures.js";
import { ENTITY_ROUTES, makePlatform, type PlatformTokens } from "../support/platform.js";
import { SERVICE_TOKEN, startTestServer, type TestServer, type UploadResult } from "../support/server.js";

/** What a phone held upright makes: 2400 x 1800 as stored, orientation 6, camera named, position known. */
async function phonePhoto(): Promise<Buffer> {
  const lying = await sharp(await quarters(1800, 2400).png().toBuffer())
    .rotate(270)
    .png()
    .toBuffer();
  return sharp(lying)
    .jpeg({ quality: 92 })
    .withMetadata({ orientation: 6 })
    .withExifMerge({
      IFD0: { Make: "Artitec", Model: "Phone 1" },
      IFD2: { DateTimeOriginal: "2026:05:04 03:02:01", FNumber: "18/10" },
      IFD3: { GPSLatitudeRef: "N", GPSLatitude: "48/1 51/1 30/1", GPSLongitudeRef: "E", GPSLongitude: "2/1 17/1 40/1" },
    })
    .toBuffer();
}

const KEY =
  /^(?<folder>.+)\/(?<month>\d{4}-\d{2})\/(?<prefix>[a-z]+)-(?<time>\d{14})-(?<random>[a-z0-9]{13,})(?<suffix>_thumb|_small|_medium|_large)?\.jpg$/;

describe("upload routes", () => {
  let server: TestServer;
  let tokens: PlatformTokens;
  let photo: Buffer;

  beforeAll(async () => {
    server = await startTestServer();
    tokens = await makePlatform(server);
    photo = await phonePhoto();
  });
  afterAll(() => server.stop());

  const keyOf = (url: string): string => decodeURIComponent(new URL(url).pathname.slice("/files/".length));

  async function expectWhole(
    { media, message, duplicates }: UploadResult,
    place: { entityType: string; field: string; folder: string; prefix: string },
  ) {
    expect(mediaOutSchema.strict().parse(media)).toEqual(media);
    expect(message).toBeTypeOf("string");
    expect(duplicates).toBeInstanceOf(Array);
    expect(media).toMatchObject({
      entityType: place.entityType,
      entityField: place.field,
      width: 1800,
      height: 2400,
      mediaType: "IMAGE",
      contentType: "image/jpeg",
      originalFilename: "IMG 0001 ü.jpg",
      storageType: currentCombination().store,
      bucketName: server.bucketName,
      duration: null,
      videoProcessedUrl: null,
      isPublic: true,
      processingStatus: "ready",
      focalPoint: null,
      sourceUrl: null,
      metadata: { exif: { make: "Artitec", model: "Phone 1", dateTimeOriginal: "2026-05-04T03:02:01", fNumber: 1.8 } },
    });
    expect(media.publicId.length).toBeLessThanOrEqual(30);
    expect(media.imageHash).toMatch(/^[01]{64}$/);
    expect(media.dominantColor).toMatch(/^#[0-9a-f]{6}$/);
    expect(media.placeholder).toMatch(/^[A-Za-z0-9+/]+=*$/);
    expect(Object.fromEntries(media.variants.map(({ name, width, height }) => [name, [width, height]]))).toEqual({
      large: [1200, 1600],
      medium: [600, 800],
      small: [300, 400],
      thumbnail: [150, 150],
    });
    await expectBytes(media, place);
  }

  async function expectBytes(media: UploadResult["media"], place: { folder: string; prefix: string }) {
    const named = [
      { url: media.originalUrl, width: 2400, height: 1800, contentType: "image/jpeg", fileSize: media.fileSize },
      ...media.variants,
    ];
    expect(new Set(named.slice(1).map((v) => v.url))).toEqual(
      new Set([media.thumbnailUrl, media.smallUrl, media.mediumUrl, media.largeUrl]),
    );
    for (const { url, width, height, contentType, fileSize } of named) {
      expect(KEY.exec(keyOf(url))?.groups).toMatchObject({ folder: place.folder, prefix: place.prefix });
      const response = await fetch(url);
      const bytes = Buffer.from(await response.arrayBuffer());
      expect([response.status, response.headers.get("content-type"), bytes.length]).toEqual([
        200,
        contentType,
        fileSize,
      ]);
      expect(await sharp(bytes).metadata()).toMatchObject({ width, height });
    }
    const upright = Buffer.from(await (await fetch(media.mediumUrl as string)).arrayBuffer());
    expect(colourDistance(await colourAt(upright, 0.1, 0.1), CORNERS.topLeft)).toBeLessThan(24);
    expect(colourDistance(await colourAt(upright, 0.9, 0.9), CORNERS.bottomRight)).toBeLessThan(24);
  }

  it.each(ENTITY_ROUTES)("POST /v1/media$path takes a phone photograph upright, with all its sizes", async (route) => {
    const answer = await server.post(`/v1/media${route.path}`, tokens[route.writer], [
      ["file", [photo, "IMG 0001 ü.jpg"]],
      ["alt_text", "The house, seen from the street"],
    ]);
    expect(answer.status).toBe(201);
    expect(answer.body.media.altText).toBe("The house, seen from the street");
    if (route.entityType === "post") {
      expect(answer.body.media).toMatchObject({ moderationStatus: "pending", isApproved: false });
    }
    await expectWhole(answer.body, route);
    expect((await server.files()).spooled).toEqual([]);
  });

  it("the general route reads its place from the form, also behind the file, and from the query", async () => {
    const place = { entityType: "property", field: "gallery", folder: "properties/photos/PROP-1", prefix: "photo" };
    const fields = [
      ["entity_type", "property"],
      ["entity_id", "PROP-1"],
      ["entity_field", "gallery"],
    ] as const;
    const file = ["file", [photo, "IMG 0001 ü.jpg"]] as const;
    const before = await server.post("/v1/media/upload", tokens.owner, [...fields, file]);
    const behind = await server.post("/v1/media/upload", tokens.owner, [
      file,
      ...fields,
      ["tags", "a, b,,a"],
      ["is_primary", "true"],
    ]);
    const camel = await server.post(
      "/v1/media/upload?entityType=property&entityId=PROP-1&entityField=gallery",
      tokens.owner,
      [file, ["altText", "x"], ["caption", "Long"], ["sort_order", "0"], ["isPublic", "false"]],
    );
    for (const answer of [before, behind, camel]) {
      expect(answer.status).toBe(201);
      await expectWhole({ ...answer.body, media: { ...answer.body.media, isPublic: true } }, place);
    }
    expect(behind.body.media).toMatchObject({ tags: ["a", "b"], isPrimary: true });
    expect(camel.body.media).toMatchObject({ altText: "x", caption: "Long", sortOrder: 0, isPublic: false });
    expect(before.body.duplicates).toContainEqual(expect.objectContaining({ tier: "exact", distance: 0 }));
  });

  it("the batch route stores each file for itself, in the order sent", async () => {
    await server.entity("property", "PROP-BATCH", { parentId: "BLD-PSALMSFINE-0420" });
    const names = ["one.jpg", "two.jpg", "three.jpg", "four.jpg", "five.jpg"];
    const parts = [
      ["entity_type", "property"],
      ["entity_id", "PROP-BATCH"],
      ["entity_field", "gallery"],
      ...names.map((name) => ["files", [photo, name]] as const),
      ["tags", "batch"],
    ] as const;
    const answer = await server.post<{
      uploaded: UploadResult["media"][];
      uploadedCount: number;
      failed: unknown[];
      failedCount: number;
    }>("/v1/media/batch/upload", tokens.owner, parts);
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ uploadedCount: 5, failed: [], failedCount: 0, message: expect.any(String) });
    expect(answer.body.uploaded.map((media) => media.originalFilename)).toEqual(names);
    expect(answer.body.uploaded.map((media) => media.sortOrder)).toEqual([0, 1, 2, 3, 4]);
    expect(answer.body.uploaded.every((media) => media.tags[0] === "batch")).toBe(true);
    const list = await server.call<{ items: { originalFilename: string }[] }>(
      "GET",
      "/v1/media/entity/property/PROP-BATCH",
    );
    expect(list.body.items.map((media) => media.originalFilename)).toEqual(names);
  });

  it("a batch with bad files answers 207 and says which, one with none good 400", async () => {
    const bad = [Buffer.from("<html></html>"), "page.jpg"] as const;
    const place = [
      ["entity_type", "property"],
      ["entity_id", "PROP-1"],
      ["entity_field", "gallery"],
    ] as const;
    const some = await server.post<{ failed: unknown[]; uploadedCount: number }>(
      "/v1/media/batch/upload",
      tokens.owner,
      [...place, ["files", [photo, "good.jpg"]], ["files", bad], ["files", [new Uint8Array(), "empty.jpg"]]],
    );
    expect(some.status).toBe(207);
    expect(some.body).toMatchObject({
      uploadedCount: 1,
      failedCount: 2,
      failed: [
        { index: 1, filename: "page.jpg", code: "UNSUPPORTED_TYPE", retryable: false, message: expect.any(String) },
        { index: 2, filename: "empty.jpg", code: "EMPTY_FILE", retryable: false },
      ],
    });
    const none = await server.post<{ failed: unknown[] }>("/v1/media/batch/upload", tokens.owner, [
      ...place,
      ["files", bad],
    ]);
    expect([none.status, none.body.failed.length]).toEqual([400, 1]);
    expect((await server.files()).spooled).toEqual([]);
  });

  it("a batch of more than twenty files is refused whole", async () => {
    const before = await server.files();
    const place = "?entity_type=property&entity_id=PROP-1&entity_field=gallery";
    const small = await quarters(60, 60).jpeg().toBuffer();
    const parts = Array.from({ length: 21 }, (_, i) => ["files", [small, `${i}.jpg`]] as const);
    const answer = await server.post(`/v1/media/batch/upload${place}`, tokens.owner, parts);
    expect([answer.status, (answer.body as unknown as { code: string }).code]).toEqual([400, "TOO_MANY_FILES"]);
    expect(await server.files()).toEqual(before);
  });

  it("a slot holds the newest item; the one before goes to the trash", async () => {
    const path = "/v1/media/users/USR-OWNER/cover";
    const first = await server.post(path, tokens.owner, [["file", [photo, "first.jpg"]]]);
    const second = await server.post(path, tokens.owner, [["file", [photo, "second.jpg"]]]);
    const list = await server.call<{ items: { id: number }[]; total: number }>(
      "GET",
      "/v1/media/entity/user/USR-OWNER?field=cover",
    );
    expect(list.body.items.map((media) => media.id)).toEqual([second.body.media.id]);
    expect((await server.call("GET", `/v1/media/${first.body.media.id}`)).status).toBe(404);
    expect((await fetch(first.body.media.originalUrl)).status).toBe(404);
  });

  it("no stored byte and no answer holds the position", async () => {
    const answer = await server.post("/v1/media/properties/PROP-1/photos", SERVICE_TOKEN, [
      ["file", [photo, "position.jpg"]],
    ]);
    // Among the names of members: an id may hold any three letters.
    expect(JSON.stringify(answer.body)).not.toMatch(/"[^"]*(?:gps|latitude)[^"]*":/i);
    const { default: exifr } = await import("exifr");
    for (const url of [answer.body.media.originalUrl, ...answer.body.media.variants.map((v) => v.url)]) {
      const bytes = Buffer.from(await (await fetch(url)).arrayBuffer());
      expect(await exifr.gps(bytes).catch(() => undefined)).toBeUndefined();
    }
    const original = Buffer.from(await (await fetch(answer.body.media.originalUrl)).arrayBuffer());
    expect(await exifr.parse(original)).toMatchObject({ Make: "Artitec", Model: "Phone 1" });
  });

  it.skipIf(noCorpus)("takes a 12-megapixel photograph of a real phone", async () => {
    const real = await readFile(corpusPath("formats/iphone11-12mp.jpg"));
    const answer = await server.post("/v1/media/properties/PROP-1/photos", tokens.grantee, [
      ["file", [real, "IMG_1.jpg"]],
    ]);
    expect([answer.status, answer.body.media.width, answer.body.media.height]).toEqual([201, 4032, 3024]);
    expect(answer.body.media.metadata).toMatchObject({ exif: { make: "Apple", model: "iPhone 11" } });
  });
});
