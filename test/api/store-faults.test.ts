import { createHash } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { MediaOut } from "../../src/media/model.js";
import { promoteFallback } from "../../src/media/move-objects.js";
import { removeDueObjects } from "../../src/media/object-deletions.js";
import { sweepAbandonedUploads } from "../../src/media/sweep.js";
import { currentCombination } from "../support/combination.js";
import { FAULTS, type FaultProxy, startFaultProxy } from "../support/fault-proxy.js";
import { scenery } from "../support/pictures.js";
import { type Answer, SERVICE_TOKEN, startTestServer, type TestServer, type UploadResult } from "../support/server.js";

const GALLERY = "/v1/media/builders/BLD-1/portfolio";
const LIST = "/v1/media/entity/builder/BLD-1?limit=100";
/** Longer than a store is left alone after it failed. */
const RECOVERY = { timeout: 20_000, interval: 200 };

const DISTURBED = FAULTS.filter((fault) => fault !== "latency");
const HURRIED = { SYNC_CONFIRM_MINUTES: "0", SYNC_GRACE_MINUTES: "0" };
const seed = 20_260_304;

/** Once, on what production runs on: the line to the store is the same one with every database. */
const { database, store } = currentCombination();
const isProduction = database === "mariadb" && store === "s3";

/** What arrives of a body, also of one that breaks off. */
async function readUntilItEnds(url: string): Promise<{ status: number; bytes: Buffer; isWhole: boolean }> {
  const answer = await fetch(url);
  const chunks: Uint8Array[] = [];
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
  const ended = (isWhole: boolean) => ({ status: answer.status, bytes: Buffer.concat(chunks), isWhole });
  for (;;) {
    const read = await reader.read().catch(() => null);
    if (read === null || read.done) return ended(read !== null);
    chunks.push(read.value);
  }
}

