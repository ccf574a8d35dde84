import { randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { availableParallelism, hostname } from "node:os";
import { extname, join } from "node:path";
import { type OpenDatabase, openDatabase } from "../db/database.js";
import type { Config } from "./config.js";
import type { Limits } from "./media/limits.js";
import type { Deps } from "./media/ports.js";
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

/** Builds everything a Node process of this system works with, from its configuration. Migrates the database. */
export async function compose(
  config: Config,
  server: { baseUrl: string; isDraining(): boolean },
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
  const deps: Deps = {
    database: opened.database,
    objects,
    images: createSharpPipeline(pipelineOptions(config, log)),
    spool,
    signer: createUrlSigner(await secret(config.SIGNING_SECRET, "signing-secret")),
    urls: { baseUrl: server.baseUrl, cdnUrl: null, s3PublicBaseUrl: null },
    limits,
    keepGps: config.KEEP_GPS,
    clock: { now: () => new Date() },
    ids: createRandomIds(),
    log,
    metrics: createPrometheusMetrics(),
  };
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
    assets: await loadAssets(),
    isDraining: server.isDraining,
  };
  const upkeep = createUpkeep({ opened, deps, spool, objects });
  const close = async () => {
    upkeep.stop();
    await deps.images.close();
    await spool.close();
    await opened.close();
  };
  return { app, startUpkeep: upkeep.start, close };
}

type UpkeepParts = {
  opened: OpenDatabase;
  deps: Deps;
  spool: ReturnType<typeof createSpool>;
  objects: ReturnType<typeof createLocalStorage>;
};

/** Temporary files of the store older than this belong to nobody: the longest put is far shorter. */
const TEMPORARY_AGE_MS = 60 * 60_000;

function createUpkeep({ opened, deps, spool, objects }: UpkeepParts) {
  const timers: NodeJS.Timeout[] = [];
  const guarded = (what: string, work: () => Promise<unknown>) => () =>
    work().catch((error: unknown) => deps.log.error({ err: error }, `${what} failed; it will be tried again`));
  const beat = guarded("the heartbeat", () => opened.heartbeat(deps.clock.now()));
  const sweep = guarded("the sweep", async () => {
    await sweepAbandonedUploads(deps);
    await spool.sweepDead(isInstanceAlive);
    await objects.sweepTemporary(new Date(deps.clock.now().getTime() - TEMPORARY_AGE_MS));
    await opened.sessions.sweep();
  });
  return {
    async start() {
      timers.push(
        setInterval(() => void beat(), HEARTBEAT_MS).unref(),
        setInterval(() => void sweep(), SWEEP_MS).unref(),
      );
      await sweep();
    },
    stop: () => timers.forEach(clearInterval),
  };
}

/** Waiting pictures beyond this are told to come back: at some ten pictures a second they would wait too long. */
const PIXEL_QUEUE = 100;
const INSPECT_TIMEOUT_MS = 5_000;
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
