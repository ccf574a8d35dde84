import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Config } from "./config.js";
import { limitsOf, syncPatienceOf } from "./config-parts.js";
import { completeDirectUpload } from "./media/direct-complete.js";
import { createOwnAddresses } from "./media/direct-receive.js";
import type { Deps, ImagePipeline } from "./media/ports.js";
import { createRenditions } from "./media/renditions.js";
import { openResources } from "./open-resources.js";
import { loadApiPageAssets, loadConsoleAssets } from "./page-assets.js";
import { createSharpPipeline } from "./pipeline/sharp-pipeline.js";
import type { AppDeps } from "./router/app-env.js";
import { createRandomIds } from "./security/random-ids.js";
import { createScryptPasswords } from "./security/scrypt-passwords.js";
import { loadOrCreateSecret } from "./security/secret-files.js";
import { createServiceTokens } from "./security/service-tokens.js";
import { createUrlSigner } from "./security/url-signer.js";
import { createUpkeep } from "./upkeep.js";
import { VERSION } from "./version.js";

/** Folder of secrets that the embedded set-up makes for itself. */
export const secretsFolder = (config: Config): string => join(config.DATA_DIR, "secrets");
export const SERVICE_TOKEN_FILE = "service-token";

export type Composition = {
  /** All that HTTP needs but where calls are counted, which is for servers alone. */
  app: Omit<AppDeps, "rateLimits">;
  /** Looks after what dead processes left, now and every minute from now on. */
  startUpkeep(): Promise<void>;
  close(): Promise<void>;
};

/** Puts something around the parts before anything uses them; what it answers is used in their place. */
export type Decorate = (deps: Deps) => Deps;

/** Builds everything a Node process of this system works with, from its configuration. Migrates the database. */
export async function compose(
  config: Config,
  server: { baseUrl: string } & Pick<AppDeps, "isDraining" | "addressOf" | "breakOff">,
  decorate: Decorate = (deps) => deps,
): Promise<Composition> {
  const resources = await openResources(config);
  const { opened } = resources;
  const secret = (value: string | undefined, name: string) => value ?? loadOrCreateSecret(secretsFolder(config), name);
  const signer = createUrlSigner(await secret(config.SIGNING_SECRET, "signing-secret"));
  const urls = {
    baseUrl: server.baseUrl,
    cdnUrl: config.CDN_URL ?? null,
    s3PublicBaseUrl: config.S3_PUBLIC_BASE_URL ?? null,
  };
  const deps = decorate({
    database: opened.database,
    objects: resources.objects,
    spool: resources.spool,
    clock: resources.clock,
    log: resources.log,
    metrics: resources.metrics,
    images: openPixels(config, resources.log),
    signer,
    urls,
    direct: resources.bucketAddresses ?? createOwnAddresses({ signer, urls }),
    ids: createRandomIds(),
    ...policyOf(config),
  });
  const accounts = {
    users: opened.users,
    sessions: opened.sessions,
    tokens: opened.tokens,
    passwords: createScryptPasswords(),
    serviceTokens: createServiceTokens(await secret(config.SERVICE_TOKEN, SERVICE_TOKEN_FILE)),
  };
  const renditions = createRenditions(deps);
  const app: Composition["app"] = {
    deps,
    renditions,
    accounts,
    uploads: { complete: (actor, uploadId) => completeDirectUpload(deps, actor, uploadId) },
    corsOrigins: config.CORS_ORIGINS,
    version: VERSION,
    rateLimitPerMinute: config.RATE_LIMIT,
    addressOf: server.addressOf,
    breakOff: server.breakOff,
    bodyIdleMs: config.REQUEST_IDLE_SECONDS * 1000,
    assets: await loadConsoleAssets(),
    apiPageAssets: await loadApiPageAssets(),
    isDraining: server.isDraining,
    renderMetrics: () => resources.metrics.render(),
  };
  const upkeep = createUpkeep({ config, deps, sessions: opened.sessions, resources });
  return {
    app,
    startUpkeep: upkeep.start,
    async close() {
      await upkeep.stop();
      await deps.images.close();
      await renditions.settled();
      await resources.close();
    },
  };
}

/** What the installation decides: limits, ages and patience. */
const policyOf = (config: Config) => ({
  limits: limitsOf(config),
  retention: { trashDays: config.TRASH_RETENTION_DAYS, importDays: config.IMPORT_RETENTION_DAYS },
  syncPatience: syncPatienceOf(config),
  keepGps: config.KEEP_GPS,
});

/** Waiting pictures beyond this are told to come back: at some ten pictures a second they would wait too long. */
export const PIXEL_QUEUE = { upload: 100, demand: 50 } as const;
/** A header takes milliseconds; the rest is for a machine that has much else to do. */
const INSPECT_TIMEOUT_MS = 10_000;
/** The slowest honest pictures, long animations, take about half of it on one core. */
const RENDER_TIMEOUT_MS = 15_000;

/** The pixel processes of a configuration. Whoever opens them closes them. */
export const openPixels = (config: Config, log: Deps["log"]): ImagePipeline =>
  createSharpPipeline(pipelineOptions(config, log));

export const pixelProcesses = (config: Config): number => config.PIXEL_PROCESSES || availableParallelism();

const pipelineOptions = (config: Config, log: Deps["log"]) => ({
  processes: pixelProcesses(config),
  queueLimits: PIXEL_QUEUE,
  pixelBudget: config.MAX_PIXELS_IN_FLIGHT,
  inspectTimeoutMs: INSPECT_TIMEOUT_MS,
  renderTimeoutMs: RENDER_TIMEOUT_MS,
  maxPixels: Math.max(config.MAX_IMAGE_PIXELS, config.MAX_ANIMATED_PIXELS),
  maxProcessBytes: config.PIXEL_PROCESS_MAX_BYTES,
  log,
});
