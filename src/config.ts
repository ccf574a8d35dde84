import { z } from "zod";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

/** An integer from the environment, at least `min`. */
const integer = (fallback: number, min = 1) =>
  z
    .string()
    .regex(/^\d+$/, "must be a whole number")
    .transform(Number)
    .pipe(z.number().min(min).max(Number.MAX_SAFE_INTEGER))
    .default(fallback);

/** No address that is signed for S3 is good for longer: a week. */
const MAX_ADDRESS_MINUTES = 7 * 24 * 60;

const flag = z.enum(["true", "false"], "must be true or false").transform((value) => value === "true");

/** What browsers send as `Origin`: a scheme, a host in lower case, a port where it is not the scheme's own. */
const origin = z
  .string()
  .refine(isOrigin, "must be origins such as https://www.example.org, without a path")
  .transform((value) => new URL(value).origin);

function isOrigin(value: string): boolean {
  if (!/^https?:\/\//i.test(value) || !URL.canParse(value)) return false;
  const { pathname, search, hash, username, password } = new URL(value);
  return pathname === "/" && [search, hash, username, password].every((part) => part === "");
}

/** A base address, without a slash at its end. */
export const address = z
  .string()
  .refine((value) => /^https?:\/\//.test(value) && URL.canParse(value), "must be an http or https URL")
  .transform((value) => value.replace(/\/+$/, ""));

const list = z.string().transform((value) =>
  value
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== ""),
);

/** The query would be options of the client, which are not the operator's to set. */
function isRedisAddress(value: string): boolean {
  if (!/^rediss?:\/\//.test(value) || !URL.canParse(value)) return false;
  const { hostname, pathname, search } = new URL(value);
  return hostname !== "" && /^\/?\d*$/.test(pathname) && search === "";
}

/** Every variable of every runtime that means the same in each; the edge takes some of them. */
export const environment = z.object({
  NODE_ENV: z.string().default("development"),
  HOST: z.string().min(1).default("127.0.0.1"),
  PORT: integer(3000, 0).pipe(z.number().max(65535)),
  BASE_URL: address.optional(),
  DATA_DIR: z.string().min(1).default("./data"),
  DATABASE_URL: z
    .string()
    .regex(/^(file:|mysql:\/\/)/, "must begin with file: or mysql://")
    .optional(),
  DATABASE_POOL_SIZE: integer(10),
  REDIS_URL: z
    .string()
    .refine(isRedisAddress, "must be a redis:// or rediss:// address with a host and no path but a database's number")
    .optional(),
  STORAGE_TYPE: z.enum(["local", "s3"], "must be local or s3").default("local"),
  STORAGE_FALLBACK: z.enum(["off", "local"], "must be off or local").default("off"),
  UPLOAD_DIR: z.string().min(1).optional(),
  S3_ENDPOINT_URL: address.optional(),
  S3_BUCKET_NAME: z.string().min(1).optional(),
  S3_FORCE_PATH_STYLE: flag.optional(),
  S3_CONDITIONAL_PUTS: flag.default(true),
  S3_PUBLIC_BASE_URL: address.optional(),
  CDN_URL: address.optional(),
  AWS_REGION: z.string().min(1).default("us-east-1"),
  AWS_ACCESS_KEY_ID: z.string().min(1).optional(),
  AWS_SECRET_ACCESS_KEY: z.string().min(1).optional(),
  SERVICE_TOKEN: z.string().min(1).max(512).optional(),
  SIGNING_SECRET: z.string().min(1).optional(),
  KEEP_GPS: flag.default(false),
  CORS_ORIGINS: list.pipe(z.array(origin)).default([]),
  LOG_LEVEL: z.enum(["silent", "error", "warn", "info", "debug"]).default("info"),
  PIXEL_PROCESSES: integer(0, 0),
  PIXEL_PROCESS_MAX_BYTES: integer(3 * GIB, 256 * MIB),
  MAX_PIXELS_IN_FLIGHT: integer(100_000_000),
  MAX_IMAGE_BYTES: integer(20 * MIB),
  MAX_AVATAR_BYTES: integer(10 * MIB),
  MIN_VIDEO_BYTES: integer(10 * 1024),
  MAX_VIDEO_BYTES: integer(500 * MIB),
  MIN_IMAGE_SIDE: integer(50),
  MIN_SLOT_IMAGE_SIDE: integer(100),
  MAX_IMAGE_SIDE: integer(16384),
  MAX_IMAGE_PIXELS: integer(100_000_000),
  MAX_ANIMATED_PIXELS: integer(200_000_000),
  MAX_BATCH_FILES: integer(20),
  DIRECT_UPLOAD_MINUTES: integer(60).pipe(z.number().max(MAX_ADDRESS_MINUTES)),
  TRASH_RETENTION_DAYS: integer(30, 0),
  IMPORT_RETENTION_DAYS: integer(7, 0),
  SYNC_INTERVAL_MINUTES: integer(360, 0),
  SYNC_CONFIRM_MINUTES: integer(2, 0),
  SYNC_GRACE_MINUTES: integer(60, 0),
  SYNC_OBJECTS_PER_SECOND: integer(500, 0),
  QUARANTINE_DAYS: integer(7, 0),
  RATE_LIMIT: z
    .string()
    .regex(/^(off|[1-9]\d{0,8})$/, "must be off or a number of requests a minute")
    .transform((value) => (value === "off" ? null : Number(value)))
    .optional(),
  TRUST_PROXY: flag.default(false),
  REQUEST_IDLE_SECONDS: integer(30),
});

/** Every variable the server reads. */
export const CONFIG_VARIABLES: readonly string[] = Object.keys(environment.shape);

export type Config = Omit<z.infer<typeof environment>, "RATE_LIMIT"> & {
  DATABASE_URL: string;
  UPLOAD_DIR: string;
  /** The bucket in the address's path, not in its host: the default wherever an endpoint is named. */
  S3_FORCE_PATH_STYLE: boolean;
  /** Requests a minute and caller; null for no limit, which is the default outside production. */
  RATE_LIMIT: number | null;
  /** Secrets must be given, and are not made up. */
  isProduction: boolean;
};

/** Says in one line what is wrong with the environment; never shows a value, it may be a secret. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** Reads the environment once, at the start. Empty values count as absent. Throws ConfigError. */
export function loadConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ""));
  const parsed = environment.safeParse(given);
  if (!parsed.success) throw new ConfigError(parsed.error.issues.map(describeIssue).join("; "));
  const config = parsed.data;
  const DATABASE_URL = config.DATABASE_URL ?? `file:${config.DATA_DIR}/media.db`;
  const isProduction = config.NODE_ENV === "production" || DATABASE_URL.startsWith("mysql:");
  const complete = {
    ...config,
    RATE_LIMIT: config.RATE_LIMIT === undefined && isProduction ? PRODUCTION_RATE_LIMIT : (config.RATE_LIMIT ?? null),
    DATABASE_URL,
    UPLOAD_DIR: config.UPLOAD_DIR ?? `${config.DATA_DIR}/files`,
    S3_FORCE_PATH_STYLE: config.S3_FORCE_PATH_STYLE ?? config.S3_ENDPOINT_URL !== undefined,
    isProduction,
  };
  requireSecrets(complete);
  requireWholeStorage(complete);
  return complete;
}

