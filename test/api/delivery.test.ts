import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MediaError } from "../../src/media/errors.js";
import { scenery } from "../support/pictures.js";
import { startTestServer, type TestServer, type UploadResult } from "../support/server.js";
import { startServerProcess } from "../support/server-process.js";

const BROWSER = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8";

describe("a variant", () => {
  let server: TestServer;
  let settings: Record<string, string> = {};
  let token: string;
  let shown: UploadResult["media"];
  let hidden: UploadResult["media"];

  beforeAll(async () => {
    server = await startTestServer(async (given) => {
      settings = given;
      return {};
    });
    token = await server.user("USR-1");
    await server.entity("builder", "BLD-1", { ownerId: "USR-1" });
    [shown, hidden] = [await upload("true", 1), await upload("false", 2)];
  });
  afterAll(() => server.stop());

  async function upload(isPublic: string, seed: number) {
    const picture = await scenery(600, 450, seed).jpeg({ quality: 95 }).toBuffer();
    const answer = await server.post("/v1/media/builders/BLD-1/portfolio", token, [
      ["file", [picture, "a.jpg"]],
      ["is_public", isPublic],
    ]);
    return answer.body.media;
  }

  /** Read to its end: what nobody reads keeps its connection. */
  async function ask(
    url: string | null,
    accept = BROWSER,
    init: { method?: string; headers?: Record<string, string> } = {},
  ) {
    const response = await fetch(url ?? "", { ...init, headers: { accept, ...init.headers } });
    const { status, headers } = response;
    const bytes = Buffer.from(await response.arrayBuffer());
    const told = (name: string) => headers.get(name);
    return { status, told, type: told("content-type"), etag: told("etag") ?? "", bytes };
  }
  const storedNow = async () => (await server.files()).stored.length;
  const rows = () => server.tables.execute("SELECT spec FROM media_renditions ORDER BY spec");

  it("comes as AVIF or WebP to who names it, and as it is stored to everybody else", async () => {
    const types = {
      [BROWSER]: "avif",
      "image/webp,*/*": "webp",
      "image/*": "jpeg",
      "image/avif;q=0.1,image/jpeg": "jpeg",
    };
    const tags = new Set<string>();
    for (const [accept, format] of Object.entries(types)) {
      const answer = await ask(shown.smallUrl, accept);
      expect([answer.status, answer.type, answer.told("cache-control")]).toEqual([
        200,
        `image/${format}`,
        "public, max-age=31536000, immutable",
      ]);
      expect(answer.told("vary")).toMatch(/\bAccept\b/);
      expect(Number(answer.told("content-length"))).toBe(answer.bytes.length);
      const { width, height, format: is, compression } = await sharp(answer.bytes).metadata();
      expect([width, height, compression === "av1" ? "avif" : is]).toEqual([400, 300, format]);
      tags.add(answer.etag);
    }
    expect(tags.size).toBe(3);
  });

  it("is made once for many at a time, stored, and found again", async () => {
    const before = await storedNow();
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(shown.thumbnailUrl, "image/webp")));
    expect(new Set(answers.map(({ type, etag }) => `${type} ${etag}`)).size).toBe(1);
    expect(await storedNow()).toBe(before + 1);
    expect((await ask(shown.thumbnailUrl, "image/webp")).etag).toBe(answers[0]?.etag);
    expect(await storedNow()).toBe(before + 1);
    expect(await rows()).toContainEqual({ spec: "thumbnail.webp" });
  });

  it("has ranges, HEAD and 304 in each of its types", async () => {
    const whole = await ask(shown.smallUrl);
    const part = await ask(shown.smallUrl, BROWSER, { headers: { range: "bytes=10-19", "if-range": whole.etag } });
    expect([part.status, part.bytes, part.told("content-range")]).toEqual([
      206,
      whole.bytes.subarray(10, 20),
      `bytes 10-19/${whole.bytes.length}`,
    ]);
    const head = await ask(shown.smallUrl, BROWSER, { method: "HEAD" });
    expect([head.type, head.told("content-length"), head.etag]).toEqual([
      "image/avif",
      String(whole.bytes.length),
      whole.etag,
    ]);
    const known = await ask(shown.smallUrl, BROWSER, { headers: { "if-none-match": whole.etag } });
    expect([known.status, known.bytes.length]).toEqual([304, 0]);
    for (const answer of [part, head, known]) expect(answer.told("vary")).toMatch(/\bAccept\b/);
    // The tag of another type is no reason for 304, nor for a part.
    const other = { headers: { "if-none-match": whole.etag, range: "bytes=0-1", "if-range": whole.etag } };
    expect(await ask(shown.smallUrl, "*/*", other)).toMatchObject({ status: 200, type: "image/jpeg" });
  });

  it("leaves originals as they are", async () => {
    const answer = await ask(shown.originalUrl);
    expect([answer.type, /\bAccept\b/.test(answer.told("vary") ?? "")]).toEqual(["image/jpeg", false]);
  });

  it("that is private needs its own signature in every type, and is not kept", async () => {
    const answer = await ask(hidden.smallUrl);
    expect([answer.status, answer.type, answer.told("cache-control")]).toEqual([
      200,
      "image/avif",
      "private, no-store",
    ]);
    expect((await ask(hidden.smallUrl?.split("?")[0] ?? "")).status).toBe(404);
  });

  it("is not served in any type once its item is rejected, and made ones go with it", async () => {
    const gone = await upload("true", 3);
    expect((await ask(gone.smallUrl)).type).toBe("image/avif");
    const before = await storedNow();
    await server.service("DELETE", `/v1/media/${gone.id}?permanent=true`);
    expect((await ask(gone.smallUrl)).status).toBe(404);
    expect(await storedNow()).toBe(before - 4);
  });

  it("comes as it is stored, for a short time, where the better one is lost, and then anew", async () => {
    const stem = new URL(shown.smallUrl ?? "").pathname.slice("/files/".length).replace(/\.\w+$/, "");
    const isMade = (key: string) => key.startsWith(`${stem}-`) && key.endsWith(".avif");
    const made = (await server.files()).stored.filter(isMade);
    expect(made).toHaveLength(1);
    await server.objects.remove(made[0] as string);
    const instead = await ask(shown.smallUrl);
    expect([instead.status, instead.type, instead.told("cache-control")]).toEqual([
      200,
      "image/jpeg",
      "public, max-age=60",
    ]);
    expect(instead.told("vary")).toMatch(/\bAccept\b/);
    expect(await ask(shown.smallUrl)).toMatchObject({ status: 200, type: "image/avif" });
  });

  it("comes as it is stored, for a short time, while too much waits for pixels", async () => {
    const busy = await upload("true", 5);
    const { images } = server.deps;
    const { derive } = images;
    images.derive = () => Promise.reject(new MediaError({ code: "OVERLOADED", retryAfterSeconds: 5 }));
    try {
      const bySize = `${server.baseUrl}/v1/media/public/${busy.publicId}/image?w=320&crop=1:1`;
      for (const url of [busy.smallUrl, bySize]) {
        const answer = await ask(url);
        expect([answer.status, answer.type, answer.told("cache-control")]).toEqual([
          200,
          "image/jpeg",
          "public, max-age=60",
        ]);
        expect((await sharp(answer.bytes).metadata()).width).toBe(400);
      }
    } finally {
      images.derive = derive;
    }
    expect((await ask(busy.smallUrl)).type).toBe("image/avif");
  });

  it("is made once where two servers are asked for it", async () => {
    const fresh = await upload("true", 6);
    const database = settings.DATABASE_URL ?? `file:${settings.DATA_DIR}/media.db`;
    const other = await startServerProcess({ ...settings, DATABASE_URL: database });
    try {
      const before = await storedNow();
      const urls = [fresh.smallUrl ?? "", (fresh.smallUrl ?? "").replace(server.baseUrl, other.baseUrl)];
      const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => ask(urls[n % 2] ?? "")));
      expect(new Set(answers.map(({ type, etag }) => `${type} ${etag}`)).size).toBe(1);
      expect([answers[0]?.type, await storedNow()]).toEqual(["image/avif", before + 1]);
    } finally {
      await other.stop();
    }
  });

  describe("of a size, a crop and a type", () => {
    const at = (query: string, { publicId } = shown) => `${server.baseUrl}/v1/media/public/${publicId}/image?${query}`;
    const sizeOf = async (bytes: Buffer) => {
      const { width, height } = await sharp(bytes).metadata();
      return [width, height];
    };

    it("is made as it is asked for, never larger than the picture", async () => {
      const wanted = [
        ["w=320", "image/avif", [320, 240]],
        ["w=320&crop=1:1&format=webp", "image/webp", [320, 320]],
        ["w=480&crop=16:9&format=jpeg", "image/jpeg", [480, 270]],
        ["w=2560&crop=9:16&format=avif", "image/avif", [253, 450]],
      ] as const;
      for (const [query, type, size] of wanted) {
        const answer = await ask(at(query));
        expect([answer.status, answer.type, await sizeOf(answer.bytes)]).toEqual([200, type, size]);
        expect(answer.told("cache-control")).toBe("public, max-age=600, stale-while-revalidate=3600");
        expect(/\bAccept\b/.test(answer.told("vary") ?? "")).toBe(!query.includes("format"));
        const known = await ask(at(query), BROWSER, { headers: { "if-none-match": answer.etag } });
        expect([known.status, known.bytes.length]).toEqual([304, 0]);
      }
      const plain = await ask(at("w=320"), "*/*");
      expect([plain.type, await sizeOf(plain.bytes)]).toEqual(["image/jpeg", [320, 240]]);
      const part = await ask(at("w=320"), BROWSER, { headers: { range: "bytes=0-9" } });
      expect([part.status, part.bytes.length]).toEqual([206, 10]);
    });

    it("is cropped anew when the focal point changes, under another tag", async () => {
      const before = await ask(at("w=160&crop=3:4"));
      const focalPoint = { x: 0.05, y: 0.5 };
      await server.call("PATCH", `/v1/media/${shown.id}`, { token, body: { focalPoint } });
      const after = await ask(at("w=160&crop=3:4"), BROWSER, { headers: { "if-none-match": before.etag } });
      expect([before.status, after.status, await sizeOf(after.bytes)]).toEqual([200, 200, [160, 213]]);
    });

    it.each(["", "w=321", "w=640&w=640", "w=0640", "w=640px", "w=640&format=png", "w=640&crop=5:4", "w=640&v=2"])(
      "is nothing else that might have to be made: %j",
      async (query) => {
        const answer = await ask(at(query));
        expect([answer.status, JSON.parse(answer.bytes.toString())]).toEqual([
          400,
          expect.objectContaining({ code: "VALIDATION" }),
        ]);
      },
    );

    it("is shown to who may see the item, and not kept where that is not everybody", async () => {
      expect((await ask(at("w=160", hidden))).status).toBe(404);
      expect((await ask(at("w=160", { ...hidden, publicId: "MED-NONE" }))).status).toBe(404);
      expect((await ask(at("w=160", { ...hidden, publicId: String(shown.id) }))).status).toBe(404);
      const mine = await ask(at("w=160", hidden), BROWSER, { headers: { authorization: `Bearer ${token}` } });
      expect([mine.status, mine.type, mine.told("cache-control")]).toEqual([200, "image/avif", "private, no-store"]);
    });

    it("keeps what is transparent, for who names nothing too", async () => {
      const hole = {
        create: { width: 300, height: 200, channels: 4, background: { r: 9, g: 9, b: 9, alpha: 0.2 } },
      } as const;
      const picture = await sharp(hole).png().toBuffer();
      const { media } = (await server.post("/v1/media/builders/BLD-1/portfolio", token, [["file", [picture, "a.png"]]]))
        .body;
      const answer = await ask(at("w=160", media), "*/*");
      expect([answer.type, (await sharp(answer.bytes).metadata()).hasAlpha]).toEqual(["image/webp", true]);
    });

    it("is no longer there once its item is rejected, for nobody", async () => {
      const gone = await upload("true", 4);
      await server.service("POST", `/v1/media/${gone.id}/moderation`, { decision: "flag", reason: "x" });
      await server.service("POST", `/v1/media/${gone.id}/moderation`, { decision: "reject", reason: "x" });
      const answer = await ask(at("w=160", gone), BROWSER, { headers: { authorization: `Bearer ${token}` } });
      expect(answer.status).toBe(404);
    });
  });
});
