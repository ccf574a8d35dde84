import {
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import pLimit from "p-limit";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ObjectExistsError, StorageUnavailableError } from "../../src/media/ports.js";
import { createS3Storage, type S3Storage } from "../../src/storage/s3.js";
import type { S3Options } from "../../src/storage/s3-client.js";
import { objectStorageContract } from "../contracts/object-storage.js";
import { breakingSource, bytesOf, readAll, sha256Of, someBytes, sourceOf } from "../support/byte-source.js";
import { createS3Bucket, onBucket } from "../support/s3.js";

const openStorage = async (changes: Partial<S3Options> = {}) => {
  const { options, remove } = await createS3Bucket();
  const storage = createS3Storage({ ...options, ...changes });
  const close = async () => {
    storage.close();
    await remove();
  };
  return { options, storage, close };
};

objectStorageContract("S3", openStorage);

const MEBIBYTE = 1024 * 1024;
const OPTIONS = { contentType: "image/png", isPublic: true };
const SOON = () => new Date(Date.now() + 60_000);

describe("the S3 store", () => {
  let options: S3Options;
  let storage: S3Storage;
  let close: () => Promise<void>;

  beforeEach(async () => {
    ({ options, storage, close } = await openStorage());
  });
  afterEach(() => close());

  const put = (key: string, content: Uint8Array | string = "bytes") => storage.put(key, sourceOf(content), OPTIONS);
  const keys = async () => {
    const found: string[] = [];
    for await (const object of storage.list()) found.push(object.key);
    return found;
  };
  const textOf = async (key: string) => new TextDecoder().decode(await readAll((await storage.get(key))!.stream));
  const stored = (key: string) =>
    onBucket(options, ({ client, bucket }) => client.send(new HeadObjectCommand({ Bucket: bucket, Key: key })));
  const unfinished = () =>
    onBucket(options, async ({ client, bucket }) => {
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
      return Uploads.map(({ Key }) => Key);
    });

  it("says where its objects are", () => {
    expect(storage).toMatchObject({ type: "s3", bucketName: options.bucket });
  });

  describe.each([
    ["in one piece", 1000],
    ["in parts", 12 * MEBIBYTE],
  ])("an object put %s", (_, size) => {
    it("has its content type, and may be cached for ever where it is public", async () => {
      await put("a.png", someBytes(size));
      expect(await stored("a.png")).toMatchObject({
        ContentType: "image/png",
        CacheControl: "public, max-age=31536000, immutable",
        ContentLength: size,
      });
    });

    it("is not cached where it is not public", async () => {
      await storage.put("a.mp4", sourceOf(someBytes(size)), { contentType: "video/mp4", isPublic: false });
      expect(await stored("a.mp4")).toMatchObject({ ContentType: "video/mp4", CacheControl: "private, no-store" });
    });

    it("comes back unchanged, whole and by range", async () => {
      const bytes = someBytes(size);
      await put("a.png", bytes);
      expect(sha256Of(await readAll((await storage.get("a.png"))!.stream))).toBe(sha256Of(bytes));
      const part = await storage.get("a.png", { start: 1, end: size - 2 });
      expect(part?.size).toBe(size);
      expect(sha256Of(await readAll(part!.stream))).toBe(sha256Of(bytes.slice(1, size - 1)));
    });

    it("is refused where the key is taken, and where another takes it meanwhile", async () => {
      await put("a.png", "first");
      await expect(put("a.png", someBytes(size))).rejects.toBeInstanceOf(ObjectExistsError);
      const bytes = someBytes(size);
      const overtaken = sourceOf(bytes);
      const open = () => {
        const body = overtaken.open().getReader();
        let isFirst = true;
        return new ReadableStream<Uint8Array>({
          async pull(controller) {
            if (isFirst) await put("b.png", "the faster one");
            isFirst = false;
            const { done, value } = await body.read();
            if (done) controller.close();
            else controller.enqueue(value);
          },
        });
      };
      await expect(storage.put("b.png", { ...overtaken, open }, OPTIONS)).rejects.toBeInstanceOf(ObjectExistsError);
      expect(await textOf("a.png")).toBe("first");
      expect(await textOf("b.png")).toBe("the faster one");
      expect(await unfinished()).toEqual([]);
    });

    it("leaves neither object nor parts where the source is not what it claims", async () => {
      const bytes = someBytes(size);
      const hangUp = new Error("the sender hung up");
      await expect(storage.put("a.png", breakingSource(bytes, hangUp), OPTIONS)).rejects.toBe(hangUp);
      for (const claims of [{ sha256: sha256Of(bytesOf("others")) }, { size: size - 1 }, { size: size + 1 }]) {
        const failure: unknown = await storage
          .put("a.png", sourceOf(bytes, claims), OPTIONS)
          .catch((error: unknown) => error);
        expect(failure).toBeInstanceOf(Error);
        expect(failure).not.toBeInstanceOf(StorageUnavailableError);
      }
      expect(await keys()).toEqual([]);
      expect(await unfinished()).toEqual([]);
    });
  });

  it("closes the source where the store refuses it before its end", async () => {
    const credentials = { ...options.credentials!, secretAccessKey: "wrong" };
    const stranger = createS3Storage({ ...options, credentials });
    const cancel = vi.fn<() => void>();
    // Small enough to be sent without asking first, and never at its end.
    const bytes = someBytes(MEBIBYTE);
    let chunks = 0;
    const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
      if (++chunks > 2) await new Promise(() => undefined);
      controller.enqueue(bytes.slice(0, 1024));
    };
    const open = () => new ReadableStream<Uint8Array>({ pull, cancel });
    const source = { ...sourceOf(bytes), open };
    await expect(stranger.put("a.png", source, OPTIONS)).rejects.toBeInstanceOf(StorageUnavailableError);
    await vi.waitFor(() => expect(cancel).toHaveBeenCalledOnce());
    stranger.close();
  });

  it("looks first where the server knows no conditional puts", async () => {
    const plain = createS3Storage({ ...options, conditionalPuts: false });
    await plain.put("a.png", sourceOf("first"), OPTIONS);
    await expect(plain.put("a.png", sourceOf("second"), OPTIONS)).rejects.toBeInstanceOf(ObjectExistsError);
    expect(await textOf("a.png")).toBe("first");
    plain.close();
  });

  it("lists beyond the first page, and passes over what is called like no key", async () => {
    const names = Array.from({ length: 1_005 }, (_, i) => `page/${String(i).padStart(4, "0")}`);
    const limit = pLimit(16);
    await onBucket(options, ({ client, bucket }) =>
      Promise.all(
        [...names, "page/", "/rooted", "a//b", ".tmp/x"].map((Key) =>
          limit(() => client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: "" }))),
        ),
      ),
    );
    expect(await keys()).toEqual(names);
  });

  describe("unfinished uploads", () => {
    const begin = (count: number) =>
      onBucket(options, async ({ client, bucket }) => {
        const limit = pLimit(16);
        const beginOne = async (i: number) => {
          const Key = `videos/${i}.mp4`;
          const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key }));
          const part = { Bucket: bucket, Key, UploadId, PartNumber: 1, Body: "a part" };
          if (i === 0) await client.send(new UploadPartCommand(part));
        };
        await Promise.all(Array.from({ length: count }, (_, i) => limit(() => beginOne(i))));
      });

    it("are removed by age, and no object with them", async () => {
      await put("videos/0.mp4");
      await begin(3);
      expect(await storage.sweepUnfinished(new Date(Date.now() - 3_600_000))).toBe(0);
      expect(await unfinished()).toHaveLength(3);
      expect(await storage.sweepUnfinished(SOON())).toBe(3);
      expect(await unfinished()).toEqual([]);
      expect(await keys()).toEqual(["videos/0.mp4"]);
    });
  });
});