export const describeIssue = (issue: z.core.$ZodIssue): string => `${String(issue.path[0])} ${issue.message}`;

/** Twenty a second on average: a gallery page with its uploads stays far below, a script in a loop does not. */
export const PRODUCTION_RATE_LIMIT = 1200;

/** Below this many characters a secret can be guessed. */
export const MIN_SECRET_LENGTH = 16;

function requireSecrets(config: Config): void {
  if (!config.isProduction) return;
  for (const name of ["SERVICE_TOKEN", "SIGNING_SECRET"] as const)
    if ((config[name]?.length ?? 0) < MIN_SECRET_LENGTH)
      throw new ConfigError(`${name} is required in production, with at least ${MIN_SECRET_LENGTH} characters`);
}

/** What only makes sense together. */
function requireWholeStorage(config: Config): void {
  if (config.STORAGE_TYPE === "s3" && config.S3_BUCKET_NAME === undefined)
    throw new ConfigError("S3_BUCKET_NAME is required where STORAGE_TYPE is s3");
  if (config.STORAGE_TYPE === "local" && config.STORAGE_FALLBACK === "local")
    throw new ConfigError("STORAGE_FALLBACK must be off where STORAGE_TYPE is local");
  if ((config.AWS_ACCESS_KEY_ID === undefined) !== (config.AWS_SECRET_ACCESS_KEY === undefined))
    throw new ConfigError("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be given together");
}
