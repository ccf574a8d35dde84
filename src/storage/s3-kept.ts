import type { KeptObjects } from "../media/ports.js";
import type { S3Bucket, S3Options } from "./s3-client.js";
import { deleteObject, deleteObjects } from "./s3-delete.js";
import { abortUploads, listObjects } from "./s3-list.js";
import {
  type PresignedPut,
  type PresignGetOptions,
  type PresignPutOptions,
  presignGet,
  presignPut,
} from "./s3-presign.js";
import { type BucketCheck, getObject, headObject } from "./s3-read.js";

/** A bucket as far as it runs without Node: all but streaming new objects into it. */
export type S3Kept = KeptObjects & {
  readonly type: "s3";
  readonly bucketName: string;
  /** An address that reads the object until it expires. Throws as the store does for a key that is none. */
  presignGet(key: string, options: PresignGetOptions): Promise<string>;
  /** An address, and the headers to send with it, that stores the object until it expires. */
  presignPut(key: string, options: PresignPutOptions): Promise<PresignedPut>;
  /** Ends the connections; the store is of no use afterwards. */
  close(): void;
};

export const createS3Kept = (at: S3Bucket, options: S3Options, isBucketThere: BucketCheck): S3Kept => ({
  type: "s3",
  bucketName: options.bucket,
  get: (key, range) => getObject(at, key, range),
  head: (key) => headObject(at, key, isBucketThere),
  delete: (key) => deleteObject(at, key),
  deleteMany: (keys) => deleteObjects(at, keys),
  list: (window) => listObjects(at, window),
  sweepUnfinished: (olderThan) => abortUploads(at, olderThan),
  presignGet: async (key, how) => presignGet(at, key, how),
  presignPut: (key, how) => presignPut(at, key, { ...how, ifNoneMatch: options.conditionalPuts ?? true }),
  close: () => at.client.destroy(),
});
