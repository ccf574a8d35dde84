import type { ObjectStorage } from "../media/ports.js";
import { openS3Bucket, type S3Options } from "./s3-client.js";
import { deleteObject, deleteObjects } from "./s3-delete.js";
import { abortUploads, listObjects } from "./s3-list.js";
import {
  type PresignedPut,
  type PresignGetOptions,
  type PresignPutOptions,
  presignGet,
  presignPut,
} from "./s3-presign.js";
import { putObject } from "./s3-put.js";
import { createBucketCheck, getObject, headObject } from "./s3-read.js";

export type S3Storage = ObjectStorage & {
  readonly type: "s3";
  readonly bucketName: string;
  /** An address that reads the object until it expires. Throws as the store does for a key that is none. */
  presignGet(key: string, options: PresignGetOptions): Promise<string>;
  /** An address, and the headers to send with it, that stores the object until it expires. */
  presignPut(key: string, options: PresignPutOptions): Promise<PresignedPut>;
  /** Ends the connections; the store is of no use afterwards. */
  close(): void;
};

/** Objects in one bucket of an S3 server, each under its key. */
export function createS3Storage(options: S3Options): S3Storage {
  const at = openS3Bucket(options);
  const isBucketThere = createBucketCheck(at);
  return {
    type: "s3",
    bucketName: options.bucket,
    put: (key, source, how) => putObject({ at, options, isBucketThere }, key, source, how),
    get: (key, range) => getObject(at, key, range),
    head: (key) => headObject(at, key, isBucketThere),
    delete: (key) => deleteObject(at, key),
    deleteMany: (keys) => deleteObjects(at, keys),
    list: (window) => listObjects(at, window),
    sweepUnfinished: (olderThan) => abortUploads(at, olderThan),
    presignGet: async (key, how) => presignGet(at, key, how),
    presignPut: (key, how) => presignPut(at, key, { ...how, ifNoneMatch: options.conditionalPuts ?? true }),
    close: () => at.client.destroy(),
  };
}
