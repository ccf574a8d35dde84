import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { MediaOut } from "../../src/media/model.js";
import { removeDueObjects } from "../../src/media/object-deletions.js";
import { sweepAbandonedUploads } from "../../src/media/sweep.js";
import { currentCombination } from "../support/combination.js";
import { scenery } from "../support/pictures.js";
import { type Answer, startTestServer, type TestServer, type UploadResult } from "../support/server.js";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.js";

const GALLERY = "/v1/media/builders/BLD-1/portfolio";
const LIST = "/v1/media/entity/builder/BLD-1?limit=100";

describe.runIf(currentCombination().database === "mariadb")("a database on a bad line", { timeout: 60_000 }, () => {
  let line: TcpProxy;
  let server: TestServer;
  let owner: string;
  let picture: Buffer;

  beforeAll(async () => {
    server = await startTestServer(async ({ DATABASE_URL = "" }) => {
      const url = new URL(DATABASE_URL);
      line = await startTcpProxy(Number(url.port));
      url.port = String(line.port);
      return { DATABASE_URL: url.href };
    });
    owner = await server.user("USR-OWNER");
    await server.entity("builder", "BLD-1", { ownerId: "USR-OWNER" });
    picture = await scenery(200, 160).jpeg().toBuffer();
  });
  afterAll(async () => {
    await server.stop();
    line.close();
  });

  const upload = (key: string) =>
    server.post(GALLERY, owner, [["file", [picture, `${key}.jpg`]]], { "idempotency-key": key });
  const itemsOf = async () => (await server.call<{ items: MediaOut[] }>("GET", LIST, { token: owner })).body.items;
  const ready = () => server.call("GET", "/readyz");

  function expectToldToComeBack({ status, headers, body }: Answer<unknown>): void {
    expect([status, (body as { code: string }).code]).toEqual([503, "DATABASE_UNAVAILABLE"]);
    expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
  }

  it("answers 503 and is not ready while it is away, and works again without a restart", async () => {
    const { media } = (await upload("before")).body;
    line.refuse();
    line.cut();
    expectToldToComeBack(await server.call("GET", LIST, { token: owner }));
    expectToldToComeBack(await upload("away"));
    expectToldToComeBack(await server.call("DELETE", `/v1/media/${media.id}`, { token: owner }));
    expect((await fetch(media.originalUrl)).status).toBe(503);
    expect(await ready()).toMatchObject({ status: 503, body: { checks: { database: "unavailable" } } });
    expect((await server.call("GET", "/healthz")).status).toBe(200);
    await line.accept();
    await expect.poll(async () => (await ready()).status, { timeout: 15_000 }).toBe(200);
    expect((await itemsOf()).map(({ id }) => id)).toEqual([media.id]);
    expect((await fetch(media.originalUrl)).status).toBe(200);
    expect((await upload("away")).status).toBe(201);
  });

  /** As a careful client does, with the same key each time. */
  async function uploadUntilDone(key: string): Promise<Answer<UploadResult>> {
    for (;;) {
      const answer = await upload(key);
      if (answer.status < 300) return answer;
      expectToldToComeBack(answer);
      await sleep(50);
    }
  }

  it("whose connections break in the middle of uploads makes one item of each, and leaves no other byte", async () => {
    const before = (await itemsOf()).length;
    const uploading = Promise.all(Array.from({ length: 8 }, (_, n) => uploadUntilDone(`cut-${n}`)));
    for (let cuts = 0; cuts < 12; cuts++) {
      line.cut();
      await sleep(60);
    }
    const ids = (await uploading).map(({ body }) => body.media.id);
    expect(new Set(ids).size).toBe(8);
    const items = await itemsOf();
    expect(items).toHaveLength(before + 8);
    await sweepAbandonedUploads(server.deps);
    await removeDueObjects(server.deps);
    expect((await server.files()).stored).toHaveLength(items.reduce((sum, item) => sum + 1 + item.variants.length, 0));
    for (const item of items) expect((await fetch(item.originalUrl)).status).toBe(200);
    expect(await server.tables.execute("SELECT id FROM upload_intents")).toEqual([]);
  });
});
