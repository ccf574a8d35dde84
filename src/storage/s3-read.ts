import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  HeadBucketCommand,
  HeadObjectCommand,
} from "@aws-sdk/client-s3";
import { type ByteRange, type Presence, StorageUnavailableError, type StoredObject } from "../media/ports.js";
import { keySegments } from "./key-rules.js";
import type { S3Bucket } from "./s3-client.js";
import { s3Failure, unavailable } from "./s3-failure.js";

/** Rejects where the bucket does not answer. */
export type BucketCheck = () => Promise<void>;

/** How long one answer of the bucket speaks for it. */
const BUCKET_CHECK_MS = 2_000;

/** A check that asks at most every two seconds; a failure is not remembered. */
export function createBucketCheck({ client, bucket }: S3Bucket): BucketCheck {
  let lastAnswer = Number.NEGATIVE_INFINITY;
  return async () => {
    if (performance.now() - lastAnswer < BUCKET_CHECK_MS) return;
    const asked = performance.now();
    try {
      await client.send(new HeadBucketCommand({ Bucket: bucket }));
    } catch (error) {
      if (s3Failure(error).status !== 404) throw unavailable(error);
      throw new StorageUnavailableError("The object store does not serve: there is no such bucket.", { cause: error });
    }
    lastAnswer = asked;
  };
}

export async function getObject(
  { client, bucket }: S3Bucket,
  key: string,
  range?: ByteRange,
): Promise<StoredObject | null> {
  keySegments(key);
  const wanted = range && rangeHeader(range);
  try {
    const command = new GetObjectCommand({ Bucket: bucket, Key: key, Range: wanted });
    return await storedObject(await client.send(command), range);
  } catch (error) {
    const { code, status } = s3Failure(error);
    if (code === "NoSuchKey") return null;
    if (range && status === 416) throw new RangeError(`No byte of the object lies in ${wanted}.`, { cause: error });
    throw unavailable(error);
  }
}

function rangeHeader({ start, end }: ByteRange): string {
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start)
    throw new RangeError(`Bytes ${start} to ${end} are no range.`);
  return `bytes=${start}-${end}`;
}

async function storedObject(answer: GetObjectCommandOutput, range: ByteRange | undefined): Promise<StoredObject> {
  const stream = answer.Body?.transformToWebStream() as ReadableStream<Uint8Array> | undefined;
  const size = isWhole(answer, range) ? answer.ContentLength : sizeOfAll(answer.ContentRange);
  if (!stream || size === undefined) {
    await stream?.cancel();
    throw new StorageUnavailableError("The object store's answer holds no body, or not the range that was asked for.");
  }
  return { size, stream };
}

/** Whether all of the object was asked for and is answered; a server may answer such a range like no range at all. */
const isWhole = ({ ContentRange, ContentLength = 0 }: GetObjectCommandOutput, range: ByteRange | undefined): boolean =>
  !range || (ContentRange === undefined && range.start === 0 && range.end >= ContentLength - 1);

/** Undefined where the server took no notice of the range, or does not say how large the object is. */
const sizeOfAll = (contentRange = ""): number | undefined => {
  const total = /^bytes \d+-\d+\/(\d+)$/.exec(contentRange)?.[1];
  return total === undefined ? undefined : Number(total);
};

/** Rejects with a `StorageUnavailableError` where nothing may be concluded. */
export async function findObject(at: S3Bucket, key: string, isBucketThere: BucketCheck): Promise<Presence> {
  keySegments(key);
  try {
    const deadline = { abortSignal: AbortSignal.timeout(at.headMs) };
    const answer = await at.client.send(new HeadObjectCommand({ Bucket: at.bucket, Key: key }), deadline);
    if (answer.ContentLength === undefined || !answer.LastModified)
      throw new StorageUnavailableError("The object store's answer lacks the object's size or time.");
    return { state: "exists", size: answer.ContentLength, lastModified: answer.LastModified };
  } catch (error) {
    if (s3Failure(error).status !== 404) throw unavailable(error);
  }
  // The answer to HEAD has no body that would tell a missing object from a missing bucket.
  await isBucketThere();
  return { state: "missing" };
}

export async function headObject(at: S3Bucket, key: string, isBucketThere: BucketCheck): Promise<Presence> {
  try {
    return await findObject(at, key, isBucketThere);
  } catch (error) {
    if (!(error instanceof StorageUnavailableError)) throw error;
    return { state: "unknown", reason: error.message };
  }
}
