import { randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { availableParallelism, hostname } from "node:os";
import { extname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { type OpenDatabase, openDatabase } from "../db/database.js";
import type { Config } from "./config.js";
import type { Limits } from "./media/limits.js";
import { removeDueObjects } from "./media/object-deletions.js";
import type { Deps } from "./media/ports.js";
import { purgeExpired } from "./media/purge.js";
import { reconcile } from "./media/reconcile.js";
import { sweepAbandonedUploads } from "./media/sweep.js";
import { createSharpPipeline } from "./pipeline/sharp-pipeline.js";
import type { AppDeps, Assets } from "./router/app-env.js";
import { createRandomIds } from "./security/random-ids.js";
import { createScryptPasswords } from "./security/scrypt-passwords.js";
import { loadOrCreateSecret } from "./security/secret-files.js";
import { createServiceTokens } from "./security/service-tokens.js";
import { createUrlSigner } from "./security/url-signer.js";
import { createLocalStorage } from "./storage/local.js";
import { createSpool } from "./storage/spool.js";
import { createPinoLog } from "./telemetry/pino-log.js";
import { createPrometheusMetrics } from "./telemetry/prometheus-metrics.js";
import { VERSION } from "./version.js";

const HEARTBEAT_MS = 30_000;
const SWEEP_MS = 60_000;

/** Folder of secrets that the embedded set-up makes for itself. */
export const secretsFolder = (config: Config): string => join(config.DATA_DIR, "secrets");
export const SERVICE_TOKEN_FILE = "service-token";

export type Composition = {
  app: AppDeps;
  /** Looks after what dead processes left, now and every minute from now on. */
  startUpkeep(): Promise<void>;
  close(): Promise<void>;
};

/** Puts something around the parts before anything uses them; what it answers is used in their place. */
export type Decorate = (deps: Deps) => Deps;

/** Builds everything a Node process of this system works with, from its configuration. Migrates the database. */
export async function compose(
  config: Config,
  server: { baseUrl: string } & Pick<AppDeps, "isDraining" | "addressOf">,
  decorate: Decorate = (deps) => deps,
): Promise<Composition> {
  const log = createPinoLog(config.LOG_LEVEL);
  const instance = { id: `${process.pid}.${randomUUID()}`, host: hostname(), pid: process.pid };
  const opened = await openDatabase(config.DATABASE_URL, { instance, isProcessAlive });
  await opened.migrate();
  await opened.heartbeat(new Date());
  const objects = createLocalStorage({ folder: config.UPLOAD_DIR });
  const spool = createSpool({ folder: join(config.DATA_DIR, "spool"), instanceId: instance.id });
  const secret = (value: string | undefined, name: string) => value ?? loadOrCreateSecret(secretsFolder(config), name);
  const limits = limitsOf(config);
  const deps = decorate({
    database: opened.database,
    objects,
    images: createSharpPipeline(pipelineOptions(config, log)),
    spool,
    signer: createUrlSigner(await secret(config.SIGNING_SECRET, "signing-secret")),
    urls: { baseUrl: server.baseUrl, cdnUrl: null, s3PublicBaseUrl: null },
    limits,
    retention: { trashDays: config.TRASH_RETENTION_DAYS, importDays: config.IMPORT_RETENTION_DAYS },
    syncPatience: {
      confirmMinutes: config.SYNC_CONFIRM_MINUTES,
      graceMinutes: config.SYNC_GRACE_MINUTES,
      quarantineDays: config.QUARANTINE_DAYS,
    },
    keepGps: config.KEEP_GPS,
    clock: { now: () => new Date(), pause: (milliseconds) => setTimeout(milliseconds) },
    ids: createRandomIds(),
    log,
    metrics: createPrometheusMetrics(),
  });
  const accounts = {
    users: opened.users,
    sessions: opened.sessions,
    passwords: createScryptPasswords(),
    serviceTokens: createServiceTokens(await secret(config.SERVICE_TOKEN, SERVICE_TOKEN_FILE)),
  };
  const app: AppDeps = {
    deps,
    accounts,
    corsOrigins: config.CORS_ORIGINS,
    version: VERSION,
    rateLimitPerMinute: config.RATE_LIMIT,
    addressOf: server.addressOf,
    bodyIdleMs: config.REQUEST_IDLE_SECONDS * 1000,
    assets: await loadAssets(),
    isDraining: server.isDraining,
  };
  const upkeep = createUpkeep({ config, opened, deps, spool, objects });
  const close = async () => {
    await upkeep.stop();
    await deps.images.close();
    await spool.close();
    await opened.close();
  };
  return { app, startUpkeep: upkeep.start, close };
}

type UpkeepParts = {
  config: Config;
  opened: OpenDatabase;
  deps: Deps;
  spool: ReturnType<typeof createSpool>;
  objects: ReturnType<typeof createLocalStorage>;
};

/** Temporary files of the store older than this belong to nobody: the longest put is far shorter. */
const TEMPORARY_AGE_MS = 60 * 60_000;

/** What a process looks after beside its requests. Each job fails for itself and is tried again at its next time. */
function createUpkeep({ config, opened, deps, spool, objects }: UpkeepParts) {
  const stopping = new AbortController();
  const timers: NodeJS.Timeout[] = [];
  const running = new Map<string, Promise<void>>();

  /** Runs one at a time: who comes while it runs waits for that run. */
  const job = (what: string, work: () => Promise<unknown>) => (): Promise<void> => {
    const settle = async () => {
      try {
        await work();
      } catch (error) {
        if (!stopping.signal.aborted) deps.log.error({ err: error }, `${what} failed; it will be tried again`);
      } finally {
        running.delete(what);
      }
    };
    const run = running.get(what) ?? settle();
    if (!running.has(what)) running.set(what, run);
    return run;
  };
  const beat = job("the heartbeat", () => opened.heartbeat(deps.clock.now()));
  const sweeps = [
    job("clearing abandoned uploads", () => sweepAbandonedUploads(deps)),
    job("clearing the spool of dead processes", () => spool.sweepDead(isInstanceAlive)),
    job("clearing temporary files", () =>
      objects.sweepTemporary(new Date(deps.clock.now().getTime() - TEMPORARY_AGE_MS)),
    ),
    job("clearing expired sessions", () => opened.sessions.sweep()),
    job("the purge", () => purgeExpired(deps, deps.retention)),
  ];
  const sweep = async () => {
    for (const clear of sweeps) if (!stopping.signal.aborted) await clear();
  };
  const sync = job("comparing rows and objects", () =>
    compareWhenDue(deps, config.SYNC_INTERVAL_MINUTES * 60_000, stopping.signal),
  );
  const every = (milliseconds: number, work: () => Promise<unknown>) =>
    timers.push(setInterval(() => void work(), milliseconds).unref());
  return {
    async start() {
      every(HEARTBEAT_MS, beat);
      every(SWEEP_MS, sweep);
      if (config.SYNC_INTERVAL_MINUTES > 0) every(SWEEP_MS, sync);
      await sweep();
    },
    /** Resolves when nothing of it runs any more. */
    async stop() {
      stopping.abort();
      timers.forEach(clearInterval);
      await Promise.all(running.values());
    },
  };
}

/** By the end of the last run, whichever process made it, so that restarts neither hurry nor forget it. */
async function compareWhenDue(deps: Deps, intervalMs: number, signal: AbortSignal): Promise<void> {
  const last = await deps.database.sync.lastFinished();
  if (last?.finishedAt && deps.clock.now().getTime() - last.finishedAt.getTime() < intervalMs) return;
  await reconcile(deps, deps.syncPatience, { isDry: false, signal });
  await removeDueObjects(deps);
}

/** Waiting pictures beyond this are told to come back: at some ten pictures a second they would wait too long. */
const PIXEL_QUEUE = 100;
/** A header takes milliseconds; the rest is for a machine that has much else to do. */
const INSPECT_TIMEOUT_MS = 10_000;
/** The slowest honest pictures, long animations, take about half of it on one core. */
const RENDER_TIMEOUT_MS = 15_000;

const pipelineOptions = (config: Config, log: Deps["log"]) => ({
  processes: config.PIXEL_PROCESSES || availableParallelism(),
  queueLimit: PIXEL_QUEUE,
  inspectTimeoutMs: INSPECT_TIMEOUT_MS,
  renderTimeoutMs: RENDER_TIMEOUT_MS,
  maxPixels: Math.max(config.MAX_IMAGE_PIXELS, config.MAX_ANIMATED_PIXELS),
  log,
});

const limitsOf = (config: Config): Limits => ({
  imageMaxBytes: config.MAX_IMAGE_BYTES,
  avatarMaxBytes: config.MAX_AVATAR_BYTES,
  videoMinBytes: config.MIN_VIDEO_BYTES,
  videoMaxBytes: config.MAX_VIDEO_BYTES,
  minSide: config.MIN_IMAGE_SIDE,
  slotMinSide: config.MIN_SLOT_IMAGE_SIDE,
  maxSide: config.MAX_IMAGE_SIDE,
  maxPixels: config.MAX_IMAGE_PIXELS,
  maxAnimatedPixels: config.MAX_ANIMATED_PIXELS,
  batchMaxFiles: config.MAX_BATCH_FILES,
});

function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Spool folders carry the process id before the dot; after a restart in a container it may be our own. */
function isInstanceAlive(instanceId: string): boolean {
  const pid = Number.parseInt(instanceId, 10);
  return pid !== process.pid && isProcessAlive(pid);
}

const ASSET_TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** The built web page. It lies beside the built server; from source there is none until the build ran. */
async function loadAssets(): Promise<Assets> {
  const folder = new URL(import.meta.url.endsWith(".ts") ? "../dist/console/" : "../console/", import.meta.url);
  const names = await readdir(folder).catch(() => []);
  const known = names.flatMap((name) =>
    ASSET_TYPES[extname(name)] ? [[name, ASSET_TYPES[extname(name)] as string] as const] : [],
  );
  const entries = known.map(
    async ([name, contentType]) => [name, { contentType, body: await readFile(new URL(name, folder)) }] as const,
  );
  return new Map(await Promise.all(entries));
}
