import { once } from "node:events";
import { request } from "node:http";
import { deflateSync, gzipSync } from "node:zlib";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ascii, exifBlock } from "../support/exif-block.js";
import {
  flatJpegOfScans,
  gif,
  jpegHeader,
  pngHeader,
  tiff,
  webpHeader,
  withChunk,
  withSegment,
} from "../support/hostile-pictures.js";
import { quarters } from "../support/pictures.js";
import { startTestServer, type TestServer, type UploadResult } from "../support/server.js";

let server: TestServer;
let token: string;
let jpeg: Buffer;
let png: Buffer;

beforeAll(async () => {
  server = await startTestServer();
  token = await server.user("USR-1");
  await server.entity("builder", "BLD-1", { ownerId: "USR-1" });
  jpeg = await quarters(320, 240).jpeg({ quality: 90 }).toBuffer();
  png = await quarters(320, 240).png().toBuffer();
});
afterAll(() => server.stop());

const post = (bytes: Uint8Array, name = "photo.jpg") =>
  server.post<UploadResult & { code: string }>("/v1/media/builders/BLD-1/portfolio", token, [["file", [bytes, name]]]);

async function expectRefused(bytes: Uint8Array, code: RegExp, name?: string): Promise<void> {
  const before = await server.files();
  const answer = await post(bytes, name);
  expect([answer.status, answer.body.code]).toEqual([400, expect.stringMatching(code)]);
  expect(await server.files()).toEqual(before);
  expect((await post(jpeg)).status).toBe(201);
}

async function expectStored(bytes: Uint8Array, name?: string): Promise<UploadResult["media"]> {
  const { status, body } = await post(bytes, name);
  expect(status, JSON.stringify(body)).toBe(201);
  expect((await server.files()).spooled).toEqual([]);
  return body.media;
}

async function fetchBytes(url: string | null): Promise<{ headers: Headers; bytes: Buffer }> {
  const response = await fetch(url ?? "");
  return { headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) };
}

const SIZES = [
  [65_535, 65_535],
  [30_000, 30_000],
  [16_384, 16_384],
] as const;
const TOO_LARGE = /^(BAD_DIMENSIONS|TOO_MANY_PIXELS|CORRUPT_FILE)$/;

describe("a header that promises more pixels than there may be", () => {
  describe.each(SIZES)("%d x %d", (width, height) => {
    it("as PNG", () => expectRefused(pngHeader(width, height), /^(BAD_DIMENSIONS|TOO_MANY_PIXELS)$/));
    it("as JPEG", () => expectRefused(jpegHeader(width, height), TOO_LARGE));
    it("as GIF", () => expectRefused(gif(width, height, 1), TOO_LARGE));
    it("as animated GIF", () => expectRefused(gif(width, height, 100), TOO_LARGE));
    it("as TIFF", () => expectRefused(tiff(width, height, Buffer.alloc(100)), TOO_LARGE));
  });
  it("as WebP, whose largest side is 16384", () => expectRefused(webpHeader(16_384, 16_384), TOO_LARGE));
  it("as TIFF of gigapixels", () => expectRefused(tiff(200_000, 200_000, Buffer.alloc(100)), TOO_LARGE));
});

describe("a file that is expensive to read", () => {
  it("GIF of 5000 frames stays one small animation, or is refused", async () => {
    const answer = await post(gif(64, 64, 5000), "many.gif");
    expect([201, 400]).toContain(answer.status);
    if (answer.status === 201) expect([answer.body.media.width, answer.body.media.height]).toEqual([64, 64]);
  });

  it("GIF of 5000 frames whose pixels together are too many", () =>
    expectRefused(gif(400, 400, 5000), /^(TOO_MANY_PIXELS|CORRUPT_FILE)$/));

  it("JPEG of 1500 scans over 100 megapixels", () => expectRefused(flatJpegOfScans(9_992, 1500), /^CORRUPT_FILE$/));

  const zeros = deflateSync(Buffer.alloc(50 * 1024 * 1024));
  it.each([
    ["zTXt", Buffer.from("Comment\0\0", "latin1")],
    ["iTXt", Buffer.from("XML:com.adobe.xmp\0\x01\0\0\0", "latin1")],
    ["iCCP", Buffer.from("profile\0\0", "latin1")],
  ])("PNG with a %s of 50 MB in 50 kB is read or refused, and the next one works", async (type, head) => {
    const answer = await post(withChunk(png, type, Buffer.concat([head, zeros])));
    expect([201, 400]).toContain(answer.status);
    expect((await post(png)).status).toBe(201);
  });

  it("PNG that claims two thousand million frames is the still picture it is", async () => {
    const claim = Buffer.alloc(8);
    claim.writeUInt32BE(2_147_483_647);
    const { width, height } = await expectStored(withChunk(png, "acTL", claim));
    expect([width, height]).toEqual([320, 240]);
  });

  it("TIFF whose directories go round in a circle", async () => {
    const answer = await post(tiff(100, 100, Buffer.alloc(10_000, 128), 8), "loop.tiff");
    expect([201, 400]).toContain(answer.status);
    expect((await post(jpeg)).status).toBe(201);
  });
});

