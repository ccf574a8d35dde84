import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withChunk, withSegment } from "../support/hostile-pictures.js";
import {
  gifOfComments,
  gifOfDots,
  gifOfManyComments,
  heifSaying,
  jpegOfSegments,
  tiffOfStrips,
  tiffOfTiles,
  webpOfMoments,
  withRiffChunk,
} from "../support/picture-bombs.js";
import { animation, CORNERS, quarters } from "../support/pictures.js";
import { startTestServer, type TestServer, type UploadResult } from "../support/server.js";

const MIB = 1024 ** 2;
const FLOOD = Buffer.alloc(4 * MIB, "<a exif:GPSLatitude='5");

let server: TestServer;
let token: string;
let jpeg: Buffer;
let png: Buffer;
let webp: Buffer;
let gif: Buffer;
let heic: Buffer;

beforeAll(async () => {
  // No picture here is large: one that fills more than this is refused for it, which no test expects.
  server = await startTestServer({ PIXEL_PROCESS_MAX_BYTES: String(400 * MIB) });
  token = await server.user("USR-1");
  await server.entity("builder", "BLD-1", { ownerId: "USR-1" });
  const picture = quarters(320, 240);
  [jpeg, png, webp, gif] = await Promise.all([
    picture.clone().jpeg().toBuffer(),
    picture.clone().png().toBuffer(),
    picture.clone().webp().toBuffer(),
    picture.clone().gif().toBuffer(),
  ]);
  heic = await readFile(fileURLToPath(new URL("../fixtures/heic/plain.heic", import.meta.url)));
});
afterAll(() => server.stop());

const post = (bytes: Uint8Array, name: string) =>
  server.post<UploadResult & { code: string; detail: string }>("/v1/media/builders/BLD-1/portfolio", token, [
    ["file", [bytes, name]],
  ]);

async function expectStored(bytes: Uint8Array, name = "photo.jpg"): Promise<UploadResult["media"]> {
  const { status, body } = await post(bytes, name);
  expect(status, JSON.stringify(body)).toBe(201);
  expect((await server.files()).spooled).toEqual([]);
  return body.media;
}

/** Refused for what it is, not for the memory it took; nothing of it is left. */
async function expectRefused(bytes: Uint8Array, code: string): Promise<void> {
  const before = await server.files();
  const { status, body } = await post(bytes, "photo.jpg");
  expect([status, body.code, body.detail]).toEqual([400, code, expect.not.stringMatching(/memory/)]);
  expect(await server.files()).toEqual(before);
  expect((await fetch(`${server.baseUrl}/healthz`)).status).toBe(200);
}

/** Behind the screen and its palette, before the first block. */
const gifStart = (): number => 13 + 3 * 2 ** (((gif[10] ?? 0) & 7) + 1);

function withTexts(count: number): Buffer {
  const text = withChunk(png, "tEXt", Buffer.from("Comment\0text")).subarray(33, 33 + 24);
  return Buffer.concat([png.subarray(0, 33), ...Array<Buffer>(count).fill(text), png.subarray(33)]);
}

describe("a picture flooded with metadata is the picture it is", () => {
  it.each<[string, () => Buffer]>([
    ["70,000 EXIF segments in a JPEG", () => jpegOfSegments(jpeg, 0xe1, "Exif\0\0II*\0\x08\0\0\0", 58)],
    [
      "JPEG segments full of XMP",
      () => jpegOfSegments(jpeg, 0xe1, `http://ns.adobe.com/xap/1.0/\0<a exif:GPSLatitude="5`),
    ],
    ["JPEG segments of further XMP", () => jpegOfSegments(jpeg, 0xe1, "http://ns.adobe.com/xmp/extension/\0")],
    ["JPEG segments of one colour profile", () => jpegOfSegments(jpeg, 0xe2, "ICC_PROFILE\0\x01\xff")],
    ["JPEG segments of Photoshop's", () => jpegOfSegments(jpeg, 0xed, "Photoshop 3.0\x008BIM")],
    ["JPEG comments", () => jpegOfSegments(jpeg, 0xfe, "x")],
    ["EXIF of 4 MiB in a PNG", () => withChunk(png, "eXIf", Buffer.concat([Buffer.from("II*\0\x08\0\0\0"), FLOOD]))],
    [
      "XMP of 4 MiB in a PNG",
      () => withChunk(png, "iTXt", Buffer.concat([Buffer.from("XML:com.adobe.xmp\0\0\0\0\0"), FLOOD])),
    ],
    ["20,000 texts in a PNG", () => withTexts(20_000)],
    ["XMP of 4 MiB in a WebP", () => withRiffChunk(webp, "XMP ", FLOOD)],
    ["EXIF of 4 MiB in a WebP", () => withRiffChunk(webp, "EXIF", FLOOD)],
    ["a comment of 4 MiB in a GIF", () => gifOfComments(gif, gifStart())],
    ["200,000 comments in a GIF", () => gifOfManyComments(gif, gifStart(), 200_000)],
  ])("%s", async (_what, make) => {
    expect(await expectStored(make())).toMatchObject({ width: 320, height: 240 });
  });
});

