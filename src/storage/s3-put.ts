import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import type { ReadableStream as NodeReadableStream } from "node:stream/web";
import { HeadObjectCommand, PutObjectCommand, type PutObjectCommandInput } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { type ByteSource, ObjectExistsError, type PutOptions } from "../media/ports.js";
import { keySegments } from "./key-rules.js";
import type { S3Bucket, S3Options } from "./s3-client.js";
import { onS3, s3Failure, unavailable } from "./s3-failure.js";
import { type BucketCheck, findObject } from "./s3-read.js";
import { verifiedBytes } from "./verified-bytes.js";

const DEFAULT_THRESHOLD_BYTES = 64 * 1024 * 1024;
const PART_BYTES = 8 * 1024 * 1024;
/** S3 takes no more. */
const MAX_PARTS = 10_000;
/** Parts in memory at once. */
const PARTS_AT_ONCE = 3;

type Put = { store: S3PutStore; key: string; source: ByteSource; input: PutObjectCommandInput };

/** What puts need to know of the store. */
export type S3PutStore = { at: S3Bucket; options: S3Options; isBucketThere: BucketCheck };

/**
 * Stores one object. A request that breaks off stores nothing, and the last bytes are sent only once all were
 * verified; parts become an object only with the last request, and are removed when that is not reached.
 */
export async function putObject(
  store: S3PutStore,
  key: string,
  source: ByteSource,
  { contentType, isPublic }: PutOptions,
): Promise<void> {
  keySegments(key);
  const { multipartThresholdBytes = DEFAULT_THRESHOLD_BYTES, conditionalPuts = true } = store.options;
  const isLarge = source.size > multipartThresholdBytes;
  // Before parts too: a taken key is refused before hundreds of megabytes were sent, not after.
  if (isLarge || !conditionalPuts) await assertFree(store, key);
  const input: PutObjectCommandInput = {
    Bucket: store.at.bucket,
    Key: key,
    ContentType: contentType,
    CacheControl: isPublic ? "public, max-age=31536000, immutable" : "private, no-store",
    ...(conditionalPuts && { IfNoneMatch: "*" }),
  };
  const put = { store, key, source, input };
  await (isLarge ? putParts(put, Math.min(PART_BYTES, multipartThresholdBytes)) : putWhole(put));
}

async function assertFree({ at, isBucketThere }: S3PutStore, key: string): Promise<void> {
  const presence = await findObject(at, key, isBucketThere);
  if (presence.state === "exists") throw new ObjectExistsError("The key is taken.");
}

async function putWhole({ store, source, input }: Put): Promise<void> {
  const command = new PutObjectCommand({
    ...input,
    ContentLength: source.size,
    ChecksumSHA256: Buffer.from(source.sha256, "hex").toString("base64"),
  });
  signPayloadHash(command, source.sha256);
  await sending(verifiedBytes(source), async (body, abortSignal) => {
    command.input.Body = source.size === 0 ? await noBytes(body) : body;
    try {
      await store.at.client.send(command, { abortSignal });
    } catch (error) {
      if (isTaken(error)) throw new ObjectExistsError("The key is taken.", { cause: error });
      throw unavailable(error);
    }
  });
}

/** A body of no bytes is complete before it is read, so it is read first. */
async function noBytes(body: Readable): Promise<Uint8Array> {
  await body.toArray();
  return new Uint8Array();
}

/** Signs a streamed body's digest, which every server checks, instead of declaring the body unsigned. */
function signPayloadHash(command: PutObjectCommand, sha256: string): void {
  command.middlewareStack.add(
    (next) => (args) => {
      const request = args.request as { headers: Record<string, string> };
      request.headers["x-amz-content-sha256"] = sha256;
      return next(args);
    },
    { step: "build", name: "signPayloadHash" },
  );
}

async function putParts({ store, key, source, input }: Put, partBytes: number): Promise<void> {
  // Tells the object of this put from one that another made meanwhile, where the last answer was lost.
  const mark = randomUUID();
  // Not every server that minds `If-None-Match` does so for parts: a second look closes all but the last moment.
  const bytes = verifiedBytes(source, () => assertFree(store, key));
  await sending(bytes, async (Body) => {
    // It ends by itself when the body fails, and not before the parts are gone.
    const upload = new Upload({
      client: store.at.client,
      params: { ...input, Body, ContentLength: source.size, Metadata: { put: mark } },
      partSize: Math.max(partBytes, Math.ceil(source.size / MAX_PARTS)),
      queueSize: PARTS_AT_ONCE,
    });
    try {
      await upload.done();
    } catch (error) {
      if (!isTaken(error) && s3Failure(error).code !== "NoSuchUpload") throw unavailable(error);
      if ((await markOf(store.at, key)) === mark) return;
      throw isTaken(error) ? new ObjectExistsError("The key is taken.", { cause: error }) : unavailable(error);
    }
  });
}

async function markOf({ client, bucket }: S3Bucket, key: string): Promise<string | undefined> {
  const { Metadata } = await onS3(client.send(new HeadObjectCommand({ Bucket: bucket, Key: key })));
  return Metadata?.put;
}

const isTaken = (error: unknown): boolean => s3Failure(error).status === 412;

/** Sends a body. Where its bytes fail, the request ends and their own error is what is thrown. */
async function sending(
  bytes: ReadableStream<Uint8Array>,
  send: (body: Readable, abortSignal: AbortSignal) => Promise<void>,
): Promise<void> {
  const abort = new AbortController();
  const body = Readable.fromWeb(bytes as NodeReadableStream);
  let failure: Error | undefined;
  body.on("error", (error) => {
    failure = error;
    abort.abort();
  });
  try {
    await send(body, abort.signal);
  } catch (error) {
    throw failure ?? error;
  } finally {
    body.destroy();
  }
}