describe("EXIF that means harm", () => {
  const withExif = (block: Buffer): Buffer =>
    withSegment(jpeg, 0xe1, Buffer.concat([Buffer.from("Exif\0\0", "latin1"), block]));

  it("NUL, line breaks and escape codes are gone from what is stored and answered", async () => {
    const text = "Can\0on\r\nSet-Cookie: injected=1\x1b[31m\x07";
    const media = await expectStored(withExif(exifBlock({ main: [ascii(0x010f, text), ascii(0x0110, text)] })));
    const { metadata } = (await server.call("GET", `/v1/media/${media.id}`)).body;
    expect(JSON.stringify(metadata)).not.toMatch(/\\u00[01]|\\[rn]/);
    const { headers } = await fetchBytes(media.originalUrl);
    expect([...headers].flat().join()).not.toMatch(/injected/);
  });

  it("markup is answered as text and is in no variant", async () => {
    const markup = "<script>alert('MARK-77')</script>";
    const media = await expectStored(withExif(exifBlock({ main: [ascii(0x013b, markup)] })));
    expect((media.metadata.exif as Record<string, string>).artist).toBe(markup);
    for (const { url } of media.variants) expect((await fetchBytes(url)).bytes.includes("MARK-77")).toBe(false);
  });

  it("a directory of 65,000 entries", async () => {
    const block = exifBlock({ main: [ascii(0x010f, "Canon")] });
    block.writeUInt16LE(65_000, 8);
    expect(await expectStored(withExif(block))).toMatchObject({ width: 320, height: 240 });
  });

  it.each([
    ["itself", 8],
    ["outside the block", 0x7fffffff],
  ])("a directory whose next one is %s", async (_where, target) => {
    const block = exifBlock({ main: [ascii(0x010f, "Canon")] });
    const entries = block.readUInt16LE(8);
    block.writeUInt32LE(target, 10 + entries * 12);
    for (let entry = 0; entry < entries; entry++) {
      const at = 10 + entry * 12;
      if (block.readUInt16LE(at) === 0x8769) block.writeUInt32LE(target, at + 8);
    }
    expect(await expectStored(withExif(block))).toMatchObject({ width: 320, height: 240 });
  });
});

describe("what is no picture, whatever it is called", () => {
  const SVG = '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';
  it.each<[string, () => Uint8Array, RegExp]>([
    ["nothing", () => Buffer.alloc(0), /^EMPTY_FILE$/],
    ["SVG", () => Buffer.from(SVG), /^UNSUPPORTED_TYPE$/],
    ["SVG in UTF-16", () => Buffer.from(`\ufeff${SVG}`, "utf16le"), /^UNSUPPORTED_TYPE$/],
    ["SVG in UTF-16 without a mark", () => Buffer.from(SVG, "utf16le"), /^UNSUPPORTED_TYPE$/],
    ["SVG behind white space and comments", () => Buffer.from(`\n <!-- -->${SVG}`), /^UNSUPPORTED_TYPE$/],
    ["gzip", () => gzipSync(SVG), /^UNSUPPORTED_TYPE$/],
    ["zip", () => Buffer.from("PK\x03\x04 and more of it"), /^UNSUPPORTED_TYPE$/],
    ["PDF", () => Buffer.from("%PDF-1.7\n%%EOF"), /^UNSUPPORTED_TYPE$/],
    ["HTML", () => Buffer.from("<!DOCTYPE html><script>alert(1)</script>"), /^UNSUPPORTED_TYPE$/],
    ["a Windows program", () => Buffer.from("MZ\x90\0\x03"), /^UNSUPPORTED_TYPE$/],
    ["a script", () => Buffer.from("#!/bin/sh\nexit\n"), /^UNSUPPORTED_TYPE$/],
    ["noise", () => Buffer.from(Array.from({ length: 500 }, (_, at) => (at * 197 + 11) % 256)), /^UNSUPPORTED_TYPE$/],
    ["the first bytes of a JPEG", () => Buffer.from([0xff, 0xd8, 0xff]), /^CORRUPT_FILE$/],
    ["the first bytes of a PNG", () => Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), /^(CORRUPT_FILE|UNSUPPORTED_TYPE)$/],
    ["the first bytes of a GIF", () => Buffer.from("GIF89a"), /^CORRUPT_FILE$/],
    ["the first bytes of a JPEG, then HTML", () => Buffer.from("\xff\xd8\xff<html>", "latin1"), /^CORRUPT_FILE$/],
    ["half a JPEG", () => jpeg.subarray(0, jpeg.length / 2), /^CORRUPT_FILE$/],
    ["half a PNG", () => png.subarray(0, png.length / 2), /^CORRUPT_FILE$/],
  ])("%s is refused and leaves nothing", (_what, bytes, code) => expectRefused(bytes(), code));
});