describe("a file whose parts hold far more than the picture", () => {
  it.each<[string, () => Buffer]>([
    ["TIFF whose tiles inflate to 50 MB each", () => tiffOfTiles(320, 16, 50e6)],
    ["TIFF whose strip inflates to 50 MB", () => tiffOfStrips(320, 320, 50e6)],
    ["TIFF whose strip is said to have 2,147,483,647 rows", () => tiffOfStrips(320, 0x7fffffff, 320 * 320)],
  ])("%s is read as far as its picture goes", async (_what, make) => {
    expect(await expectStored(make())).toMatchObject({ width: 320, height: 320, contentType: "image/tiff" });
  });

  it.each([65_536, 1_048_576])("TIFF with tiles of %d pixels a side", (side) =>
    expectRefused(tiffOfTiles(320, side, 1e6), "CORRUPT_FILE"),
  );

  it.each<[string, () => Buffer | Promise<Buffer>]>([
    ["HEIC that says 10,000 x 10,000", () => heifSaying(heic, 10_000, 10_000)],
    ["HEIC that says it is smaller", () => heifSaying(heic, 50, 50)],
    ["HEIC that says one column more", () => heifSaying(heic, 321, 240)],
    [
      "AVIF that says 10,000 x 10,000",
      async () => heifSaying(await quarters(320, 240).avif({ effort: 0 }).toBuffer(), 10_000, 10_000),
    ],
  ])("%s and has other pixels", async (_what, make) => expectRefused(await make(), "CORRUPT_FILE"));
});

describe("an animation of very many frames", () => {
  it("of one pixel each is stored while all of them are few pixels", async () => {
    expect(await expectStored(gifOfDots(60, 60, 10_000))).toMatchObject({ width: 60, height: 60 });
  });

  it("of one pixel each is refused for the pixels it is shown as", () =>
    expectRefused(gifOfDots(50, 50, 100_000), "TOO_MANY_PIXELS"));

  it("that are shown for no time is stored", async () => {
    const two = await animation("webp", { width: 64, height: 64 }, Object.values(CORNERS).slice(0, 2));
    expect(await expectStored(webpOfMoments(await two.toBuffer(), 500))).toMatchObject({ width: 64, height: 64 });
  });
});

describe("a picture under another name or with something else in it", () => {
  const zip = Buffer.from("PK\x05\x06".padEnd(22, "\0"), "latin1");
  it.each<[string, string, () => Buffer, string, string]>([
    ["PNG", "photo.jpg", () => png, "image/png", ".png"],
    ["JPEG", "clip.mp4", () => jpeg, "image/jpeg", ".jpg"],
    ["JPEG and ZIP", "a.zip", () => Buffer.concat([jpeg, zip]), "image/jpeg", ".jpg"],
    ["PNG and PHP", "a.php", () => withChunk(png, "tEXt", Buffer.from("a\0<?php MARK ?>")), "image/png", ".png"],
    ["JPEG and a script", "a.js", () => withSegment(jpeg, 0xfe, Buffer.from("*/MARK()/*")), "image/jpeg", ".jpg"],
    [
      "GIF and a page",
      "a.html",
      () => Buffer.concat([gif, Buffer.from("<script>MARK()</script>")]),
      "image/gif",
      ".gif",
    ],
  ])("%s called %s is what its bytes are", async (_what, name, make, contentType, extension) => {
    const media = await expectStored(make(), name);
    expect(media).toMatchObject({ contentType, originalFilename: name });
    expect(media.filename.endsWith(extension)).toBe(true);
    const { headers } = await fetch(media.originalUrl, { method: "HEAD" });
    expect([headers.get("content-type"), headers.get("x-content-type-options")]).toEqual([contentType, "nosniff"]);
    expect(headers.get("content-security-policy")).toMatch(/sandbox/);
  });

  it("MP4 called a picture is refused", async () => {
    const mp4 = Buffer.from("\0\0\0\x18ftypisom\0\0\x02\0isommp41\0\0\0\x08mdat", "latin1");
    await expectRefused(mp4, "UNSUPPORTED_TYPE");
  });
});
