import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ObjectExistsError, type ObjectListing, type ObjectStorage, type PutOptions } from "../../src/media/ports.js";
import { breakingSource, bytesOf, readAll, sha256Of, someBytes, sourceOf } from "../support/byte-source.js";

/** An empty store, and how to take it away after the test. */
export type OpenStorage = () => Promise<{ storage: ObjectStorage; close(): Promise<void> }>;

const PNG: PutOptions = { contentType: "image/png", isPublic: true };

/** Keys that leave the store, or that two systems would read differently. */
export const ATTACK_KEYS: readonly string[] = [
  "",
  "/",
  ".",
  "..",
  "../outside",
  "../../etc/passwd",
  "/etc/passwd",
  "//server/share",
  "users/../../outside",
  "users/../users/a.jpg",
  "users/..",
  "users/.",
  "./users/a.jpg",
  "users/./a.jpg",
  "users//a.jpg",
  "users/a.jpg/",
  "..\\outside",
  "users\\..\\..\\outside",
  "C:\\windows\\win.ini",
  "users/a.jpg\0.png",
  "users/\u0001a.jpg",
  "users/a\nb.jpg",
  "users/a\rb.jpg",
  "users/a\u007f.jpg",
  "users/a\u0085.jpg",
  "users/\ud800.jpg",
  `users/${"a".repeat(256)}`,
  `users/${"é".repeat(128)}`,
  `${"abcdefg/".repeat(128)}a`,
  ".tmp/a.jpg",
  "lost+found/a.jpg",
];

/** Keys that are unusual and right; each must come back letter by letter. */
export const ODD_KEYS: readonly string[] = [
  "users/photos/my holiday.jpg",
  "users/photos/a+b&c=d?e%2Ff#g.jpg",
  "users/photos/100% of %41.jpg",
  "users/photos/Ünïcödé-日本語-🏡.jpg",
  "users/photos/'quotes' \"and\" <angles>.jpg",
  "users/photos/..two-dots.jpg",
  "users/photos/....",
  "users/.hidden/~tilde*star|pipe:colon;semi.jpg",
  `users/${"a".repeat(255)}`,
];

/** None is a folder of another. Names where `/`, its neighbours in ASCII, case and code points beyond U+FFFF decide the order. */
const LISTED_KEYS: readonly string[] = [
  ..."a a-b a.b a0 ab A B/c b-/c b/a b/a-b b/a.b b/a0 b0 z".split(" "),
  ...["c/d/e/f", "c/d/e0", "c/d-e", "c/d.e/f", "c/d.e/g", "c/d/e-f", "c!", "c", "c+"].map((key) => `n/${key}x`),
  ...["\u{1f3e1}.jpg", "\uff5e.jpg", "é.jpg", "e\u0301.jpg", "~.jpg"].map((key) => `u/${key}`),
  ...Array.from({ length: 24 }, (_, i) => `users/photos/USR-${i % 5}/2026-1${i % 3}/photo-${i}.jpg`),
];
const stored = [...LISTED_KEYS].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

const allOf = async (listing: AsyncIterable<ObjectListing>): Promise<ObjectListing[]> => {
  const found: ObjectListing[] = [];
  for await (const object of listing) found.push(object);
  return found;
};

