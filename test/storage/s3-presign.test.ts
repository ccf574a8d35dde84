import { HeadObjectCommand } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createS3Storage, type S3Storage } from "../../src/storage/s3.js";
import type { PresignedPut } from "../../src/storage/s3-presign.js";
import { ATTACK_KEYS } from "../contracts/object-storage.js";
import { bytesOf, readAll, sha256Of, sourceOf } from "../support/byte-source.js";
import { createS3Bucket, onBucket, type TestBucket } from "../support/s3.js";

describe("addresses the S3 store signs", () => {
  let bucket: TestBucket;
  let storage: S3Storage;

  beforeEach(async () => {
    bucket = await createS3Bucket();
    storage = createS3Storage(bucket.options);
  });
  afterEach(async () => {
    storage.close();
    await bucket.remove();
  });

  const AN_HOUR_AGO = () => new Date(Date.now() - 3_600_000);
  const tampered = (url: string) => url.replace("users/a.png", "users/b.png");

  describe("for reading", () => {
    beforeEach(async () => {
      for (const key of ["users/a.png", "users/b.png"])
        await storage.put(key, sourceOf("0123456789"), { contentType: "image/png", isPublic: false });
    });

    it("answer the object, whole and by range, to anybody", async () => {
      const url = await storage.presignGet("users/a.png", { expiresInSeconds: 60 });
      const whole = await fetch(url);
      expect([whole.status, await whole.text()]).toEqual([200, "0123456789"]);
      expect(whole.headers.get("content-type")).toBe("image/png");
      const part = await fetch(url, { headers: { range: "bytes=2-4" } });
      expect([part.status, await part.text()]).toEqual([206, "234"]);
    });

    it("set headers of the answer", async () => {
      const answer = await fetch(
        await storage.presignGet("users/a.png", {
          expiresInSeconds: 60,
          contentType: "image/webp",
          contentDisposition: 'attachment; filename="holiday.webp"',
          cacheControl: "private, max-age=60",
        }),
      );
      expect(await answer.text()).toBe("0123456789");
      expect(answer.headers.get("content-type")).toBe("image/webp");
      expect(answer.headers.get("content-disposition")).toBe('attachment; filename="holiday.webp"');
      expect(answer.headers.get("cache-control")).toBe("private, max-age=60");
    });

    it("read no other object, and nothing for longer", async () => {
      const url = await storage.presignGet("users/a.png", { expiresInSeconds: 60 });
      const longer = url.replace("X-Amz-Expires=60", "X-Amz-Expires=6000");
      const expired = await storage.presignGet("users/a.png", { expiresInSeconds: 60, signedAt: AN_HOUR_AGO() });
      expect(tampered(url)).not.toBe(url);
      expect(longer).not.toBe(url);
      for (const refused of [tampered(url), longer, expired, url.split("?")[0]!])
        expect((await fetch(refused)).status, refused).toBe(403);
      expect((await fetch(url, { method: "DELETE" })).status).toBe(403);
    });

    it("are equal where they were signed at the same time", async () => {
      const signedAt = new Date();
      const sign = () => storage.presignGet("users/a.png", { expiresInSeconds: 60, signedAt });
      expect(await sign()).toBe(await sign());
    });

    it.each([0, -1, Number.NaN, 604_801])("are not to be had for %d seconds", async (expiresInSeconds) => {
      await expect(storage.presignGet("users/a.png", { expiresInSeconds })).rejects.toBeInstanceOf(RangeError);
    });
  });

  describe("for writing", () => {
    const content = "ten bytes!";
    const sign = (changes: { sha256?: string; signedAt?: Date } = {}) =>
      storage.presignPut("users/a.png", { contentType: "image/png", size: 10, expiresInSeconds: 60, ...changes });
    const send = async ({ url, headers }: PresignedPut, body = content, changes: Record<string, string> = {}) => {
      const answer = await fetch(url, { method: "PUT", body, headers: { ...headers, ...changes } });
      await answer.body?.cancel();
      return answer.status;
    };

    it("store the object with its content type, once", async () => {
      const signed = await sign();
      expect(await send(signed)).toBe(200);
      expect(await send(signed, "ten others")).toBe(412);
      expect(new TextDecoder().decode(await readAll((await storage.get("users/a.png"))!.stream))).toBe(content);
      const head = await onBucket(bucket.options, ({ client, bucket: Bucket }) =>
        client.send(new HeadObjectCommand({ Bucket, Key: "users/a.png" })),
      );
      expect(head.ContentType).toBe("image/png");
    });

    it("take nothing but what was announced", async () => {
      const signed = await sign();
      expect(await send(signed, "eleven byte")).toBe(403);
      expect(await send(signed, "nine byte")).toBe(403);
      expect(await send(signed, content, { "content-type": "text/html" })).toBe(403);
      expect(await send({ url: signed.url, headers: { "content-type": "image/png" } })).toBe(403);
      expect(await send({ ...signed, url: tampered(signed.url) })).toBe(403);
      expect(await send(await sign({ signedAt: AN_HOUR_AGO() }))).toBe(403);
      for (const key of ["users/a.png", "users/b.png"]) expect(await storage.head(key)).toEqual({ state: "missing" });
    });

    it("name the digest to the store where it is known", async () => {
      const signed = await sign({ sha256: sha256Of(bytesOf(content)) });
      const digest = Buffer.from(sha256Of(bytesOf(content)), "hex").toString("base64");
      expect(signed.headers).toMatchObject({ "x-amz-checksum-sha256": digest });
      const other = Buffer.from(sha256Of(bytesOf("ten others")), "hex").toString("base64");
      expect(await send(signed, content, { "x-amz-checksum-sha256": other })).toBe(403);
      expect(await send(signed)).toBe(200);
    });

    it("ask no condition of a server that knows none", async () => {
      const plain = createS3Storage({ ...bucket.options, conditionalPuts: false });
      const signed = await plain.presignPut("users/a.png", {
        contentType: "image/png",
        size: 10,
        expiresInSeconds: 60,
      });
      expect(signed.headers).toEqual({ "content-type": "image/png" });
      expect(await send(signed)).toBe(200);
      plain.close();
    });
  });

  it.each(ATTACK_KEYS)("are not to be had for %j", async (key) => {
    await expect(storage.presignGet(key, { expiresInSeconds: 60 })).rejects.toBeInstanceOf(TypeError);
    const put = storage.presignPut(key, { contentType: "image/png", size: 1, expiresInSeconds: 60 });
    await expect(put).rejects.toBeInstanceOf(TypeError);
  });
});
