import type { ObjectStorage } from "../media/ports.js";
import { openS3Bucket, type S3Options } from "./s3-client.js";
import { createS3Kept, type S3Kept } from "./s3-kept.js";
import { putObject } from "./s3-put.js";
import { createBucketCheck } from "./s3-read.js";

export type S3Storage = S3Kept & ObjectStorage;

/** Objects in one bucket of an S3 server, each under its key. */
export function createS3Storage(options: S3Options): S3Storage {
  const at = openS3Bucket(options);
  const isBucketThere = createBucketCheck(at);
  return {
    ...createS3Kept(at, options, isBucketThere),
    put: (key, source, how) => putObject({ at, options, isBucketThere }, key, source, how),
  };
}
