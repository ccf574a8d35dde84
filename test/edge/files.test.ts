import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createUrlSigner } from "../../src/security/url-signer.js";
import { knownAtEdge } from "../support/edge-front.js";
import { scenery } from "../support/pictures.js";
import { startTestServer, type TestServer, type UploadResult } from "../support/server.js";
import { startWorkerd, type WorkerdServer } from "../support/workerd-server.js";

describe("files of the worker", () => {
  let server: TestServer;
  let knowing: WorkerdServer;
  let alone: WorkerdServer;
  let picture: Buffer;
  let shown: UploadResult["media"];
  let hidden: UploadResult["media"];
  let secret: string;

  beforeAll(async () => {
    server = await startTestServer({}, { database: "mariadb", store: "s3" });
    secret = server.settings.SIGNING_SECRET ?? "";
    const env = knownAtEdge(server.settings);
    const cdn = { CDN_URL: "https://cdn.example.org" };
    [knowing, alone] = await Promise.all([
      startWorkerd({ env: { ...env, UPLOAD_URL: server.baseUrl } }),
      startWorkerd({ env: { ...env, ...cdn } }),
    ]);
    const token = await server.user("USR-1");
    await server.entity("builder", "BLD-1", { ownerId: "USR-1" });
    picture = await scenery(200, 150).jpeg({ quality: 95 }).toBuffer();
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
  afterAll(async () => {
    await Promise.all([knowing.stop(), alone.stop()]);
    await server.stop();
  });

  /** The server's address of a file, at the worker. */
  const at = (worker: WorkerdServer, url: string) => url.replace(server.baseUrl, worker.baseUrl);
  const ask = (url: string, init: RequestInit = {}) => fetch(url, { ...init, redirect: "manual" });
  const locationOf = (answer: Response) => new URL(answer.headers.get("location") ?? "");
  const keyOf = (url: string) => decodeURIComponent(new URL(url).pathname.slice("/files/".length));

  it("come from the bucket, for ever cacheable, by an address that may be kept for a while", async () => {
    const url = at(knowing, shown.originalUrl);
    const answer = await ask(url);
    expect(answer.status).toBe(302);
    expect(answer.headers.get("cache-control")).toBe("public, max-age=300");
    expect(locationOf(answer).searchParams.get("X-Amz-Expires")).toBe("900");
    const file = await fetch(url);
    expect(Buffer.from(await file.arrayBuffer()).equals(picture)).toBe(true);
    expect(file.headers.get("content-type")).toBe("image/jpeg");
    expect(file.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
  });

  it("answer HEAD and ranges through the same address", async () => {
    const url = at(knowing, shown.originalUrl);
    const head = await fetch(url, { method: "HEAD" });
    expect([head.status, head.headers.get("content-length")]).toEqual([200, String(picture.length)]);
    const part = await fetch(url, { headers: { range: "bytes=0-9" } });
    expect([part.status, (await part.arrayBuffer()).byteLength]).toEqual([206, 10]);
  });

  it("are not sent again to whoever has them from a server", async () => {
    const etag = (await fetch(shown.originalUrl)).headers.get("etag") ?? "";
    const url = at(knowing, shown.originalUrl);
    expect((await ask(url, { headers: { "if-none-match": etag } })).status).toBe(304);
    expect((await ask(url, { headers: { "if-none-match": '"another"' } })).status).toBe(302);
  });

  it("come from the CDN where there is one and everybody may see them", async () => {
    const key = keyOf(shown.originalUrl);
    const address = `${alone.baseUrl}/files/${key}`;
    expect(locationOf(await ask(address)).href).toBe(`https://cdn.example.org/${key}`);
    expect(locationOf(await ask(at(alone, hidden.originalUrl))).origin).not.toBe("https://cdn.example.org");
  });

  it("in a better type, or by size, are in the bucket once a server made them", async () => {
    const headers = { accept: "image/avif,image/webp,*/*" };
    const small = at(knowing, shown.variants[0]?.url ?? shown.originalUrl);
    const size = `${server.baseUrl}/v1/media/public/${shown.publicId}/image?w=160`;
    const [before, beforeSize] = [await ask(small, { headers }), await ask(at(knowing, size), { headers })];
    expect([locationOf(before).pathname, before.headers.get("cache-control")]).toEqual([
      expect.stringMatching(/\.jpg$/),
      "public, max-age=60",
    ]);
    expect(locationOf(beforeSize).href).toBe(size);
    for (const url of [shown.variants[0]?.url ?? "", size]) await (await fetch(url, { headers })).arrayBuffer();
    for (const url of [small, at(knowing, size)]) {
      const answer = await ask(url, { headers });
      expect([locationOf(answer).pathname, answer.headers.get("cache-control")]).toEqual([
        expect.stringMatching(/\.avif$/),
        "public, max-age=300",
      ]);
      expect(answer.headers.get("vary")).toMatch(/\bAccept\b/);
      expect((await fetch(url, { headers })).headers.get("content-type")).toBe("image/avif");
    }
    const unseen = `${alone.baseUrl}/v1/media/public/${hidden.publicId}/image?w=160`;
    expect((await ask(unseen)).status).toBe(404);
    const mine = await ask(unseen, { headers: { authorization: `Bearer ${server.settings.SERVICE_TOKEN}` } });
    expect([mine.status, mine.headers.get("cache-control")]).toEqual([302, "private, no-store"]);
    expect((await fetch(locationOf(mine))).status).toBe(200);
  });

  it("that are private ask for their signature, and nobody keeps the way to them", async () => {
    const url = at(knowing, hidden.originalUrl);
    expect((await ask(url.replace(/\?.*$/, ""))).status).toBe(404);
    expect((await ask(url.replace(/signature=./, "signature=!"))).status).toBe(404);
    const answer = await ask(url);
    expect([answer.status, answer.headers.get("cache-control")]).toEqual([302, "private, no-store"]);
    expect(locationOf(answer).searchParams.get("X-Amz-Expires")).toBe("60");
    const file = await fetch(url);
    expect([file.status, file.headers.get("cache-control")]).toEqual([200, "private, no-store"]);
  });

  it("are never to be had longer than the address that asked for them", async () => {
    const key = keyOf(hidden.originalUrl);
    const expiresAt = new Date(Date.now() + 20_000);
    const answer = await ask(`${knowing.baseUrl}/files/${key}?${await createUrlSigner(secret).sign(key, expiresAt)}`);
    const { searchParams } = locationOf(answer);
    const signedAt = (searchParams.get("X-Amz-Date") ?? "").replace(/^(....)(..)(..T..)(..)(..Z)$/, "$1-$2-$3:$4:$5");
    const ends = Date.parse(signedAt) + Number(searchParams.get("X-Amz-Expires")) * 1000;
    expect(ends).toBeLessThanOrEqual(expiresAt.getTime());
    const expired = await createUrlSigner(secret).sign(key, new Date(Date.now() - 1000));
    expect((await ask(`${knowing.baseUrl}/files/${key}?${expired}`)).status).toBe(404);
  });

  it("on a server's disk are that server's to give, where it is known", async () => {
    const move = { from: "s3", to: "local", bucketName: null } as const;
    const { media } = server.deps.database;
    expect(await media.switchStorage(hidden.id, move)).toBe(true);
    try {
      expect(locationOf(await ask(at(knowing, hidden.originalUrl))).href).toBe(hidden.originalUrl);
      const refused = await ask(at(alone, hidden.originalUrl));
      expect([refused.status, await refused.json()]).toMatchObject([503, { code: "STORAGE_UNAVAILABLE" }]);
    } finally {
      await media.switchStorage(hidden.id, { from: "local", to: "s3", bucketName: server.bucketName });
    }
  });
});
