import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { StoredItem } from "../../src/media/lifecycle-ports.js";
import type { Media, StorageType } from "../../src/media/model.js";
import { type ItemMove, moveItem } from "../../src/media/move-item.js";
import { removeDueObjects } from "../../src/media/object-deletions.js";
import type { Deps, Entity, ObjectStorage, Stores } from "../../src/media/ports.js";
import { StorageUnavailableError } from "../../src/media/ports.js";
import { deleteForEver, keysOf } from "../../src/media/remove.js";
import { createObjectStores } from "../../src/storage/object-stores.js";
import { createDomain, type Domain } from "../support/domain.js";
import { newEntity, newMedia, variant } from "../support/media-rows.js";

const MOVED = { outcome: "moved" };
const GONE = { outcome: "gone" };

describe("moving an item to another store", () => {
  let domain: Domain;
  let builder: Entity;

  beforeEach(async () => {
    domain = await createDomain();
    builder = await newEntity(domain.deps.database, "builder");
  });
  afterEach(() => domain.close());

  const database = () => domain.deps.database;
  const storage = (type: StorageType) => domain.deps.objects.of(type);
  const find = (media: Media) => database().media.find(media.id);
  const outbox = () => removeDueObjects(domain.deps);

  /** A row of an original and a variant, with both objects. Each holds its key as text. */
  async function add(over: Parameters<typeof newMedia>[1] = {}): Promise<Media> {
    const row = newMedia(builder, { isPublic: false });
    const variants = [variant("thumbnail", 150)].map((v) => ({ ...v, fileSize: v.key.length }));
    const media = await database().media.insert({ ...row, fileSize: row.storagePath.length, variants, ...over });
    for (const key of keysOf(media)) await domain.put(key);
    return media;
  }

  async function stored({ id }: Media): Promise<StoredItem> {
    const [item] = await database().media.storedItems({ afterId: id - 1, limit: 1 });
    if (!item || item.id !== id) throw new Error("The item is gone.");
    return item;
  }
  const move = async (media: Media, deps: Deps = domain.deps): Promise<ItemMove> =>
    moveItem(deps, await stored(media), "s3");

  /** The item is in one store, whole, and nothing of it in the other. */
  async function expectOnlyIn(type: StorageType, media: Media): Promise<void> {
    expect(await find(media)).toMatchObject({ storageType: type, bucketName: type === "s3" ? "bucket" : null });
    expect(await domain.keys(type)).toEqual(keysOf(media).sort());
    expect(await domain.keys(type === "s3" ? "local" : "s3")).toEqual([]);
    for (const key of keysOf(media)) expect(await textOf(type, key)).toBe(key);
    expect(await database().deletions.size()).toBe(0);
  }
  const textOf = async (type: StorageType, key: string) => new Response((await storage(type).get(key))?.stream).text();

  /** The first call of a store's function runs this before, or after, it does what it does. */
  function interrupting<K extends "put" | "get" | "head">(
    { type, call, when = "after" }: { type: StorageType; call: K; when?: "before" | "after" },
    interruption: () => Promise<unknown>,
  ): Deps {
    let isFirst = true;
    const original = storage(type)[call] as (...args: unknown[]) => Promise<unknown>;
    const wrapped = async (...args: unknown[]) => {
      const isNow = isFirst;
      isFirst = false;
      if (isNow && when === "before") await interruption();
      const answer = await original(...args);
      if (isNow && when === "after") await interruption();
      return answer;
    };
    return domain.withStores({ [type]: { [call]: wrapped } });
  }

  describe("undisturbed", () => {
    it("puts verified copies, switches the row, and leaves the old objects to the outbox", async () => {
      const media = await add();
      const put: Parameters<ObjectStorage["put"]>[] = [];
      const s3: Partial<ObjectStorage> = {
        put: async (...args) => {
          put.push(args);
          await storage("s3").put(...args);
        },
      };
      domain.clock.time = new Date(domain.clock.time.getTime() + 60_000);
      expect(await move(media, domain.withStores({ s3 }))).toEqual(MOVED);
      expect(put.map(([key, , options]) => [key, options])).toEqual(
        keysOf(media).map((key) => [key, { contentType: "image/jpeg", isPublic: false }]),
      );
      expect(await find(media)).toEqual({ ...media, storageType: "s3", bucketName: "bucket" });
      expect(await domain.keys("local")).toEqual(keysOf(media).sort());
      for (const key of keysOf(media))
        expect(await database().deletions.holds({ key, storageType: "local" })).toBe(true);
      expect(await outbox()).toBe(2);
      await expectOnlyIn("s3", media);
    });

    it("brings it back again", async () => {
      const media = await add();
      await move(media);
      await outbox();
      expect(await moveItem(domain.deps, await stored(media), "local")).toEqual(MOVED);
      await outbox();
      await expectOnlyIn("local", media);
    });

    it("moves what is in the trash", async () => {
      const media = await add();
      await database().media.update(media.id, { deletedAt: domain.clock.now() }, domain.clock.now());
      expect(await move(media)).toEqual(MOVED);
    });

    it("moves a processed video too", async () => {
      const media = await add({
        storagePath: "v.mov",
        fileSize: 5,
        mediaType: "VIDEO",
        contentType: "video/quicktime",
        variants: [],
        videoProcessedKey: "v.mp4",
        videoProcessedSize: 5,
      });
      expect(await move(media)).toEqual(MOVED);
      expect(await domain.keys("s3")).toEqual(["v.mov", "v.mp4"]);
    });

    it("leaves no file in the spool", async () => {
      const media = await add();
      let open = 0;
      const { spool } = domain.deps;
      const create: typeof spool.create = async () => {
        const writer = await spool.create();
        open++;
        return {
          ...writer,
          discard: async () => {
            open--;
            await writer.discard();
          },
        };
      };
      await move(media, { ...domain.deps, spool: { ...spool, create } });
      expect(open).toBe(0);
    });

    it("clears what was found of it, and shows it again where it was marked missing", async () => {
      const media = await add();
      const now = domain.clock.now();
      const [key] = keysOf(media) as [string];
      for (const place of [
        { kind: "missing", storageType: "local", mediaId: media.id },
        { kind: "orphan", storageType: "s3", mediaId: null },
      ] as const)
        await database().sync.confirm((await database().sync.sight({ ...place, key }, now)).id, now);
      await database().media.markMissing(media.id, now);
      expect(await move(media)).toEqual(MOVED);
      expect(await database().sync.counts()).toEqual({ missing: 0, orphaned: 0 });
      expect(await find(media)).toMatchObject({ missingSince: null });
    });
  });

  describe("that cannot be moved", () => {
    /** It failed for this reason and is where it was. */
    async function expectFailure(media: Media, failed: ItemMove, reason: string, isOutage = false): Promise<void> {
      expect(failed).toMatchObject({ outcome: "failed", reason, isOutage });
      expect(await find(media)).toMatchObject({ storageType: "local", bucketName: null });
      await outbox();
      for (const { key } of (await stored(media)).objects)
        expect(await database().media.namesKey(key, "local")).toBe(true);
    }

    it("stays where an object of it is missing", async () => {
      const media = await add();
      const lost = keysOf(media)[1] ?? "";
      await storage("local").delete(lost);
      await expectFailure(media, await move(media), `${lost} is not in local.`);
      expect(await domain.keys("local")).toEqual([media.storagePath]);
      await domain.put(lost);
      expect(await move(media)).toEqual(MOVED);
      await outbox();
      await expectOnlyIn("s3", media);
    });

    it("stays where an object is not as long as its row says", async () => {
      const media = await add({ fileSize: 3 });
      const { length } = media.storagePath;
      const reason = `${media.storagePath} holds ${length} bytes in local where its row says 3.`;
      await expectFailure(media, await move(media), reason);
      expect(await domain.keys("s3")).toEqual([]);
    });

    it("stays where the target holds other bytes under its key, which are left alone", async () => {
      const media = await add();
      const other = media.storagePath.replace(/./g, "x");
      await domain.put(media.storagePath, "s3", other);
      await expectFailure(media, await move(media), `${media.storagePath} holds other bytes in s3.`);
      expect(await textOf("s3", media.storagePath)).toBe(other);
      expect(await textOf("local", media.storagePath)).toBe(media.storagePath);
    });

    it("stays where a copy reads back differently", async () => {
      const media = await add();
      const get: ObjectStorage["get"] = async () => {
        const stream = new Response("damaged on its way").body as ReadableStream<Uint8Array>;
        return { size: 18, stream };
      };
      const failed = await move(media, domain.withStores({ s3: { get } }));
      await expectFailure(media, failed, `${media.storagePath} holds other bytes in s3.`);
    });

    it.each(["local", "s3"] as const)("stays while %s does not answer", async (type) => {
      const media = await add();
      const get = () => Promise.reject(new StorageUnavailableError("an outage"));
      await expectFailure(media, await move(media, domain.withStores({ [type]: { get } })), "an outage", true);
    });

    it("stays while the target is not sure of its copies at the end", async () => {
      const media = await add();
      const head: ObjectStorage["head"] = async () => ({ state: "unknown", reason: "an outage" });
      await expectFailure(media, await move(media, domain.withStores({ s3: { head } })), "an outage", true);
      expect(await move(media)).toEqual(MOVED);
    });

    it("stays where the target is not set up", async () => {
      const media = await add();
      const objects = createObjectStores({ primary: storage("local") });
      await expectFailure(
        media,
        await move(media, { ...domain.deps, objects }),
        "Storage of type s3 is not set up.",
        true,
      );
    });

    it("stays while the removal of its key from the target is promised, and moves after it", async () => {
      const media = await add();
      const key = keysOf(media)[1] ?? "";
      await domain.put(key, "s3");
      await database().deletions.add([{ key, storageType: "s3" }], domain.clock.now());
      await expectFailure(media, await move(media), `${key} is being removed from s3.`);
      expect(await domain.keys("s3")).toEqual([media.storagePath]);
      expect(await move(media)).toEqual(MOVED);
      await outbox();
      await expectOnlyIn("s3", media);
    });

    it("stays where it got another object after it was read", async () => {
      const media = await add();
      const item = await stored(media);
      const failed = await moveItem(domain.deps, { ...item, objects: item.objects.slice(0, 1) }, "s3");
      await expectFailure(media, failed, "Its objects changed while they were copied.");
      expect(await domain.keys("local")).toEqual(keysOf(media).sort());
    });
  });

  describe("that others work on", () => {
    const service = { kind: "service" } as const;

    it.each([
      ["before its objects are read", "local", "get", "before"],
      ["between two objects", "s3", "put", "after"],
      ["before the copies are looked at", "s3", "get", "after"],
    ] as const)("is gone where it is removed for good %s, and leaves nothing", async (_, type, call, when) => {
      const media = await add();
      const item = await stored(media);
      const deps = interrupting({ type, call, when }, () => deleteForEver(domain.deps, service, media.id));
      expect(await moveItem(deps, item, "s3")).toEqual(GONE);
      await outbox();
      expect([await domain.keys("local"), await domain.keys("s3"), await database().deletions.size()]).toEqual([
        [],
        [],
        0,
      ]);
    });

    it("is gone where it is removed for good after its last copy was read back, and leaves nothing", async () => {
      const media = await add();
      let looks = 0;
      const get: ObjectStorage["get"] = async (key) => {
        const object = await storage("s3").get(key);
        if (++looks === 2) await deleteForEver(domain.deps, service, media.id);
        return object;
      };
      expect(await move(media, domain.withStores({ s3: { get } }))).toEqual(GONE);
      expect(await domain.keys("s3")).toEqual(keysOf(media).sort());
      await outbox();
      expect([await domain.keys("local"), await domain.keys("s3")]).toEqual([[], []]);
    });

    it("is gone where it was gone before", async () => {
      const media = await add();
      const item = await stored(media);
      await deleteForEver(domain.deps, service, media.id);
      expect(await moveItem(domain.deps, item, "s3")).toEqual(GONE);
      await outbox();
      expect(await domain.keys("s3")).toEqual([]);
    });

    it.each([
      ["before its first object is read", "local", "get", "before"],
      ["after its first object is read", "local", "get", "after"],
      ["before its first copy is put", "s3", "put", "before"],
      ["after its first copy is put", "s3", "put", "after"],
      ["after its first copy is read back", "s3", "get", "after"],
    ] as const)("is switched once where another mover does it all %s", async (_, type, call, when) => {
      const media = await add();
      const item = await stored(media);
      for (const isWorkedOff of [false, true]) {
        const deps = interrupting({ type, call, when }, async () => {
          expect(await moveItem(domain.deps, item, "s3")).toEqual(MOVED);
          if (isWorkedOff) await outbox();
        });
        expect(await moveItem(deps, item, "s3")).toEqual(GONE);
        for (const key of keysOf(media))
          expect(await database().deletions.holds({ key, storageType: "s3" })).toBe(false);
        await outbox();
        await expectOnlyIn("s3", media);
        expect(await moveItem(domain.deps, await stored(media), "local")).toEqual(MOVED);
        await outbox();
      }
    });

    it("is switched once by ten at a time", async () => {
      const media = await add();
      const item = await stored(media);
      const moves = await Promise.all(Array.from({ length: 10 }, () => moveItem(domain.deps, item, "s3")));
      expect(moves.map((one) => one.outcome).sort()).toEqual([...Array(9).fill("gone"), "moved"]);
      await outbox();
      await expectOnlyIn("s3", media);
    });

    it("is not switched to copies that were removed since they were verified", async () => {
      const media = await add();
      let copies = 0;
      const get: ObjectStorage["get"] = async (key) => {
        const object = await storage("s3").get(key);
        // The last look at a copy: then an old promise to remove it is carried out, and forgotten.
        if (++copies === 2) await storage("s3").delete(media.storagePath);
        return object;
      };
      const failed = await move(media, domain.withStores({ s3: { get } }));
      expect(failed).toMatchObject({ reason: `${media.storagePath} is not in s3 any more.` });
      expect(await find(media)).toMatchObject({ storageType: "local" });
      expect(await move(media)).toEqual(MOVED);
      await outbox();
      await expectOnlyIn("s3", media);
    });

    it("is not switched by a mover that was overtaken by a move there and back", async () => {
      const media = await add();
      const item = await stored(media);
      let looks = 0;
      const get: ObjectStorage["get"] = async (key) => {
        const object = await storage("s3").get(key);
        if (++looks < 2) return object;
        await moveItem(domain.deps, item, "s3");
        await outbox();
        await moveItem(domain.deps, await stored(media), "local");
        await outbox();
        return object;
      };
      expect(await moveItem(domain.withStores({ s3: { get } }), item, "s3")).toMatchObject({ outcome: "failed" });
      await outbox();
      await expectOnlyIn("local", media);
    });
  });

  describe("whose mover dies", () => {
    class Death extends Error {}

    /** The domain of a process that dies at its `at`th effect: before it, or after it and before its answer. */
    function mortal(at: number, when: "before" | "after"): { deps: Deps; effects: () => number } {
      let effects = 0;
      let isDead = false;
      const dieWhere = (isLast: boolean) => {
        isDead ||= isLast;
        if (isDead) throw new Death();
      };
      const effect =
        <A extends unknown[], R>(work: (...args: A) => Promise<R>) =>
        async (...args: A): Promise<R> => {
          const isLast = ++effects === at;
          dieWhere(isLast && when === "before");
          const result = await work(...args);
          dieWhere(isLast);
          return result;
        };
      const wrap = (type: StorageType) => {
        const { put, get, head, deleteMany } = storage(type);
        return { put: effect(put), get: effect(get), head: effect(head), deleteMany: effect(deleteMany) };
      };
      const deps = domain.withStores({ local: wrap("local"), s3: wrap("s3") });
      const transact: Deps["database"]["transact"] = (work) =>
        effect(database().transact as (w: (stores: Stores) => unknown) => Promise<unknown>)(work) as never;
      const deletions = { ...database().deletions, done: effect(database().deletions.done) };
      return { deps: { ...deps, database: { ...database(), transact, deletions } }, effects: () => effects };
    }

    async function moveAndClear(deps: Deps, item: StoredItem): Promise<void> {
      await moveItem(deps, item, "s3");
      await removeDueObjects(deps);
    }

    it.each(["before", "after"] as const)("%s any effect is in one store in the end, whole", async (when) => {
      const media = await add();
      for (let at = 1, isOver = false; !isOver; at++) {
        const { deps, effects } = mortal(at, when);
        await moveAndClear(deps, await stored(media)).catch((error: unknown) => {
          if (!(error instanceof Death)) throw error;
        });
        isOver = effects() < at;
        const { storageType } = await stored(media);
        for (const key of keysOf(media)) expect(await textOf(storageType, key), `died ${when} ${at}`).toBe(key);
        if (storageType === "local") expect(await move(media)).toEqual(MOVED);
        domain.clock.time = new Date(domain.clock.time.getTime() + 3_600_000);
        await outbox();
        await expectOnlyIn("s3", media);
        expect(await moveItem(domain.deps, await stored(media), "local")).toEqual(MOVED);
        await outbox();
        if (isOver) expect(at).toBeGreaterThan(8);
      }
    });
  });
});
