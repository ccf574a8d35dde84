import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { type OpenDatabase, openDatabase } from "../db/database.js";
import type { Config } from "./config.js";
import { s3OptionsOf } from "./config-parts.js";
import type { DirectStorage } from "./media/direct-ports.js";
import type { Clock, Logger, ObjectStorage, ObjectStores, Spool } from "./media/ports.js";
import { createBucketAddresses } from "./storage/direct-s3.js";
import { createLocalStorage } from "./storage/local.js";
import { createObjectStores } from "./storage/object-stores.js";
import { createResilientStorage } from "./storage/resilient.js";
import { createSpool } from "./storage/spool.js";
import { createPinoLog } from "./telemetry/pino-log.js";
import { createPrometheusMetrics, type PrometheusMetrics } from "./telemetry/prometheus-metrics.js";

/** What every Node process of this system holds open, whatever it does: the facts, the bytes, and where it tells. */
export type Resources = {
  opened: OpenDatabase;
  objects: ObjectStores;
  /** Where clients put bytes themselves; null where the primary store has no addresses of its own. */
  bucketAddresses: DirectStorage | null;
  spool: Spool & { sweepDead(isAlive: (instanceId: string) => boolean): Promise<unknown> };
  clock: Clock;
  log: Logger;
  metrics: PrometheusMetrics;
  /** Lets everything go. Calls after the first do nothing more. */
  close(): Promise<void>;
};

/** Opens the database of a configuration alone, and migrates the tables. Whoever opens it closes it. */
export async function openTables(config: Config): Promise<{ opened: OpenDatabase; instanceId: string }> {
  const instance = { id: `${process.pid}.${randomUUID()}`, host: hostname(), pid: process.pid };
  const opened = await openDatabase(config.DATABASE_URL, {
    instance,
    isProcessAlive,
    poolSize: config.DATABASE_POOL_SIZE,
  });
  await opened.migrate();
  return { opened, instanceId: instance.id };
}

/** Opens the database and the stores of a configuration, migrates the tables, and enters this process as living. */
export async function openResources(config: Config): Promise<Resources> {
  const log = createPinoLog(config.LOG_LEVEL);
  const metrics = createPrometheusMetrics();
  const { opened, instanceId } = await openTables(config);
  await opened.heartbeat(new Date());
  const spool = createSpool({ folder: join(config.DATA_DIR, "spool"), instanceId });
  const { objects, bucketAddresses, close: closeStores } = await openStores(config, { log, metrics });
  return {
    opened,
    objects,
    bucketAddresses,
    spool,
    clock: { now: () => new Date(), pause: (milliseconds) => setTimeout(milliseconds) },
    log,
    metrics,
    async close() {
      await spool.close();
      closeStores();
      await opened.close();
    },
  };
}

/**
 * The local folder is always there, for rows that were stored before the bucket was; the bucket wherever one is named,
 * so that a move can go either way. The SDK is loaded with the bucket alone.
 */
async function openStores(config: Config, { log, metrics }: Pick<Resources, "log" | "metrics">) {
  const guarded = (storage: ObjectStorage) =>
    createResilientStorage(storage, {
      log,
      observe: (request) => metrics.storageAnswered({ store: storage.type, ...request }),
      onAvailability: (isAvailable) => metrics.storageAvailable(storage.type, isAvailable),
    });
  const local = guarded(createLocalStorage({ folder: config.UPLOAD_DIR }));
  if (config.S3_BUCKET_NAME === undefined)
    return { objects: createObjectStores({ primary: local }), bucketAddresses: null, close: () => undefined };
  const { createS3Storage } = await import("./storage/s3.js");
  const bucket = createS3Storage(s3OptionsOf(config, config.S3_BUCKET_NAME));
  const s3 = guarded(bucket);
  const objects =
    config.STORAGE_TYPE === "s3"
      ? createObjectStores({
          primary: s3,
          fallback: config.STORAGE_FALLBACK === "local" ? local : null,
          others: [local],
        })
      : createObjectStores({ primary: local, others: [s3] });
  const bucketAddresses = config.STORAGE_TYPE === "s3" ? createBucketAddresses(bucket) : null;
  return { objects, bucketAddresses, close: () => bucket.close() };
}

function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Spool folders carry the process id before the dot; after a restart in a container it may be our own. */
export function isInstanceAlive(instanceId: string): boolean {
  const pid = Number.parseInt(instanceId, 10);
  return pid !== process.pid && isProcessAlive(pid);
}
