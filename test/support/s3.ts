import { randomUUID } from "node:crypto";
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  paginateListObjectsV2,
} from "@aws-sdk/client-s3";
import { inject } from "vitest";
import { openS3Bucket, type S3Bucket, type S3Options } from "../../src/storage/s3-client.js";
import { abortUploads } from "../../src/storage/s3-list.js";
import type { S3Server } from "./radosgw-server.js";

/** A bucket of its own; `remove` takes it away with all that is in it. */
export type TestBucket = { options: S3Options; remove(): Promise<void> };

/** The run's S3 server, which starts at the first call. Throws with the reason where it cannot. */
async function s3Server(): Promise<S3Server> {
  const response = await fetch(inject("radosgwStarter"));
  const answer = await response.text();
  if (!response.ok) throw new Error(answer);
  return JSON.parse(answer) as S3Server;
}

/** An empty bucket on the run's server, or on another. */
export async function createS3Bucket(server?: S3Server): Promise<TestBucket> {
  const { endpoint, ...credentials } = server ?? (await s3Server());
  const options: S3Options = {
    endpoint,
    region: "us-east-1",
    bucket: `test-${randomUUID()}`,
    credentials: { accessKeyId: credentials.accessKeyId, secretAccessKey: credentials.secretAccessKey },
    forcePathStyle: true,
    multipartThresholdBytes: 5 * 1024 * 1024,
    timeouts: { connectMs: 2_000, idleMs: 20_000 },
  };
  await onBucket(options, ({ client, bucket }) => client.send(new CreateBucketCommand({ Bucket: bucket })));
  return { options, remove: () => removeBucket(options) };
}

const removeBucket = (options: S3Options): Promise<void> =>
  onBucket(options, async (at) => {
    await abortUploads(at, new Date(Date.now() + 60_000));
    const { client, bucket } = at;
    // Not by way of the store, which passes over what is called like no key.
    for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket: bucket })) {
      const Objects = Contents.map(({ Key }) => ({ Key }));
      if (Objects.length > 0) await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects } }));
    }
    await client.send(new DeleteBucketCommand({ Bucket: bucket }));
  });

/** Work on a bucket that the store itself has no word for. */
export async function onBucket<T>(options: S3Options, work: (at: S3Bucket) => Promise<T>): Promise<T> {
  const at = openS3Bucket(options);
  try {
    return await work(at);
  } finally {
    at.client.destroy();
  }
}