describe("a picture that is something else as well", () => {
  it.each<[string, () => Buffer | Promise<Buffer>, string]>([
    ["JPEG and HTML", () => withSegment(jpeg, 0xfe, Buffer.from("<script>MARK-88</script>")), "image/jpeg"],
    ["JPEG and PHP behind it", () => Buffer.concat([jpeg, Buffer.from("<?php MARK-88 ?>")]), "image/jpeg"],
    ["PNG and HTML behind it", () => Buffer.concat([png, Buffer.from("<script>MARK-88</script>")]), "image/png"],
    [
      "GIF and JavaScript",
      async () => Buffer.concat([await sharp(png).gif().toBuffer(), Buffer.from("*/=1;alert('MARK-88')//")]),
      "image/gif",
    ],
  ])("%s is served as the picture alone", async (_what, make, contentType) => {
    const media = await expectStored(await make(), "page.html");
    expect(media.contentType).toBe(contentType);
    expect(media.originalUrl).not.toMatch(/html/);
    const { headers } = await fetchBytes(media.originalUrl);
    expect(headers.get("content-type")).toBe(contentType);
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("content-security-policy")).toMatch(/default-src 'none'.*sandbox/);
    for (const { url } of media.variants) expect((await fetchBytes(url)).bytes.includes("MARK-88")).toBe(false);
  });
});

