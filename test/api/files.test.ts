import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { scenery } from "../support/pictures.js";
import { startTestServer, type TestServer, type UploadResult } from "../support/server.js";

describe("files", () => {
  let server: TestServer;
  let token: string;
  let shown: UploadResult["media"];
  let hidden: UploadResult["media"];

  beforeAll(async () => {
    server = await startTestServer();
    token = await server.user("USR-1");
    await server.entity("builder", "BLD-1", { ownerId: "USR-1" });
    const picture = await scenery(900, 600).jpeg().toBuffer();
    const upload = async (isPublic: string) =>
      (
        await server.post("/v1/media/builders/BLD-1/portfolio", token, [
          ["file", [picture, "a.jpg"]],
          ["is_public", isPublic],
        ])
      ).body.media;
    shown = await upload("true");
    hidden = await upload("false");
  });
  afterAll(() => server.stop());

  /** Read to its end: what nobody reads keeps its connection. */
  async function ask(url: string, init: RequestInit = {}) {
    const response = await fetch(url, init);
    const { status, headers } = response;
    return { status, headers, bytes: Buffer.from(await response.arrayBuffer()) };
  }

  it("come with their type, for ever cacheable, and cannot run in a browser", async () => {
    const { status, headers } = await ask(shown.originalUrl);
    expect(status).toBe(200);
    expect(Object.fromEntries(headers)).toMatchObject({
      "content-type": "image/jpeg",
      "cache-control": "public, max-age=31536000, immutable",
      "x-content-type-options": "nosniff",
      "content-security-policy": expect.stringContaining("sandbox"),
      "content-length": String(shown.fileSize),
      "accept-ranges": "bytes",
      etag: expect.stringMatching(/^"[^"]+"$/),
    });
  });

  it("have a tag each, which answers 304 when it is known", async () => {
    const tags = await Promise.all(
      [shown.originalUrl, ...shown.variants.map((v) => v.url)].map(
        async (url) => (await ask(url)).headers.get("etag") as string,
      ),
    );
    expect(new Set(tags).size).toBe(tags.length);
    const [tag] = tags;
    for (const known of [tag, `W/${tag}`, `"other", ${tag}`, "*"]) {
      const response = await ask(shown.originalUrl, { headers: { "if-none-match": known as string } });
      expect([response.status, response.bytes.length]).toEqual([304, 0]);
    }
    expect((await ask(shown.originalUrl, { headers: { "if-none-match": '"other"' } })).status).toBe(200);
  });

  const range = async (value: string, more: Record<string, string> = {}) => {
    const response = await ask(shown.originalUrl, { headers: { range: value, ...more } });
    return {
      status: response.status,
      part: response.headers.get("content-range"),
      bytes: response.bytes,
    };
  };

  it("come in ranges", async () => {
    const whole = (await ask(shown.originalUrl)).bytes;
    const size = whole.length;
    expect(await range("bytes=0-99")).toEqual({
      status: 206,
      part: `bytes 0-99/${size}`,
      bytes: whole.subarray(0, 100),
    });
    expect(await range("bytes=100-")).toEqual({
      status: 206,
      part: `bytes 100-${size - 1}/${size}`,
      bytes: whole.subarray(100),
    });
    expect(await range("bytes=-50")).toEqual({
      status: 206,
      part: `bytes ${size - 50}-${size - 1}/${size}`,
      bytes: whole.subarray(-50),
    });
    expect(await range(`bytes=5-${size * 9}`)).toMatchObject({ status: 206, part: `bytes 5-${size - 1}/${size}` });
    expect(await range(`bytes=${size}-`)).toMatchObject({
      status: 416,
      part: `bytes */${size}`,
      bytes: Buffer.alloc(0),
    });
    for (const ignored of ["bytes=9-2", "items=0-1", "bytes=0-1,5-6", "bytes=", "bytes=-"])
      expect(await range(ignored)).toMatchObject({ status: 200, part: null, bytes: whole });
  });

  it("give the whole where the range was meant for other bytes", async () => {
    const etag = (await ask(shown.originalUrl)).headers.get("etag") as string;
    expect((await range("bytes=0-9", { "if-range": etag })).status).toBe(206);
    expect((await range("bytes=0-9", { "if-range": '"other"' })).status).toBe(200);
  });

  it("answer HEAD with everything but the bytes", async () => {
    const response = await ask(shown.largeUrl ?? shown.originalUrl, { method: "HEAD" });
    expect(response.status).toBe(200);
    expect(Number(response.headers.get("content-length"))).toBeGreaterThan(1000);
    expect(response.bytes.length).toBe(0);
  });

  it("that are private answer only to their own signature, and are not kept", async () => {
    for (const url of [hidden.originalUrl, ...hidden.variants.map((v) => v.url)]) {
      const response = await ask(url);
      expect([response.status, response.headers.get("cache-control")]).toEqual([200, "private, no-store"]);
      const bare = url.slice(0, url.indexOf("?"));
      expect((await ask(bare)).status).toBe(404);
      expect((await ask(bare, { headers: { authorization: `Bearer ${token}` } })).status).toBe(404);
    }
    const [a, b] = hidden.variants.map((v) => new URL(v.url));
    expect((await ask(`${a?.origin}${a?.pathname}${b?.search}`)).status).toBe(404);
    const forged = hidden.originalUrl.replace(/signature=(.)/, (_, c) => `signature=${c === "A" ? "B" : "A"}`);
    expect((await ask(forged)).status).toBe(404);
    const later = hidden.originalUrl.replace(/expires=(\d+)/, (_, at) => `expires=${Number(at) + 60}`);
    expect((await ask(later)).status).toBe(404);
  });

  it.each([
    "/files/",
    "/files/nothing",
    "/files/../../etc/passwd",
    "/files/..%2f..%2fmedia.db",
    "/files/%2e%2e/media.db",
    "/files/%00",
    "/files/%E0%A4%A",
    "/files/..%5c..%5cmedia.db",
    "/files/.tmp/x",
    "/files//etc/passwd",
    "/files/secrets/service-token",
  ])("that do not exist are 404: %s", async (path) => {
    const response = await ask(`${server.baseUrl}${path}`);
    expect(response.status).toBe(404);
    expect(response.bytes.toString()).not.toContain(server.folder);
  });

  it("whose bytes were cut in the store are a failure, never a body that stands still", async () => {
    const key = decodeURIComponent(new URL(shown.smallUrl as string).pathname.slice("/files/".length));
    const bytes = await server.objects.read(key);
    await server.objects.write(key, bytes.subarray(0, bytes.length - 5));
    const answer = await ask(shown.smallUrl as string);
    expect([answer.status, JSON.parse(answer.bytes.toString())]).toEqual([
      500,
      expect.objectContaining({ code: "INTERNAL" }),
    ]);
    await server.objects.write(key, bytes);
    expect((await ask(shown.smallUrl as string)).bytes.equals(bytes)).toBe(true);
  });

  it("whose bytes are gone are 404, and the server goes on", async () => {
    const key = decodeURIComponent(new URL(shown.thumbnailUrl as string).pathname.slice("/files/".length));
    await server.objects.remove(key);
    const gone = await ask(shown.thumbnailUrl as string);
    const { headers } = gone;
    expect([gone.status, headers.get("content-type"), headers.get("etag"), headers.get("cache-control")]).toEqual([
      404,
      "application/problem+json",
      null,
      "no-store",
    ]);
    // Read to its end: the length is the failure's own.
    expect(JSON.parse(gone.bytes.toString())).toMatchObject({ code: "MEDIA_NOT_FOUND" });
    expect((await ask(shown.originalUrl)).status).toBe(200);
  });
});
