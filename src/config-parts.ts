import type { Config } from "./config.js";
import type { Limits, SyncPatience } from "./media/limits.js";
import type { S3Options } from "./storage/s3-client.js";

type LimitSettings =
  | `MAX_${"IMAGE_BYTES" | "AVATAR_BYTES" | "VIDEO_BYTES" | "IMAGE_SIDE" | "IMAGE_PIXELS" | "ANIMATED_PIXELS" | "BATCH_FILES"}`
  | `MIN_${"VIDEO_BYTES" | "IMAGE_SIDE" | "SLOT_IMAGE_SIDE"}`
  | "DIRECT_UPLOAD_MINUTES";

export const limitsOf = (config: Pick<Config, LimitSettings>): Limits => ({
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
  directMinutes: config.DIRECT_UPLOAD_MINUTES,
});

type PatienceSettings = "SYNC_CONFIRM_MINUTES" | "SYNC_GRACE_MINUTES" | "QUARANTINE_DAYS" | "SYNC_OBJECTS_PER_SECOND";

export const syncPatienceOf = (config: Pick<Config, PatienceSettings>): SyncPatience => ({
  confirmMinutes: config.SYNC_CONFIRM_MINUTES,
  graceMinutes: config.SYNC_GRACE_MINUTES,
  quarantineDays: config.QUARANTINE_DAYS,
  objectsPerSecond: config.SYNC_OBJECTS_PER_SECOND,
});

type BucketSettings =
  | "S3_ENDPOINT_URL"
  | "AWS_REGION"
  | "S3_FORCE_PATH_STYLE"
  | "S3_CONDITIONAL_PUTS"
  | "AWS_ACCESS_KEY_ID"
  | "AWS_SECRET_ACCESS_KEY";

export const s3OptionsOf = (config: Pick<Config, BucketSettings>, bucket: string): S3Options => ({
  bucket,
  endpoint: config.S3_ENDPOINT_URL,
  region: config.AWS_REGION,
  forcePathStyle: config.S3_FORCE_PATH_STYLE,
  conditionalPuts: config.S3_CONDITIONAL_PUTS,
  credentials:
    config.AWS_ACCESS_KEY_ID !== undefined && config.AWS_SECRET_ACCESS_KEY !== undefined
      ? { accessKeyId: config.AWS_ACCESS_KEY_ID, secretAccessKey: config.AWS_SECRET_ACCESS_KEY }
      : undefined,
});
