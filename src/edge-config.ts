import { z } from "zod";
import {
  address,
  ConfigError,
  describeIssue,
  environment,
  MIN_SECRET_LENGTH,
  PRODUCTION_RATE_LIMIT,
} from "./config.js";

const secret = z.string().min(MIN_SECRET_LENGTH, `must have at least ${MIN_SECRET_LENGTH} characters`).max(512);

/** The binding as far as it is read here. https://developers.cloudflare.com/hyperdrive/ */
const hyperdrive = z.object({
  // How to encrypt, in words of other drivers, is for those that connect without the binding.
  connectionString: z.url().transform((value) => value.replace(/\?.*$/, "")),
});

/** What means the same as on Node is the same schema; secrets and the bucket's keys can come from nowhere else. */
const edgeEnvironment = environment
  .pick({
    S3_ENDPOINT_URL: true,
    S3_FORCE_PATH_STYLE: true,
    S3_CONDITIONAL_PUTS: true,
    S3_PUBLIC_BASE_URL: true,
    CDN_URL: true,
    AWS_REGION: true,
    CORS_ORIGINS: true,
    LOG_LEVEL: true,
    MAX_IMAGE_BYTES: true,
    MAX_AVATAR_BYTES: true,
    MIN_VIDEO_BYTES: true,
    MAX_VIDEO_BYTES: true,
    MIN_IMAGE_SIDE: true,
    MIN_SLOT_IMAGE_SIDE: true,
    MAX_IMAGE_SIDE: true,
    MAX_IMAGE_PIXELS: true,
    MAX_ANIMATED_PIXELS: true,
    MAX_BATCH_FILES: true,
    DIRECT_UPLOAD_MINUTES: true,
    SYNC_CONFIRM_MINUTES: true,
    SYNC_GRACE_MINUTES: true,
    SYNC_OBJECTS_PER_SECOND: true,
    QUARANTINE_DAYS: true,
    RATE_LIMIT: true,
    TRUST_PROXY: true,
    REQUEST_IDLE_SECONDS: true,
  })
  .extend({
    BASE_URL: address,
    DATABASE_URL: z.string().startsWith("mysql://", "must begin with mysql://").optional(),
    HYPERDRIVE: hyperdrive.optional(),
    S3_BUCKET_NAME: z.string().min(1),
    AWS_ACCESS_KEY_ID: z.string().min(1),
    AWS_SECRET_ACCESS_KEY: z.string().min(1),
    SERVICE_TOKEN: secret,
    SIGNING_SECRET: secret,
    UPLOAD_URL: address.optional(),
  });

/** Every variable and binding the edge reads. */
export const EDGE_CONFIG_VARIABLES: readonly string[] = Object.keys(edgeEnvironment.shape);

export type EdgeConfig = Omit<z.infer<typeof edgeEnvironment>, "HYPERDRIVE"> & {
  DATABASE_URL: string;
  /** Connections are lent by Hyperdrive, for one transaction or statement at a time. */
  isPooled: boolean;
  S3_FORCE_PATH_STYLE: boolean;
  /** Requests a minute and caller; null for no limit. */
  RATE_LIMIT: number | null;
};

/** Reads a worker's variables, secrets and bindings. Empty values count as absent. Throws ConfigError. */
export function loadEdgeConfig(env: Readonly<Record<string, unknown>>): EdgeConfig {
  const given = EDGE_CONFIG_VARIABLES.map((name) => [name, env[name]] as const).filter(([, value]) => value !== "");
  const parsed = edgeEnvironment.safeParse(Object.fromEntries(given));
  if (!parsed.success) throw new ConfigError(parsed.error.issues.map(describeIssue).join("; "));
  const { HYPERDRIVE, ...config } = parsed.data;
  const DATABASE_URL = HYPERDRIVE?.connectionString ?? config.DATABASE_URL;
  if (DATABASE_URL === undefined) throw new ConfigError("DATABASE_URL or a HYPERDRIVE binding is required");
  return {
    ...config,
    DATABASE_URL,
    isPooled: HYPERDRIVE !== undefined,
    S3_FORCE_PATH_STYLE: config.S3_FORCE_PATH_STYLE ?? config.S3_ENDPOINT_URL !== undefined,
    RATE_LIMIT: config.RATE_LIMIT === undefined ? PRODUCTION_RATE_LIMIT : config.RATE_LIMIT,
  };
}
