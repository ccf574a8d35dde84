import { describe, expect, it } from "vitest";
import { type ObjectStorage, StorageUnavailableError } from "../../src/media/ports.js";
import { createAbsentStorage } from "../../src/storage/absent.js";
import { createMemoryStorage } from "../../src/storage/memory.js";
import { createS3Storage } from "../../src/storage/s3.js";
import type { S3Options } from "../../src/storage/s3-client.js";
import { selfTest } from "../../src/storage/self-test.js";
import { sourceOf } from "../support/byte-source.js";
import { createFailingStorage } from "../support/failing-storage.js";
import { freePort } from "../support/free-port.js";
import { createRecordingLog } from "../support/recording-log.js";
import { createS3Bucket } from "../support/s3.js";

const keysOf = async (storage: ObjectStorage) => {
  const keys: string[] = [];
  for await (const { key } of storage.list()) keys.push(key);
  return keys;
};

const run = async (storage: ObjectStorage) => {
  const log = createRecordingLog();
  const result = await selfTest(storage, { log });
  return { ...result, lines: log.lines.map(({ level, message }) => `${level}: ${message}`) };
};

/** Stores that do all but one thing as they should. */
const LIARS: readonly [string, (honest: ObjectStorage) => Partial<ObjectStorage>][] = [
  ["tell the size of what it holds", (honest) => ({ head: (key) => withSize(honest, key, 7) })],
  ["answer what was stored", (honest) => ({ get: async (key, range) => (range ? honest.get(key, range) : other()) })],
  ["answer ranges", (honest) => ({ get: (key) => honest.get(key) })],
  ["list what it holds", () => ({ list: () => noObjects() })],
  ["refuse a second write of a key", (honest) => ({ put: (...put) => overwrite(honest, ...put) })],
  ["tell that an object is missing", (honest) => ({ get: async (key) => (await honest.get(key)) ?? other() })],
  ["remove objects", () => ({ deleteMany: async () => [] })],
];

const other = async () => {
  const storage = createMemoryStorage();
  await storage.put("other", sourceOf("other"), { contentType: "text/plain", isPublic: false });
  return storage.get("other");
};

async function withSize(honest: ObjectStorage, key: string, size: number) {
  const presence = await honest.head(key);
  return presence.state === "exists" ? { ...presence, size } : presence;
}

async function* noObjects() {
  yield* [];
}

async function overwrite(honest: ObjectStorage, ...[key, source, options]: Parameters<ObjectStorage["put"]>) {
  await honest.delete(key);
  await honest.put(key, source, options);
}

describe("the self-test", () => {
  it("passes a store that keeps its promises, and leaves nothing in it", async () => {
    const storage = createMemoryStorage();
    expect(await run(storage)).toEqual({
      outage: null,
      cannot: [],
      lines: ["info: the object store passes its self-test"],
    });
    expect(await keysOf(storage)).toEqual([]);
  });

  it.each(LIARS)("finds a store that does not %s", async (ability, lie) => {
    const honest = createMemoryStorage();
    const result = await run({ ...honest, ...lie(honest) });
    expect(result.outage).toBeNull();
    expect(result.cannot).toContain(ability);
    expect(result.lines).toEqual([`error: the object store cannot: ${result.cannot.join("; ")}`]);
  });

  it("names all that a store cannot in one line, with the reason where there is one", async () => {
    const honest = createMemoryStorage();
    const refusal = new StorageUnavailableError("the access key lacks the right to do this");
    const storage: ObjectStorage = {
      ...honest,
      get: (key) => honest.get(key),
      deleteMany: async (keys) => keys.map((key) => ({ key, error: refusal })),
    };
    expect((await run(storage)).lines).toEqual([
      "error: the object store cannot: answer ranges; remove objects (the access key lacks the right to do this)",
    ]);
  });

  it("takes its object away where the store fails half-way, and where its put lost its answer", async () => {
    const honest = createMemoryStorage();
    const failing = createFailingStorage(honest);
    failing.failures = 1;
    failing.losesAnswers = true;
    expect((await run(failing)).outage).toBe("The store is out.");
    expect(await keysOf(honest)).toEqual([]);
    const halfWay: ObjectStorage = {
      ...honest,
      list() {
        throw new StorageUnavailableError("The store is out.");
      },
    };
    expect((await run(halfWay)).cannot).toEqual(["list what it holds (The store is out.)"]);
    expect(await keysOf(honest)).toEqual([]);
  });

  it("says of a store that does not answer why, and does not fail", async () => {
    expect(await run(createAbsentStorage("s3"))).toEqual({
      outage: "Storage of type s3 is not set up.",
      cannot: [],
      lines: ["error: the object store fails: Storage of type s3 is not set up."],
    });
  });

  describe("of an S3 store", () => {
    const runOn = async (change: (options: S3Options) => Partial<S3Options>) => {
      const { options, remove } = await createS3Bucket();
      const storage = createS3Storage({ ...options, maxAttempts: 1, ...change(options) });
      const { outage, cannot } = await run(storage);
      const left = await keysOf(createS3Storage(options));
      storage.close();
      await remove();
      return { outage, cannot, left };
    };

    it("passes, by conditional puts and without", async () => {
      for (const conditionalPuts of [true, false])
        expect(await runOn(() => ({ conditionalPuts }))).toEqual({ outage: null, cannot: [], left: [] });
    });

    it("tells a wrong secret, an unknown key, a missing bucket and a refused connection apart", async () => {
      const port = await freePort();
      const withKey = (accessKeyId: string) => ({ credentials: { accessKeyId, secretAccessKey: "wrong" } });
      const outageOf = async (change: (options: S3Options) => Partial<S3Options>) => (await runOn(change)).outage;
      const serves = "The object store does not serve:";
      expect(await outageOf(({ credentials }) => withKey(credentials?.accessKeyId ?? ""))).toBe(
        `${serves} the secret access key is wrong.`,
      );
      expect(await outageOf(() => withKey("NOBODY"))).toBe(`${serves} it does not know the access key.`);
      expect(await outageOf(() => ({ bucket: "never-made" }))).toBe(`${serves} there is no such bucket.`);
      expect(await outageOf(() => ({ endpoint: `http://127.0.0.1:${port}` }))).toBe(
        `${serves} the connection is refused.`,
      );
    });
  });
});
