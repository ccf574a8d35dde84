import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { StorageUnavailableError } from "../../src/media/ports.js";
import { createResilientStorage } from "../../src/storage/resilient.js";
import { createS3Storage, type S3Storage } from "../../src/storage/s3.js";
import type { S3Options } from "../../src/storage/s3-client.js";
import { readAll, sha256Of, someBytes, sourceOf } from "../support/byte-source.js";
import { type MeddlingProxy, startMeddlingProxy } from "../support/meddling-proxy.js";
import { expectOutage, keysOf } from "../support/outage.js";
import { createRecordingLog } from "../support/recording-log.js";
import { createS3Bucket, type TestBucket } from "../support/s3.js";

const OPTIONS = { contentType: "image/png", isPublic: true };
const MEBIBYTE = 1024 * 1024;

describe("a bad line to the S3 store", () => {
  let bucket: TestBucket;
  let proxy: MeddlingProxy;
  let direct: S3Storage;
  let storage: S3Storage;

  beforeEach(async () => {
    bucket = await createS3Bucket();
    proxy = await startMeddlingProxy(bucket.options.endpoint ?? "");
    direct = createS3Storage(bucket.options);
    storage = open();
  });
  afterEach(async () => {
    storage.close();
    direct.close();
    await proxy.close();
    await bucket.remove();
  });

  const open = (changes: Partial<S3Options> = {}) =>
    createS3Storage({ ...bucket.options, endpoint: proxy.endpoint, maxAttempts: 2, ...changes });

  it.each([
    ["one piece", 100_000],
    ["parts", 6 * MEBIBYTE],
  ])("that changes bytes of a put in %s gets nothing stored", async (_, size) => {
    const bytes = someBytes(size);
    const mark = bytes.subarray(size - 2_000, size - 1_992);
    proxy.toServer = (passing) => {
      const at = passing.indexOf(mark);
      if (at >= 0) passing.writeUInt8(passing.readUInt8(at) ^ 1, at);
      return passing;
    };
    const failure: unknown = await storage.put("a.png", sourceOf(bytes), OPTIONS).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StorageUnavailableError);
    expect((failure as Error).message).toMatch("changed on their way");
    expect(await direct.head("a.png")).toEqual({ state: "missing" });
    expect(await direct.sweepUnfinished(new Date(Date.now() + 60_000))).toBe(0);
  });

  it("that breaks off within an object fails the reader instead of ending the object early", async () => {
    await direct.put("large.mp4", sourceOf(someBytes(4 * MEBIBYTE)), OPTIONS);
    let passed = 0;
    proxy.toClient = (bytes) => {
      passed += bytes.length;
      return passed < MEBIBYTE ? bytes : null;
    };
    const object = await storage.get("large.mp4");
    await expect(readAll(object!.stream)).rejects.toBeInstanceOf(Error);
  });

  it("that falls silent fails requests after the time that was set", async () => {
    storage.close();
    storage = open({ timeouts: { connectMs: 200, idleMs: 200 }, maxAttempts: 1 });
    proxy.toServer = () => Buffer.alloc(0);
    await expectOutage(storage, /in time/);
  });

  it("that falls silent fails a look at one object long before that, whatever its tries", async () => {
    storage.close();
    storage = open({ timeouts: { headMs: 200 } });
    proxy.toServer = () => Buffer.alloc(0);
    expect(await storage.head("a.png")).toMatchObject({ state: "unknown", reason: expect.stringMatching(/in time/) });
  });

  it("that loses the answer of a put fails it, and a second try finds its own object", async () => {
    const loseNextAnswer = () => {
      proxy.toClient = () => {
        proxy.toClient = (bytes) => bytes;
        return null;
      };
    };
    loseNextAnswer();
    await expect(storage.put("a.png", sourceOf("bytes"), OPTIONS)).rejects.toBeInstanceOf(StorageUnavailableError);
    await vi.waitFor(async () => expect(await direct.head("a.png")).toMatchObject({ state: "exists" }));
    const resilient = createResilientStorage(storage, { log: createRecordingLog(), firstDelayMs: 500 });
    loseNextAnswer();
    await resilient.put("b.png", sourceOf("bytes"), OPTIONS);
    expect(await keysOf(direct)).toEqual(["a.png", "b.png"]);
  });

  it("is not held by a reader who stops early", async () => {
    await direct.put("large.mp4", sourceOf(someBytes(20 * MEBIBYTE)), OPTIONS);
    const reader = (await storage.get("large.mp4"))!.stream.getReader();
    await reader.read();
    expect(proxy.connections()).toBe(1);
    await reader.cancel();
    await vi.waitFor(() => expect(proxy.connections()).toBe(0));
  });

  it("that loses the last answer of a put in parts does not make it fail", async () => {
    const loseAnswerOfCompletion = (meanwhile: () => void) => {
      let isLost = false;
      proxy.toServer = (bytes) => {
        isLost ||= bytes.includes("<CompleteMultipartUpload");
        return bytes;
      };
      proxy.toClient = (bytes) => {
        if (!isLost) return bytes;
        proxy.toServer = proxy.toClient = (passing) => passing;
        meanwhile();
        return null;
      };
    };
    const lost = vi.fn<() => void>();
    loseAnswerOfCompletion(lost);
    const bytes = someBytes(6 * MEBIBYTE);
    await storage.put("videos/a.mp4", sourceOf(bytes), OPTIONS);
    expect(lost).toHaveBeenCalledOnce();
    expect(sha256Of(await readAll((await direct.get("videos/a.mp4"))!.stream))).toBe(sha256Of(bytes));
  });
});