/** The promises of `ObjectStorage`, seen from outside. Run against every adapter. */
export function objectStorageContract(name: string, open: OpenStorage): void {
  describe(`${name} keeps the promises of ObjectStorage`, () => {
    let storage: ObjectStorage;
    let close: () => Promise<void>;

    beforeEach(async () => {
      ({ storage, close } = await open());
    });
    afterEach(() => close());

    const put = (key: string, content: Uint8Array | string) => storage.put(key, sourceOf(content), PNG);
    const textOf = async (key: string): Promise<string | null> => {
      const object = await storage.get(key);
      return object && new TextDecoder().decode(await readAll(object.stream));
    };
    const keys = async (window?: { startAfter?: string; prefix?: string }) =>
      (await allOf(storage.list(window))).map((object) => object.key);

    describe("put", () => {
      it("stores what it is given", async () => {
        await put("users/photos/a.png", "the bytes");
        expect(await textOf("users/photos/a.png")).toBe("the bytes");
      });

      it("stores an empty object", async () => {
        await put("empty.png", "");
        expect(await storage.head("empty.png")).toMatchObject({ state: "exists", size: 0 });
        expect(await textOf("empty.png")).toBe("");
      });

      it("stores and answers 5 MiB unchanged", async () => {
        const bytes = someBytes(5 * 1024 * 1024);
        await put("videos/large.mp4", bytes);
        const object = await storage.get("videos/large.mp4");
        expect(object?.size).toBe(bytes.length);
        expect(sha256Of(await readAll(object!.stream))).toBe(sha256Of(bytes));
      });

      it("refuses a taken key and keeps the first bytes", async () => {
        await put("a.png", "first");
        await expect(put("a.png", "second")).rejects.toBeInstanceOf(ObjectExistsError);
        await expect(put("a.png", "first")).rejects.toBeInstanceOf(ObjectExistsError);
        expect(await textOf("a.png")).toBe("first");
      });

      it("lets exactly one of twenty at once win", async () => {
        const contents = Array.from({ length: 20 }, (_, i) => `content of put ${i}`);
        const outcomes = await Promise.allSettled(contents.map((content) => put("contested/a.png", content)));
        const winners = contents.filter((_, i) => outcomes[i]?.status === "fulfilled");
        expect(winners).toHaveLength(1);
        expect(await textOf("contested/a.png")).toBe(winners[0]);
        for (const outcome of outcomes)
          if (outcome.status === "rejected") expect(outcome.reason).toBeInstanceOf(ObjectExistsError);
      });

      it("takes a key again once it was deleted", async () => {
        await put("a.png", "first");
        await storage.delete("a.png");
        await put("a.png", "second");
        expect(await textOf("a.png")).toBe("second");
      });

      const leavesNothing = async (key: string) => {
        expect(await storage.head(key)).toEqual({ state: "missing" });
        expect(await storage.get(key)).toBeNull();
        expect(await keys()).toEqual([]);
      };

      it("leaves nothing behind when the source breaks off", async () => {
        const source = breakingSource(someBytes(300_000), new Error("the sender hung up"));
        await expect(storage.put("broken/a.png", source, PNG)).rejects.toBeInstanceOf(Error);
        await leavesNothing("broken/a.png");
      });

      const bytes = bytesOf("twelve bytes");
      it.each([
        ["more bytes than announced", sourceOf(bytes, { size: 11 })],
        ["fewer bytes than announced", sourceOf(bytes, { size: 13 })],
        ["no bytes at all", { ...sourceOf(bytes), open: sourceOf("").open }],
        ["other bytes than announced", { ...sourceOf(bytes), open: sourceOf("twelve byteZ").open }],
      ])("refuses a source that holds %s", async (_, source) => {
        const failure: unknown = await storage.put("wrong/a.png", source, PNG).catch((error: unknown) => error);
        expect(failure).toBeInstanceOf(Error);
        expect(failure).not.toBeInstanceOf(ObjectExistsError);
        await leavesNothing("wrong/a.png");
      });
    });

    describe("get", () => {
      it("answers null for what is not there", async () => {
        await put("users/a.png", "bytes");
        for (const key of ["users/b.png", "users", "users/a.pn", "users/a.png/b", "other/a.png"])
          expect(await storage.get(key)).toBeNull();
      });

      it.each([
        ["the first byte", { start: 0, end: 0 }, "0"],
        ["a single byte", { start: 7, end: 7 }, "7"],
        ["the last byte", { start: 9, end: 9 }, "9"],
        ["the middle", { start: 3, end: 6 }, "3456"],
        ["everything", { start: 0, end: 9 }, "0123456789"],
        ["what is there of a range past the end", { start: 8, end: 1000 }, "89"],
      ])("answers %s", async (_, range, expected) => {
        await put("digits.png", "0123456789");
        const object = await storage.get("digits.png", range);
        expect(object?.size).toBe(10);
        expect(new TextDecoder().decode(await readAll(object!.stream))).toBe(expected);
      });

      it("answers a range of a large object", async () => {
        const bytes = someBytes(3 * 1024 * 1024);
        await put("large.mp4", bytes);
        const object = await storage.get("large.mp4", { start: 1_000_001, end: 2_999_999 });
        expect(sha256Of(await readAll(object!.stream))).toBe(sha256Of(bytes.slice(1_000_001, 3_000_000)));
      });

      it.each([
        { start: 10, end: 12 },
        { start: 5, end: 4 },
        { start: -1, end: 4 },
        { start: 0.5, end: 4 },
        { start: Number.NaN, end: 4 },
      ])("refuses the range $start..$end of ten bytes", async (range) => {
        await put("digits.png", "0123456789");
        await expect(storage.get("digits.png", range)).rejects.toBeInstanceOf(RangeError);
      });

      it("finds no range in an empty object, and no object for a missing key", async () => {
        await put("empty.png", "");
        await expect(storage.get("empty.png", { start: 0, end: 0 })).rejects.toBeInstanceOf(RangeError);
        expect(await storage.get("missing.png", { start: 0, end: 0 })).toBeNull();
      });

      it("lets a reader stop early and the next one begin anew", async () => {
        await put("large.mp4", someBytes(1024 * 1024));
        const object = await storage.get("large.mp4");
        const reader = object!.stream.getReader();
        expect((await reader.read()).done).toBe(false);
        await reader.cancel();
        const again = await storage.get("large.mp4");
        expect((await readAll(again!.stream)).length).toBe(1024 * 1024);
      });
    });

    describe("head", () => {
      it("tells size and time of what is there", async () => {
        const before = Date.now();
        await put("a.png", "12345");
        const presence = await storage.head("a.png");
        expect(presence).toMatchObject({ state: "exists", size: 5 });
        const lastModified = presence.state === "exists" ? presence.lastModified.getTime() : Number.NaN;
        // Stores keep whole seconds or their own clock.
        expect(Math.abs(lastModified - before)).toBeLessThan(60_000);
      });

      it("says missing for what is not there", async () => {
        await put("users/a.png", "12345");
        for (const key of ["a.png", "users", "users/a.png/b", "users/a.pn"])
          expect(await storage.head(key)).toEqual({ state: "missing" });
      });
    });

    describe("delete", () => {
      it("removes the object", async () => {
        await put("users/a.png", "bytes");
        await storage.delete("users/a.png");
        expect(await storage.head("users/a.png")).toEqual({ state: "missing" });
        expect(await keys()).toEqual([]);
      });

      it("removes exactly the key, not what begins with it", async () => {
        for (const key of ["a/b", "a/bc", "a/b.jpg", "ab", "A/b"]) await put(key, key);
        await storage.delete("a/b");
        expect(await keys()).toEqual(["A/b", "a/b.jpg", "a/bc", "ab"]);
      });

      it("removes nothing below a key that is but a folder", async () => {
        for (const key of ["a/b/c", "a/b/d", "a/e"]) await put(key, key);
        await storage.delete("a/b");
        await storage.delete("a");
        expect(await keys()).toEqual(["a/b/c", "a/b/d", "a/e"]);
      });

      it("is content when there is nothing to remove", async () => {
        await storage.delete("never/was/here.png");
        await put("a.png", "bytes");
        await storage.delete("a.png");
        await storage.delete("a.png");
        await put("b.png", "bytes");
        await storage.delete("b.png/c.png");
        expect(await keys()).toEqual(["b.png"]);
      });
    });

    describe("deleteMany", () => {
      it("removes exactly the keys it is given", async () => {
        for (const key of ["a/b", "a/bc", "a/b.jpg", "ab", "A/b", "b"]) await put(key, key);
        expect(await storage.deleteMany(["a/b", "b", "A"])).toEqual([]);
        expect(await keys()).toEqual(["A/b", "a/b.jpg", "a/bc", "ab"]);
      });

      it("is content with no keys, with doubled ones and with what is not there", async () => {
        await put("a.png", "bytes");
        expect(await storage.deleteMany([])).toEqual([]);
        expect(await storage.deleteMany(["never/was/here.png", "a.png", "a.png"])).toEqual([]);
        expect(await storage.deleteMany(["a.png"])).toEqual([]);
        expect(await keys()).toEqual([]);
      });

      it("removes more keys than fit into one request", async () => {
        const many = Array.from({ length: 2_005 }, (_, i) => `many/${i}.png`);
        for (const key of ["many/0.png", "many/1500.png", "many/2004.png", "many/2005.png"]) await put(key, key);
        expect(await storage.deleteMany(many)).toEqual([]);
        expect(await keys()).toEqual(["many/2005.png"]);
      });

      it("removes each unusual key", async () => {
        for (const key of ODD_KEYS) await put(key, key);
        expect(await storage.deleteMany(ODD_KEYS)).toEqual([]);
        expect(await keys()).toEqual([]);
      });

      it("answers the keys that are none, and removes the others", async () => {
        await put("a.png", "bytes");
        const unremoved = await storage.deleteMany(["../outside", "a.png", ""]);
        expect(unremoved.map(({ key }) => key).sort()).toEqual(["", "../outside"]);
        for (const { error } of unremoved) expect(error).toBeInstanceOf(TypeError);
        expect(await keys()).toEqual([]);
      });
    });

    describe("sweepUnfinished", () => {
      it("finds nothing where every put ended, and leaves the objects", async () => {
        await put("users/a.png", "bytes");
        await put("videos/large.mp4", someBytes(6 * 1024 * 1024));
        const source = breakingSource(someBytes(12 * 1024 * 1024), new Error("the sender hung up"));
        await expect(storage.put("broken.mp4", source, PNG)).rejects.toThrow("hung up");
        expect(await storage.sweepUnfinished(new Date(Date.now() + 60_000))).toBe(0);
        expect(await keys()).toEqual(["users/a.png", "videos/large.mp4"]);
      });
    });

    describe("list", () => {
      const storeAll = async () => {
        // Backwards, so that no order of arrival passes for the order of keys.
        for (const key of [...stored].reverse()) await put(key, key);
      };

      it("is empty for an empty store", async () => {
        expect(await keys()).toEqual([]);
      });

      it("answers every object once, in bytewise order, with its size", async () => {
        await storeAll();
        const listing = await allOf(storage.list());
        expect(listing.map((object) => object.key)).toEqual(stored);
        expect(stored.length).toBeGreaterThanOrEqual(50);
        for (const { key, size, lastModified } of listing) {
          expect(size).toBe(bytesOf(key).length);
          expect(lastModified).toBeInstanceOf(Date);
        }
      });

      it("goes on after any key, stored or not", async () => {
        await storeAll();
        for (const startAfter of [...stored, "b/", "b/a/", "a/", "n", "zz", "users/photos/USR-2", "\u{10ffff}"]) {
          const expected = stored.filter((key) => Buffer.compare(Buffer.from(key), Buffer.from(startAfter)) > 0);
          expect(await keys({ startAfter })).toEqual(expected);
        }
      });

      it("keeps to a prefix, whether or not it ends at a slash", async () => {
        await storeAll();
        for (const prefix of [
          "",
          "a",
          "b/",
          "b/a",
          "n/c/d",
          "users/photos/USR-1",
          "users/photos/USR-1/",
          "none",
          "../",
        ])
          expect(await keys({ prefix })).toEqual(stored.filter((key) => key.startsWith(prefix)));
      });

      it("joins a prefix with a start", async () => {
        await storeAll();
        const window = { prefix: "users/photos/USR-1/", startAfter: "users/photos/USR-1/2026-11/photo-1.jpg" };
        const expected = stored.filter((key) => key.startsWith(window.prefix) && key > window.startAfter);
        expect(expected.length).toBeGreaterThan(0);
        expect(await keys(window)).toEqual(expected);
        expect(await keys({ prefix: "a", startAfter: "b" })).toEqual([]);
      });

      it("can be left before its end", async () => {
        await storeAll();
        for await (const object of storage.list()) {
          expect(object.key).toBe(stored[0]);
          break;
        }
        expect(await keys()).toEqual(stored);
      });
    });

    describe("keys", () => {
      it.each(ATTACK_KEYS)("refuses %j everywhere", async (key) => {
        await expect(put(key, "bytes")).rejects.toBeInstanceOf(TypeError);
        await expect(storage.get(key)).rejects.toBeInstanceOf(TypeError);
        await expect(storage.head(key)).rejects.toBeInstanceOf(TypeError);
        await expect(storage.delete(key)).rejects.toBeInstanceOf(TypeError);
        expect(await keys()).toEqual([]);
      });

      it.each(ODD_KEYS)("keeps %j as it is", async (key) => {
        await put(key, key);
        expect(await keys()).toEqual([key]);
        expect(await textOf(key)).toBe(key);
        expect(await storage.head(key)).toMatchObject({ state: "exists" });
        await storage.delete(key);
        expect(await keys()).toEqual([]);
      });

      it("does not take one spelling of a key for another", async () => {
        const spellings = ["k/é", "k/e\u0301", "k/%C3%A9", "k/a b", "k/a+b", "k/a%20b", "k/A b"];
        for (const key of spellings) await put(key, key);
        for (const key of spellings) expect(await textOf(key)).toBe(key);
      });
    });
  });
}