describe.runIf(isProduction).each([{ fallback: "off" }, { fallback: "local" }])(
  "an S3 store on a bad line, its fallback $fallback",
  { timeout: 60_000 },
  ({ fallback }) => {
    let proxy: FaultProxy;
    let server: TestServer;
    let owner: string;
    let picture: Buffer;

    beforeAll(async () => {
      server = await startTestServer(async ({ S3_ENDPOINT_URL = "" }) => {
        proxy = await startFaultProxy(S3_ENDPOINT_URL, { seed });
        return { S3_ENDPOINT_URL: proxy.endpoint, STORAGE_FALLBACK: fallback, ...HURRIED };
      });
      owner = await server.user("USR-OWNER");
      await server.entity("builder", "BLD-1", { ownerId: "USR-OWNER" });
      picture = await scenery(200, 160).jpeg().toBuffer();
    });
    afterEach(async () => {
      proxy.plan();
      await recovered();
    });
    afterAll(async () => {
      await server.stop();
      await proxy.close();
    });

    const ready = () => server.call<{ checks: { storage: string } }>("GET", "/readyz");
    const recovered = async () => {
      await expect.poll(async () => (await ready()).body.checks.storage, RECOVERY).toBe("ok");
    };
    const upload = () => server.post(GALLERY, owner, [["file", [picture, "a.jpg"]]]);
    const itemsOf = async () => (await server.call<{ items: MediaOut[] }>("GET", LIST, { token: owner })).body.items;
    const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

    async function bytesOf(url: string): Promise<Buffer> {
      const answer = await fetch(url);
      expect(answer.status, url).toBe(200);
      return Buffer.from(await answer.arrayBuffer());
    }

    async function expectWhole(media: MediaOut): Promise<void> {
      expect(sha256(await bytesOf(media.originalUrl))).toBe(sha256(picture));
      for (const variant of media.variants) expect(await bytesOf(variant.url)).toHaveLength(variant.fileSize);
    }

    function expectToldToComeBack(answer: Pick<Answer, "status" | "headers">): void {
      expect(answer.status).toBe(503);
      expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    }

    /** After upkeep every stored object is named by a row, and every object a row names is stored. */
    async function expectNoLitter(): Promise<void> {
      proxy.plan();
      await recovered();
      await promoteFallback(server.deps, new AbortController().signal);
      await sweepAbandonedUploads(server.deps);
      await removeDueObjects(server.deps);
      const rows = await server.tables.execute(
        "SELECT storage_path AS name FROM media UNION ALL SELECT object_key FROM media_variants",
      );
      expect(await server.files()).toEqual({ stored: rows.map((row) => String(row.name)).sort(), spooled: [] });
    }

    /** Beside what was there before is what was answered 201, whole, and nothing of the rest. */
    async function expectTruthful(before: number, answers: readonly Answer<UploadResult>[]): Promise<void> {
      for (const answer of answers.filter(({ status }) => status !== 201)) expectToldToComeBack(answer);
      const stored = answers.filter(({ status }) => status === 201).map(({ body }) => body.media);
      await expectNoLitter();
      const listed = await itemsOf();
      expect(listed).toHaveLength(before + stored.length);
      for (const { id } of stored) await expectWhole(listed.find((item) => item.id === id) as MediaOut);
    }

    it.each(FAULTS)("stores an upload whole after one put met: %s", async (fault) => {
      const before = (await itemsOf()).length;
      proxy.plan({ fault, methods: ["PUT"], next: 1, milliseconds: 300 });
      const answer = await upload();
      expect(answer.status).toBe(201);
      expect(proxy.struck[fault]).toBeGreaterThan(0);
      await expectTruthful(before, [answer]);
    });

    it.each(DISTURBED)("keeps an upload whole or not at all where a third of all requests meets: %s", async (fault) => {
      const before = (await itemsOf()).length;
      proxy.plan({ fault, share: 0.3, methods: ["PUT", "HEAD", "POST", "DELETE"] });
      await expectTruthful(before, await Promise.all([upload(), upload(), upload(), upload()]));
    });

    it("makes no item of bytes that changed on every way to it", async () => {
      const before = (await itemsOf()).length;
      proxy.plan({ fault: "corrupt request", methods: ["PUT"] });
      const answer = await upload();
      if (answer.status === 201) expect(answer.body.media.storageType).toBe("local");
      else expect(answer.status).toBeGreaterThanOrEqual(500);
      await expectNoLitter();
      const items = await itemsOf();
      expect(items).toHaveLength(before + (answer.status === 201 ? 1 : 0));
      for (const item of items) await expectWhole(item);
    });

    it("never passes half a file off as a whole one, nor anything else as bytes of it", async () => {
      const { media } = (await upload()).body;
      const whole = Buffer.from(await (await fetch(media.originalUrl)).arrayBuffer());
      proxy.plan({ fault: "half an answer", methods: ["GET"] });
      const { status, bytes, isWhole } = await readUntilItEnds(media.originalUrl);
      if (status === 503) return;
      expect([status, isWhole, whole.subarray(0, bytes.length).equals(bytes)]).toEqual([200, false, true]);
    });

    it("shows all there is while the store is down, marks nothing, and recovers without a restart", async () => {
      const { media } = (await upload()).body;
      const before = await itemsOf();
      await proxy.refuse();
      try {
        expect((await ready()).status).toBe(fallback === "local" ? 200 : 503);
        expectToldToComeBack(await fetch(media.originalUrl));
        const repair = { token: SERVICE_TOKEN, body: { dryRun: false } };
        for (let round = 0; round < 2; round++) await server.call("POST", "/v1/media/health/repair", repair);
        expect(await itemsOf()).toEqual(before);
      } finally {
        await proxy.accept();
      }
      await recovered();
      const hidden = await server.tables.execute("SELECT id FROM media WHERE missing_since IS NOT NULL");
      expect(hidden).toEqual([]);
      await expectWhole(media);
    });

    it("refuses uploads while the store is down, or keeps them here and moves them later", async () => {
      await proxy.refuse();
      const answer = await upload();
      if (fallback === "off") {
        expectToldToComeBack(answer);
      } else {
        expect([answer.status, answer.body.media?.storageType]).toEqual([201, "local"]);
        await expectWhole(answer.body.media);
      }
      await proxy.accept();
      await expectNoLitter();
      const items = await itemsOf();
      expect(new Set(items.map((item) => item.storageType))).toEqual(new Set(["s3"]));
      expect(items.filter(({ id }) => id === answer.body.media?.id)).toHaveLength(fallback === "off" ? 0 : 1);
      for (const item of items) await expectWhole(item);
    });
  },
);
