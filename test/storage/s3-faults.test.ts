import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createResilientStorage } from "../../src/storage/resilient.js";
import { createS3Storage, type S3Storage } from "../../src/storage/s3.js";
import type { S3Options } from "../../src/storage/s3-client.js";
import { startAnsweringServer } from "../support/answering-server.js";
import { readAll, sha256Of, someBytes, sourceOf } from "../support/byte-source.js";
import { freePort } from "../support/free-port.js";
import { expectOutage, keysOf } from "../support/outage.js";
import { type Radosgw, startRadosgw } from "../support/radosgw-server.js";
import { createRecordingLog } from "../support/recording-log.js";
import { createS3Bucket, type TestBucket } from "../support/s3.js";

const OPTIONS = { contentType: "image/png", isPublic: true };
const MEBIBYTE = 1024 * 1024;

describe("an outage of the S3 store", () => {
  let bucket: TestBucket;
  let storage: S3Storage;
  const opened: S3Storage[] = [];

  beforeEach(async () => {
    bucket = await createS3Bucket();
    storage = open();
    await storage.put("users/a.png", sourceOf("bytes"), OPTIONS);
  });
  afterEach(async () => {
    vi.useRealTimers();
    for (const each of opened.splice(0)) each.close();
    await bucket.remove();
  });

  const open = (changes: Partial<S3Options> = {}) => {
    const opening = createS3Storage({ ...bucket.options, maxAttempts: 2, ...changes });
    opened.push(opening);
    return opening;
  };
  it("is what a wrong secret means", () =>
    expectOutage(open({ credentials: { ...bucket.options.credentials!, secretAccessKey: "wrong" } }), /access key/));

  it("is what an unknown access key means", () =>
    expectOutage(open({ credentials: { accessKeyId: "NOBODY", secretAccessKey: "wrong" } }), /access key/));

  it("is what a bucket means that is not there", () => expectOutage(open({ bucket: "never-made" }), /no such bucket/));

  it("is what a refused connection means", async () =>
    expectOutage(open({ endpoint: `http://127.0.0.1:${await freePort()}` }), /connection is refused/));

  it("is what an unknown host means", () => expectOutage(open({ endpoint: "http://no.invalid:1" }), /host name/));

  it("is what something else means that listens in the store's place", async () => {
    const other = await startAnsweringServer((_, response) => response.writeHead(404).end("<h1>Not found</h1>"));
    await expectOutage(open({ endpoint: other.endpoint }), /does not serve/);
    other.close();
  });

  it("is what a bucket means that vanished, a few seconds later at the latest", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    const gone = await createS3Bucket();
    const storage = open({ bucket: gone.options.bucket });
    expect(await storage.head("users/a.png")).toEqual({ state: "missing" });
    await gone.remove();
    vi.advanceTimersByTime(3_000);
    await expectOutage(storage, /no such bucket/);
  });
});

describe("a gateway that is killed", () => {
  let radosgw: Radosgw;

  beforeAll(async () => {
    radosgw = await startRadosgw();
  });
  afterAll(() => radosgw.stop());

  it("is an outage until it is started again, and nothing is lost", async () => {
    const { options } = await createS3Bucket(radosgw);
    const storage = createS3Storage({ ...options, maxAttempts: 1 });
    await storage.put("users/a.png", sourceOf("bytes"), OPTIONS);
    await radosgw.kill();
    await expectOutage(storage, /connection/);
    await radosgw.restart();
    expect(await storage.head("users/a.png")).toMatchObject({ state: "exists", size: 5 });
    expect(await keysOf(storage)).toEqual(["users/a.png"]);
    storage.close();
  });

  it("delays a put through the resilient store, and does not fail it", async () => {
    const { options } = await createS3Bucket(radosgw);
    const s3 = createS3Storage(options);
    const log = createRecordingLog();
    const storage = createResilientStorage(s3, { log, putAttempts: 200, firstDelayMs: 50, longestDelayMs: 100 });
    await radosgw.kill();
    const bytes = someBytes(MEBIBYTE);
    const putting = storage.put("users/a.png", sourceOf(bytes), OPTIONS);
    await radosgw.restart();
    await putting;
    expect(sha256Of(await readAll((await storage.get("users/a.png"))!.stream))).toBe(sha256Of(bytes));
    storage.close();
  });
});
