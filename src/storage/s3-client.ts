import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";

export type S3Options = {
  /** Undefined: Amazon's own, by region. */
  endpoint: string | undefined;
  region: string;
  bucket: string;
  /** Undefined: where the SDK looks (environment, profile, the machine's role). */
  credentials: { accessKeyId: string; secretAccessKey: string } | undefined;
  /** `https://host/bucket/key` instead of `https://bucket.host/key`. */
  forcePathStyle: boolean;
  /** Larger objects are put in parts; at least 5 MiB, the smallest part S3 takes. */
  multipartThresholdBytes?: number;
  /**
   * False for servers that refuse or ignore `If-None-Match` with a put: a look before each put then stands in for it,
   * which two puts of one key at the same moment can slip past.
   */
  conditionalPuts?: boolean;
  timeouts?: {
    /** Until the connection stands. */
    connectMs?: number;
    /** Longest silence on an open connection, before and within an answer. */
    idleMs?: number;
    /** Until a look at one object is answered, all tries together: somebody holds a row's lock meanwhile. */
    headMs?: number;
  };
  /** Connections at once; further requests wait for one. */
  maxSockets?: number;
  /** Tries of a request that may be repeated; a put of one piece is sent once. */
  maxAttempts?: number;
};

const nothing = (): void => undefined;
/** The SDK's own lines go nowhere: what fails is thrown, and logged by who knows what it means. */
const SILENT = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };

/** Where requests go: the client and the bucket. */
export type S3Bucket = { client: S3Client; bucket: string; headMs: number };

export function openS3Bucket(options: S3Options): S3Bucket {
  const { endpoint, region, credentials, forcePathStyle, maxAttempts = 3 } = options;
  const { connectMs = 3_000, idleMs = 20_000, headMs = 5_000 } = options.timeouts ?? {};
  const agent = { keepAlive: true, maxSockets: options.maxSockets ?? 64 };
  const config: S3ClientConfig = {
    region,
    forcePathStyle,
    maxAttempts,
    logger: SILENT,
    // Servers other than Amazon's store the framing of the newer default checksums as part of the object.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: {
      connectionTimeout: connectMs,
      socketTimeout: idleMs,
      httpAgent: agent,
      httpsAgent: agent,
      logger: SILENT,
    },
    ...(endpoint && { endpoint }),
    ...(credentials && { credentials }),
  };
  return { client: new S3Client(config), bucket: options.bucket, headMs };
}
