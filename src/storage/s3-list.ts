import {
  AbortMultipartUploadCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandOutput,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  type MultipartUpload,
  type _Object as StoredEntry,
} from "@aws-sdk/client-s3";
import { type ObjectListing, StorageUnavailableError } from "../media/ports.js";
import { isObjectKey, type KeyWindow } from "./key-rules.js";
import type { S3Bucket } from "./s3-client.js";
import { onS3, s3Failure, unavailable } from "./s3-failure.js";

/** The objects in bytewise key order, read page by page as they are asked for. What is called like no key is passed over. */
export async function* listObjects(
  { client, bucket }: S3Bucket,
  { startAfter, prefix }: KeyWindow = {},
): AsyncGenerator<ObjectListing, void, undefined> {
  const window = { Bucket: bucket, StartAfter: startAfter || undefined, Prefix: prefix || undefined };
  let token: string | undefined;
  do {
    const page: ListObjectsV2CommandOutput = await onS3(
      client.send(new ListObjectsV2Command({ ...window, ContinuationToken: token })),
    );
    for (const object of page.Contents ?? []) {
      const listed = listingOf(object);
      if (isObjectKey(listed.key)) yield listed;
    }
    token = page.NextContinuationToken;
    if (page.IsTruncated && token === undefined) throw incomplete();
  } while (token !== undefined);
}

function listingOf({ Key: key = "", Size: size, LastModified: lastModified }: StoredEntry): ObjectListing {
  if (size === undefined || !lastModified) throw incomplete();
  return { key, size, lastModified };
}

/** Never a shorter list instead: what is not listed would be taken for what is not there. */
const incomplete = () =>
  new StorageUnavailableError("The object store's listing lacks a size, a time or its next page.");

/** Aborts uploads in parts that were begun before `olderThan`. Answers how many. */
export async function abortUploads(at: S3Bucket, olderThan: Date): Promise<number> {
  let aborted = 0;
  for await (const upload of unfinishedUploads(at)) {
    if (upload.Initiated && upload.Initiated < olderThan && (await abortUpload(at, upload))) aborted++;
  }
  return aborted;
}

async function* unfinishedUploads({ client, bucket }: S3Bucket): AsyncGenerator<MultipartUpload, void, undefined> {
  let from: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } | undefined = {};
  while (from) {
    const page: ListMultipartUploadsCommandOutput = await onS3(
      client.send(new ListMultipartUploadsCommand({ Bucket: bucket, ...from })),
    );
    yield* page.Uploads ?? [];
    const next = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
    from = page.IsTruncated && page.NextKeyMarker ? next : undefined;
  }
}

/** False where it ended meanwhile. */
async function abortUpload({ client, bucket }: S3Bucket, { Key, UploadId }: MultipartUpload): Promise<boolean> {
  try {
    await client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }));
    return true;
  } catch (error) {
    if (s3Failure(error).code === "NoSuchUpload") return false;
    throw unavailable(error);
  }
}
