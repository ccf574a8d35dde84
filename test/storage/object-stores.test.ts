import { describe, expect, it } from "vitest";
import { type ObjectStorage, StorageUnavailableError } from "../../src/media/ports.js";
import { createAbsentStorage } from "../../src/storage/absent.js";
import { createMemoryStorage } from "../../src/storage/memory.js";
import { createObjectStores } from "../../src/storage/object-stores.js";
import { ATTACK_KEYS } from "../contracts/object-storage.js";
import { sourceOf } from "../support/byte-source.js";

const OPTIONS = { contentType: "image/png", isPublic: true };
const local = createMemoryStorage();
const s3: ObjectStorage = { ...createMemoryStorage(), type: "s3", bucketName: "photos" };

const listAll = async (storage: ObjectStorage) => {
  for await (const { key } of storage.list()) return key;
  return null;
};

describe("the object stores", () => {
  it("are found by their type, the primary one first", () => {
    const stores = createObjectStores({ primary: s3, fallback: local });
    expect(stores).toMatchObject({ primary: s3, fallback: local });
    expect(stores.all).toEqual([s3, local]);
    expect([stores.of("s3"), stores.of("local")]).toEqual([s3, local]);
  });

  it("have no fallback unless one is named, though others may hold older objects", () => {
    const stores = createObjectStores({ primary: s3, others: [local] });
    expect(stores.fallback).toBeNull();
    expect(stores.all).toEqual([s3, local]);
    expect(stores.of("local")).toBe(local);
  });

  it("count a store once that is named twice, and refuse two of one type", () => {
    expect(createObjectStores({ primary: s3, fallback: local, others: [local, s3] }).all).toEqual([s3, local]);
    expect(() => createObjectStores({ primary: local, fallback: createMemoryStorage() })).toThrow(TypeError);
  });

  it("answer for a type that is not set up like one that does not answer", async () => {
    const absent = createObjectStores({ primary: local }).of("s3");
    expect(absent.type).toBe("s3");
    expect(await absent.head("users/a.png")).toMatchObject({ state: "unknown" });
  });
});

describe("a store that is not set up", () => {
  const absent = createAbsentStorage("s3");

  it("never says that something is missing, and takes nothing", async () => {
    expect(await absent.head("a.png")).toEqual({ state: "unknown", reason: "Storage of type s3 is not set up." });
    for (const request of [
      absent.put("a.png", sourceOf("bytes"), OPTIONS),
      absent.get("a.png"),
      absent.delete("a.png"),
      listAll(absent),
      absent.sweepUnfinished(new Date()),
    ])
      await expect(request).rejects.toBeInstanceOf(StorageUnavailableError);
    const unremoved = await absent.deleteMany(["a.png", "b.png"]);
    expect(unremoved.map(({ key }) => key)).toEqual(["a.png", "b.png"]);
    for (const { error } of unremoved) expect(error).toBeInstanceOf(StorageUnavailableError);
  });

  it.each(ATTACK_KEYS)("refuses %j as every store does", async (key) => {
    await expect(absent.get(key)).rejects.toBeInstanceOf(TypeError);
    await expect(absent.head(key)).rejects.toBeInstanceOf(TypeError);
    await expect(absent.delete(key)).rejects.toBeInstanceOf(TypeError);
  });
});
