import { openEdgeDatabase } from "../db/edge-database.js";
import type { Passwords } from "./accounts/ports.js";
import { limitsOf, s3OptionsOf, syncPatienceOf } from "./config-parts.js";
import type { EdgeConfig } from "./edge-config.js";
import { createTokenBuckets } from "./limits/token-buckets.js";
import { ACCEPTED_IMAGE_TYPES } from "./media/content-type.js";
import { MediaError } from "./media/errors.js";
import type { ServiceDeps } from "./media/ports.js";
import type { Uploads } from "./procedures/trpc.js";
import { createApi } from "./router/api.js";
import type { ApiDeps } from "./router/app-env.js";
import { fileRedirects, imageRedirects } from "./router/file-redirects.js";
import { uploadsElsewhere } from "./router/uploads-elsewhere.js";
import { createRandomIds } from "./security/random-ids.js";
import { createScryptPasswords } from "./security/scrypt-passwords.js";
import { createServiceTokens } from "./security/service-tokens.js";
import { createUrlSigner } from "./security/url-signer.js";
import { createBucketAddresses } from "./storage/direct-s3.js";
import { createObjectStores } from "./storage/object-stores.js";
import { openS3Bucket } from "./storage/s3-client.js";
import { createS3Kept } from "./storage/s3-kept.js";
import { createBucketCheck } from "./storage/s3-read.js";
import { createConsoleLog } from "./telemetry/console-log.js";
import { createLoggedMetrics } from "./telemetry/logged-metrics.js";
import { VERSION } from "./version.js";

/** What a worker is given beside each request. */
export type EdgeContext = { waitUntil(work: Promise<unknown>): void; passThroughOnException(): void };

export type EdgeServer = { fetch(request: Request, context: EdgeContext): Promise<Response> };

/** Everything one isolate works with: made once, and shared by its requests but for their connections. */
export function composeEdge(config: EdgeConfig): EdgeServer {
  const { database, users, sessions, tokens, during } = openEdgeDatabase(config.DATABASE_URL, config);
  const log = createConsoleLog(config.LOG_LEVEL);
  const bucket = openBucket(config);
  const serverUrl = config.UPLOAD_URL ?? null;
  const clock = { now: () => new Date(), pause };
  const deps: ServiceDeps = {
    database,
    objects: createObjectStores({ primary: bucket }),
    direct: createBucketAddresses(bucket),
    images: { contentTypes: ACCEPTED_IMAGE_TYPES },
    signer: createUrlSigner(config.SIGNING_SECRET),
    urls: {
      baseUrl: config.BASE_URL,
      cdnUrl: config.CDN_URL ?? null,
      s3PublicBaseUrl: config.S3_PUBLIC_BASE_URL ?? null,
    },
    limits: limitsOf(config),
    syncPatience: syncPatienceOf(config),
    clock,
    ids: createRandomIds(),
    log,
    metrics: createLoggedMetrics(log),
  };
  const serviceTokens = createServiceTokens(config.SERVICE_TOKEN);
  const app: ApiDeps = {
    deps,
    accounts: { users, sessions, tokens, passwords, serviceTokens },
    uploads: { complete: completedElsewhere(serverUrl) },
    corsOrigins: config.CORS_ORIGINS,
    version: VERSION,
    rateLimits: createTokenBuckets(clock),
    elsewhere: serverUrl,
    rateLimitPerMinute: config.RATE_LIMIT,
    addressOf: (c) => (config.TRUST_PROXY && c.req.header("cf-connecting-ip")) || "unknown",
    bodyIdleMs: config.REQUEST_IDLE_SECONDS * 1000,
    isDraining: () => false,
  };
  const redirects = { deps, bucket, serverUrl };
  const open = [uploadsElsewhere(serverUrl), fileRedirects(redirects)];
  const http = createApi(app, { open, known: [imageRedirects(redirects)] });
  return {
    async fetch(request, context) {
      const { result, close } = await during(async () => http.fetch(request, {}, { ...context, props: {} }));
      return closingAfter(result, close, context);
    },
  };
}

/** What was put is made media of where pixels are worked on. */
const completedElsewhere =
  (serverUrl: string | null): Uploads["complete"] =>
  async (_actor, uploadId) => {
    const path = `/v1/media/direct/${encodeURIComponent(uploadId)}/complete`;
    throw new MediaError({ code: "UPLOAD_ELSEWHERE", uploadUrl: serverUrl && `${serverUrl}${path}` });
  };

function openBucket(config: EdgeConfig) {
  const options = s3OptionsOf(config, config.S3_BUCKET_NAME);
  const at = openS3Bucket(options);
  return createS3Kept(at, options, createBucketCheck(at));
}

/**
 * Each call with a queue of its own: in one of the isolate's a request would wait for another's end, which does not come
 * where that one was given up. The work itself is on the isolate's one thread.
 */
const passwords: Passwords = {
  hash: (password) => createScryptPasswords().hash(password),
  verify: (encoded, password) => createScryptPasswords().verify(encoded, password),
};

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** The same answer; the connections go once its last byte went, or nobody wants the rest: a stream may still ask. */
function closingAfter(answer: Response, close: () => Promise<void>, context: EdgeContext): Response {
  if (!answer.body) {
    context.waitUntil(close());
    return answer;
  }
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const sent = answer.body.pipeTo(writable).catch(() => undefined); // whoever asked went away: nobody is left to tell
  context.waitUntil(sent.then(close));
  return new Response(readable, answer);
}