describe("a file name", () => {
  /** A body whose part header is written byte for byte. */
  async function postRaw(
    disposition: string | Buffer,
  ): Promise<{ status: number; body: UploadResult & { code: string } }> {
    const body = Buffer.concat([
      Buffer.from("--x\r\nContent-Disposition: form-data; "),
      Buffer.from(disposition),
      Buffer.from("\r\n\r\n"),
      jpeg,
      Buffer.from("\r\n--x--\r\n"),
    ]);
    const headers = { authorization: `Bearer ${token}`, "content-type": "multipart/form-data; boundary=x" };
    const sent = request(`${server.baseUrl}/v1/media/builders/BLD-1/portfolio`, { method: "POST", headers });
    sent.end(body);
    const [response] = await once(sent, "response");
    return { status: response.statusCode, body: JSON.parse(Buffer.concat(await response.toArray()).toString()) };
  }

  it.each([
    ["plain", "photo.jpg"],
    ["Chinese, Japanese and Korean", "照片 写真 사진.jpg"],
    ["turned by an override mark", "photo\u202egpj.exe"],
    ["with an emoji", "🏡 home 👩‍👩‍👧.jpg"],
    ["in decomposed letters", "cafe\u0301.jpg"],
    ["with markup", "<img src=x onerror=alert(1)>.jpg"],
    ["with SQL", "a'; DROP TABLE media;--.jpg"],
    ["with separators of headers", "a;b=c, d.jpg"],
    ["with percent codes", "100%25 %2e%2e%2f.jpg"],
    ["with spaces around", "  spaced  .jpg "],
    ["with control characters", "bell\x07tab\tescape\x1b[31m.jpg"],
    ["hidden", ".htaccess"],
    ["of 255 characters", `${"x".repeat(251)}.jpg`],
  ])("%s comes back as it was sent and is no part of the key", async (_what, name) => {
    const { status, body } = await postRaw(`name="file"; filename="${name}"`);
    expect(status, JSON.stringify(body)).toBe(201);
    expect(body.media.originalFilename).toBe(name);
    expect(body.media.filename).toMatch(/^gallery-\d{14}-[\w-]+\.jpg$/);
    const stored = await server.call<{ originalFilename: string }>("GET", `/v1/media/${body.media.id}`);
    expect(stored.body.originalFilename).toBe(name);
  });

  it.each([
    ["quotes as curl escapes them", 'name="file"; filename="say \\"cheese\\".jpg"', 'say "cheese".jpg'],
    ["quotes as browsers escape them", 'name="file"; filename="say %22cheese%22.jpg"', "say %22cheese%22.jpg"],
    ["RFC 5987", "name=\"file\"; filename*=UTF-8''na%C3%AFve%20%E2%98%83.jpg", "naïve ☃.jpg"],
    ["no quotes", "name=file; filename=photo.jpg", "photo.jpg"],
    ["a Windows path", 'name="file"; filename="C:\\Users\\me\\photo.jpg"', "photo.jpg"],
    ["a way out of the folder", 'name="file"; filename="../../../etc/passwd"', "passwd"],
    ["a way out and nothing else", 'name="file"; filename="../.."', "file"],
    ["an absolute path", 'name="file"; filename="/etc/cron.d/job"', "job"],
    ["nothing", 'name="file"; filename=""', "file"],
  ])("sent as %s", async (_how, disposition, name) => {
    const { status, body } = await postRaw(disposition);
    expect([status, body.media?.originalFilename]).toEqual([201, name]);
    expect((await server.files()).stored.every((key) => key.startsWith("builders/photos/BLD-1/"))).toBe(true);
  });

  it("of 300 characters is refused", async () => {
    const { status, body } = await postRaw(`name="file"; filename="${"x".repeat(296)}.jpg"`);
    expect([status, body.code]).toEqual([400, "VALIDATION"]);
  });

  it("of 10,000 characters is refused", async () => {
    const { status, body } = await postRaw(`name="file"; filename="${"x".repeat(10_000)}"`);
    expect([status, body.code]).toEqual([400, "VALIDATION"]);
  });

  it("with a NUL in it is refused: SQLite's driver would give back its beginning alone", async () => {
    const { status, body } = await postRaw('name="file"; filename="photo.jpg\0.exe"');
    expect([status, body.code]).toEqual([400, "VALIDATION"]);
  });

  it.each([
    ["a line break in it", 'name="file"; filename="a\rb.jpg"'],
    ["a line break as RFC 5987 would carry it", "name=\"file\"; filename*=UTF-8''a%0D%0Ab.jpg"],
    ["no name of the part beside it", 'filename="a.jpg"'],
  ])("with %s makes the form unreadable", async (_what, disposition) => {
    const before = await server.files();
    const { status, body } = await postRaw(disposition);
    expect([status, body.code]).toEqual([400, "MALFORMED_MULTIPART"]);
    expect(await server.files()).toEqual(before);
  });
});

describe("a text with a NUL in it", () => {
  it.each(["alt_text", "caption", "tags"])("is refused as %s of an upload", async (field) => {
    const parts = [["file", [jpeg, "a.jpg"]] as const, [field, "before\0behind"] as const];
    const { status, body } = await server.post<{ code: string }>("/v1/media/builders/BLD-1/portfolio", token, parts);
    expect([status, body.code]).toEqual([400, "VALIDATION"]);
  });

  it.each([{ altText: "a\0b" }, { caption: "a\0b" }, { tags: ["a\0b"] }])(
    "is refused as a change: %j",
    async (body) => {
      const { id } = await expectStored(jpeg);
      const answer = await server.call("PATCH", `/v1/media/${id}`, { token, body });
      expect([answer.status, answer.body.code]).toEqual([400, "VALIDATION"]);
    },
  );
});

describe("a field whose header is damaged", () => {
  it("is not passed over: a picture meant to be private would be public", async () => {
    const body = Buffer.concat([
      Buffer.from('--x\r\nContent-\r\nDisposition: form-data; name="is_public"\r\n\r\nfalse\r\n'),
      Buffer.from('--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'),
      jpeg,
      Buffer.from("\r\n--x--\r\n"),
    ]);
    const before = await server.files();
    const headers = { authorization: `Bearer ${token}`, "content-type": "multipart/form-data; boundary=x" };
    const url = `${server.baseUrl}/v1/media/builders/BLD-1/portfolio`;
    const answer = await fetch(url, { method: "POST", headers, body: new Uint8Array(body) });
    expect([answer.status, (await answer.json()).code]).toEqual([400, "MALFORMED_MULTIPART"]);
    expect(await server.files()).toEqual(before);
  });
});
