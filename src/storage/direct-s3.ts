import type { DirectStorage } from "../media/direct-ports.js";
import type { S3Kept } from "./s3-kept.js";

/**
 * Addresses of the bucket itself. Length, type and, where it was declared, digest are part of the signature, so that a
 * store refuses other bytes; servers that know no checksums take the digest as it stands.
 */
export const createBucketAddresses = (bucket: Pick<S3Kept, "presignPut">): DirectStorage => ({
  type: "s3",
  putAddress: ({ objectKey, contentType, fileSize, sha256, expiresAt }, now) =>
    bucket.presignPut(objectKey, {
      contentType: contentType ?? "application/octet-stream",
      size: fileSize,
      ...(sha256 !== null && { sha256 }),
      expiresInSeconds: Math.floor((expiresAt.getTime() - now.getTime()) / 1000),
    }),
});
