import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Actor } from "../../src/media/actor.js";
import { findAttachment } from "../../src/media/attachments.js";
import type { Deps, Entity, Logger, Metrics } from "../../src/media/ports.js";
import { parseUploadFields } from "../../src/media/upload-fields.js";
import type { IncomingFile, UploadTarget } from "../../src/media/upload-request.js";
import { createSharpPipeline } from "../../src/pipeline/sharp-pipeline.js";
import { createRandomIds } from "../../src/security/random-ids.js";
import { createUrlSigner } from "../../src/security/url-signer.js";
import { createMemoryStorage } from "../../src/storage/memory.js";
import { createSpool } from "../../src/storage/spool.js";
import { openMigrated } from "./database.js";
import { createSqliteDatabase } from "./sqlite.js";

const LIMITS = {
  imageMaxBytes: 20_000_000,
  avatarMaxBytes: 10_000_000,
  videoMinBytes: 10_240,
  videoMaxBytes: 500_000_000,
  minSide: 50,
  slotMinSide: 100,
  maxSide: 16384,
  maxPixels: 100_000_000,
  maxAnimatedPixels: 200_000_000,
  batchMaxFiles: 20,
};

export type LogLine = { level: "info" | "warn" | "error"; message: string };

function recordingLog(): Logger & { lines: LogLine[] } {
  const lines: LogLine[] = [];
  const at = (level: LogLine["level"]) => (_: unknown, message: string) => void lines.push({ level, message });
  return { lines, info: at("info"), warn: at("warn"), error: at("error") };
}

const silentMetrics: Metrics = {
  requestFinished: () => undefined,
  uploadFinished: () => undefined,
  render: () => Promise.resolve({ contentType: "text/plain", body: "" }),
};

/**
 * The domain over real parts: SQLite, the pixel processes, the spool, and a store in memory that a test may break.
 * `clock` stands still until a test moves it.
 */
export async function createDomain() {
  const folder = await mkdtemp(join(tmpdir(), "media-domain-"));
  const opened = await openMigrated(await createSqliteDatabase());
  const objects = createMemoryStorage();
  const log = recordingLog();
  const clock = {
    time: new Date("2026-05-04T03:02:01Z"),
    now: () => clock.time,
    pause: (milliseconds: number) => new Promise<void>((resolve) => void setTimeout(resolve, milliseconds)),
  };
  const images = createSharpPipeline({
    processes: 1,
    queueLimit: 50,
    inspectTimeoutMs: 10_000,
    renderTimeoutMs: 30_000,
    maxPixels: 200_000_000,
  });
  const spool = createSpool({ folder, instanceId: "test" });
  const deps: Deps = {
    database: opened.database,
    objects,
    images,
    spool,
    signer: createUrlSigner("a secret of the test"),
    urls: { baseUrl: "http://media.test", cdnUrl: null, s3PublicBaseUrl: null },
    limits: LIMITS,
    retention: { trashDays: 30, importDays: 7 },
    syncPatience: { confirmMinutes: 2, graceMinutes: 60, quarantineDays: 7 },
    keepGps: false,
    clock,
    ids: createRandomIds(),
    log,
    metrics: silentMetrics,
  };
  return {
    deps,
    clock,
    log,
    opened,
    user: (id: string, verified = false): Actor => ({ kind: "user", id, role: "user", verified }),
    /** The file as the transport hands it over. */
    async incoming(bytes: Uint8Array, form: Record<string, string> = {}): Promise<IncomingFile> {
      const writer = await spool.create();
      await writer.write(bytes);
      return {
        file: await writer.finish(),
        filename: "a.jpg",
        fields: parseUploadFields(new Map(Object.entries(form))),
      };
    },
    async keys(): Promise<string[]> {
      const keys: string[] = [];
      for await (const object of objects.list()) keys.push(object.key);
      return keys;
    },
    target: (entity: Entity, field: string): UploadTarget => {
      const attachment = findAttachment(entity.type, field);
      if (!attachment) throw new Error(`no ${entity.type}.${field}`);
      return { attachment, entity };
    },
    async close() {
      await images.close();
      await opened.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
export type Domain = Awaited<ReturnType<typeof createDomain>>;
