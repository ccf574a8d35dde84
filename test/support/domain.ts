import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Actor } from "../../src/media/actor.js";
import { findAttachment } from "../../src/media/attachments.js";
import { createOwnAddresses } from "../../src/media/direct-receive.js";
import type { StorageType } from "../../src/media/model.js";
import type { Backlog, Deps, Entity, Logger, Metrics, ObjectStorage, Retired } from "../../src/media/ports.js";
import { parseUploadFields } from "../../src/media/upload-fields.js";
import type { IncomingFile, UploadTarget } from "../../src/media/upload-request.js";
import { createSharpPipeline } from "../../src/pipeline/sharp-pipeline.js";
import { createRandomIds } from "../../src/security/random-ids.js";
import { createUrlSigner } from "../../src/security/url-signer.js";
import { createMemoryStorage } from "../../src/storage/memory.js";
import { createObjectStores } from "../../src/storage/object-stores.js";
import { createSpool } from "../../src/storage/spool.js";
import { type EmptyDatabase, openMigrated } from "./database.js";
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
  directMinutes: 60,
};

export type LogLine = { level: "info" | "warn" | "error"; message: string };

function recordingLog(): Logger & { lines: LogLine[] } {
  const lines: LogLine[] = [];
  const at = (level: LogLine["level"]) => (_: unknown, message: string) => void lines.push({ level, message });
  return { lines, info: at("info"), warn: at("warn"), error: at("error") };
}

/** Remembers what upkeep tells; the rest goes by. */
function recordingMetrics() {
  const retired: [Retired, number][] = [];
  const backlogs: Backlog[] = [];
  const comparedAt: Date[] = [];
  const renditions: string[] = [];
  const metrics: Metrics = {
    requestFinished: () => undefined,
    uploadFinished: () => undefined,
    renditionFinished: ({ outcome }) => void renditions.push(outcome),
    storageAnswered: () => undefined,
    storageAvailable: () => undefined,
    rateLimitsShared: () => undefined,
    retired: (what, count) => void retired.push([what, count]),
    backlog: (backlog) => void backlogs.push(backlog),
    storageCompared: (at) => void comparedAt.push(at),
  };
  return { metrics, retired, backlogs, comparedAt, renditions };
}

/**
 * The domain over real parts: a database (SQLite, unless told otherwise), the pixel processes, the spool, and two stores in memory that a test may break,
 * the primary one (`local`) and another (`s3`). `clock` stands still until a test moves it.
 */
export async function createDomain(createDatabase: () => Promise<EmptyDatabase> = createSqliteDatabase) {
  const folder = await mkdtemp(join(tmpdir(), "media-domain-"));
  const opened = await openMigrated(await createDatabase());
  const log = recordingLog();
  const clock = {
    time: new Date("2026-05-04T03:02:01Z"),
    now: () => clock.time,
    pause: (milliseconds: number) => new Promise<void>((resolve) => void setTimeout(resolve, milliseconds)),
  };
  const local = createMemoryStorage(clock);
  const s3: ObjectStorage = { ...createMemoryStorage(clock), type: "s3", bucketName: "bucket" };
  const { metrics, ...measured } = recordingMetrics();
  const images = createSharpPipeline({
    processes: 1,
    queueLimits: { upload: 50, demand: 50 },
    pixelBudget: 200_000_000,
    inspectTimeoutMs: 10_000,
    renderTimeoutMs: 30_000,
    maxPixels: 200_000_000,
  });
  const spool = createSpool({ folder, instanceId: "test" });
  const signer = createUrlSigner("a secret of the test");
  const urls = { baseUrl: "http://media.test", cdnUrl: null, s3PublicBaseUrl: null };
  const deps: Deps = {
    database: opened.database,
    objects: createObjectStores({ primary: local, others: [s3] }),
    images,
    spool,
    direct: createOwnAddresses({ signer, urls }),
    signer,
    urls,
    limits: LIMITS,
    retention: { trashDays: 30, importDays: 7 },
    syncPatience: { confirmMinutes: 2, graceMinutes: 60, quarantineDays: 7 },
    keepGps: false,
    clock,
    ids: createRandomIds(),
    log,
    metrics,
  };
  return {
    deps,
    clock,
    log,
    opened,
    /** What the metrics were told. */
    measured,
    /** The same domain over stores some of whose functions do something else. */
    withStores(over: { local?: Partial<ObjectStorage>; s3?: Partial<ObjectStorage> }, isFallbackSetUp = false): Deps {
      const [folder, bucket] = [
        { ...local, ...over.local },
        { ...s3, ...over.s3 },
      ];
      const objects = isFallbackSetUp
        ? createObjectStores({ primary: bucket, fallback: folder })
        : createObjectStores({ primary: folder, others: [bucket] });
      return { ...deps, objects };
    },
    /** Puts an object that holds this text, by default its key. */
    async put(key: string, storageType: StorageType = "local", text = key): Promise<void> {
      const writer = await spool.create();
      await writer.write(new TextEncoder().encode(text));
      const source = await writer.finish();
      await deps.objects.of(storageType).put(key, source, { contentType: "image/jpeg", isPublic: true });
      await writer.discard();
    },
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
    async keys(storageType: StorageType = "local"): Promise<string[]> {
      const keys: string[] = [];
      for await (const object of deps.objects.of(storageType).list()) keys.push(object.key);
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
