import { EventEmitter, once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { StorageType } from "../../src/media/model.js";
import type { Entity, NewMedia } from "../../src/media/ports.js";
import { type EmptyDatabase, openMigrated, type TestDatabase } from "../support/database.js";
import { LATER, NOW, newEntity, newMedia, variant } from "../support/media-rows.js";

const TO_S3 = { from: "local", to: "s3", bucketName: "bucket" } as const;
const TO_LOCAL = { from: "s3", to: "local", bucketName: null } as const;
/** Long enough for a statement of another connection to be done, if nothing holds it. */
const A_WHILE_MS = 150;

/** What every MediaRepository knows of the objects behind its items. Each test begins and ends without items. */
export function mediaObjectsContract(create: () => Promise<EmptyDatabase>): void {
  let open: TestDatabase;
  let property: Entity;
  beforeAll(async () => {
    open = await openMigrated(await create());
    property = await newEntity(open.database, "property");
  });
  afterAll(() => open.close());
  afterEach(async () => {
    for (const { id } of await media().storedItems({ afterId: 0, limit: 100 })) await media().remove(id);
  });

  const media = () => open.database.media;
  const add = (over: Partial<NewMedia> = {}) => media().insert(newMedia(property, over));
  const trash = (id: number) => media().update(id, { deletedAt: LATER }, LATER);
  const video = (name: string): Partial<NewMedia> => ({
    mediaType: "VIDEO",
    contentType: "video/quicktime",
    storagePath: `${name}.mov`,
    videoProcessedKey: `${name}.mp4`,
    videoProcessedSize: 5,
    variants: [variant("small", 400, `${name}_small.jpg`)],
  });
  const keysOf = (name: string) => [`${name}.mov`, `${name}.mp4`, `${name}_small.jpg`];

  describe("storedItems", () => {
    it("are none where there are no items", async () => {
      expect(await media().storedItems({ afterId: 0, limit: 10 })).toEqual([]);
      expect(await media().storedItems({ afterId: 0, limit: 10, storageType: "s3" })).toEqual([]);
    });

    it("come by id, page by page, each with every object of it, the original first, the trash too", async () => {
      const full = await add({ ...video("s/v"), storageType: "s3", bucketName: "b", isPublic: false, fileSize: 7e9 });
      const plain = await add({ storagePath: "s/p.jpg", fileSize: 12 });
      await trash(plain.id);
      await media().markMissing(plain.id, LATER);
      const last = await add();
      const page = await media().storedItems({ afterId: 0, limit: 2 });
      expect(page).toEqual([
        {
          id: full.id,
          publicId: full.publicId,
          storageType: "s3",
          isPublic: false,
          missingSince: null,
          objects: [
            { key: "s/v.mov", contentType: "video/quicktime", fileSize: 7e9 },
            { key: "s/v_small.jpg", contentType: "image/jpeg", fileSize: 4_000 },
            { key: "s/v.mp4", contentType: "video/mp4", fileSize: 5 },
          ],
        },
        {
          id: plain.id,
          publicId: plain.publicId,
          storageType: "local",
          isPublic: true,
          missingSince: LATER,
          objects: [{ key: "s/p.jpg", contentType: "image/jpeg", fileSize: 12 }],
        },
      ]);
      expect((await media().storedItems({ afterId: plain.id, limit: 2 })).map((item) => item.id)).toEqual([last.id]);
      expect(await media().storedItems({ afterId: last.id, limit: 2 })).toEqual([]);
    });

    it("give an item all its variants, whichever page it is on", async () => {
      const names = ["thumbnail", "small", "medium", "large"] as const;
      const item = await add({ variants: names.map((name, n) => variant(name, 100 * (n + 1))) });
      await add({ variants: [variant("small", 400)] });
      const [stored] = await media().storedItems({ afterId: 0, limit: 1 });
      expect(stored?.objects[0]?.key).toBe(item.storagePath);
      expect(new Set(stored?.objects.map((object) => object.key))).toEqual(
        new Set([item.storagePath, ...item.variants.map((made) => made.key)]),
      );
    });

    it("are of one store where one is asked for, and are counted by it, the trash included", async () => {
      const ids: Record<StorageType, number[]> = { local: [], s3: [] };
      for (const storageType of ["s3", "local", "local", "s3", "local"] as const)
        ids[storageType].push((await add({ storageType })).id);
      await trash(ids.local[1] ?? 0);
      for (const storageType of ["local", "s3"] as const) {
        const stored = await media().storedItems({ afterId: 0, limit: 10, storageType });
        expect(stored.map((item) => item.id)).toEqual(ids[storageType]);
        expect(await media().countStored(storageType)).toBe(ids[storageType].length);
      }
      const behind = await media().storedItems({ afterId: ids.local[0] ?? 0, limit: 1, storageType: "local" });
      expect(behind.map((item) => item.id)).toEqual([ids.local[1]]);
    });
  });

  it("counts nothing where nothing is stored", async () => {
    expect(await media().countStored("s3")).toBe(0);
  });

  describe("namesKey", () => {
    it("is false where there are no items", async () => {
      for (const key of ["", "a.jpg", "%"]) expect(await media().namesKey(key, "local")).toBe(false);
    });

    it("is true of the keys of rows that are there, in the trash or not, exactly, inside a transaction too", async () => {
      const { id } = await add(video("n/Key"));
      const names = (key: string) => media().namesKey(key, "local");
      for (const key of keysOf("n/Key")) {
        expect(await names(key), key).toBe(true);
        expect(await open.database.transact((stores) => stores.media.namesKey(key, "local")), key).toBe(true);
      }
      for (const key of ["n/key.mov", "n/Key.mov ", "n/Key_small.jpg ", "n/Key", "n/%", "n/Key_small_jpg"])
        expect(await names(key), key).toBe(false);
      await trash(id);
      for (const key of keysOf("n/Key")) expect(await names(key), key).toBe(true);
    });

    it("is true in the store that holds the row's objects, and in no other", async () => {
      const { id } = await add(video("n/here"));
      for (const key of keysOf("n/here")) expect(await media().namesKey(key, "s3"), key).toBe(false);
      await media().switchStorage(id, TO_S3);
      for (const key of keysOf("n/here")) {
        expect(await media().namesKey(key, "s3"), key).toBe(true);
        expect(await media().namesKey(key, "local"), key).toBe(false);
      }
    });
  });

  describe("switchStorage", () => {
    it("changes the store and the bucket of a row, and nothing else of it or of others", async () => {
      const [item, other] = [await add(video("w/a")), await add()];
      expect(await media().switchStorage(item.id, TO_S3)).toBe(true);
      expect(await media().find(item.id)).toEqual({ ...item, storageType: "s3", bucketName: "bucket" });
      expect(await media().find(other.id)).toEqual(other);
      expect(await media().switchStorage(item.id, TO_LOCAL)).toBe(true);
      expect(await media().find(item.id)).toEqual(item);
    });

    it("takes what is in the trash, and what is marked missing", async () => {
      const { id } = await add();
      await trash(id);
      await media().markMissing(id, NOW);
      expect(await media().switchStorage(id, TO_S3)).toBe(true);
      expect(await media().find(id)).toMatchObject({ storageType: "s3", deletedAt: LATER, missingSince: NOW });
    });

    it("is false, and changes nothing, where the item is gone or in another store", async () => {
      const item = await add();
      expect(await media().switchStorage(987_654_321, TO_S3)).toBe(false);
      expect(await media().switchStorage(item.id, TO_LOCAL)).toBe(false);
      expect(await media().find(item.id)).toEqual(item);
    });

    it("lets one of many that move the same item do it", async () => {
      const { id } = await add();
      const moves = Array.from({ length: 8 }, () => open.database.transact((s) => s.media.switchStorage(id, TO_S3)));
      expect((await Promise.all(moves)).filter(Boolean)).toHaveLength(1);
    });

    it("is undone with its transaction", async () => {
      const item = await add();
      const undone = open.database.transact(async (stores) => {
        expect(await stores.media.switchStorage(item.id, TO_S3)).toBe(true);
        throw new RangeError("undo");
      });
      await expect(undone).rejects.toThrow(RangeError);
      expect(await media().find(item.id)).toEqual(item);
    });
  });

  describe("an object that is taken for an orphan while its row moves to its store", () => {
    const noPause = () => Promise.resolve();

    /** As the removal of orphans does it: what no row of this store names is put into the outbox. */
    const removeOrphan = (key: string, pause = noPause) =>
      open.database.transact(async (stores) => {
        const isNamed = await stores.media.namesKey(key, "local");
        await pause();
        if (!isNamed) await stores.deletions.add([{ key, storageType: "local" }], NOW);
        return isNamed ? "kept" : "removed";
      });

    /** As the mover does it: the row moves, unless its object's removal was promised. */
    const moveHere = (id: number, key: string, pause = noPause) =>
      open.database
        .transact(async (stores) => {
          await stores.media.switchStorage(id, TO_LOCAL);
          await pause();
          if (await stores.deletions.holds({ key, storageType: "local" })) throw new RangeError("promised");
          return "moved";
        })
        .catch((error: unknown) => {
          if (error instanceof RangeError) return "stayed";
          throw error;
        });

    afterEach(async () => {
      const due = await open.database.deletions.due({ storageType: "local", now: LATER, limit: 100 });
      await open.database.deletions.done(due.map((entry) => entry.id));
    });

    /** Begins the second while the first is in its pause, which ends a while after. */
    async function meeting<A, B>(first: (pause: () => Promise<void>) => Promise<A>, second: () => Promise<B>) {
      const underWay = new EventEmitter();
      const began = once(underWay, "began");
      const one = first(() => {
        underWay.emit("began");
        return sleep(A_WHILE_MS);
      });
      await began;
      return Promise.all([one, second()]);
    }

    it.each(keysOf("o/a"))("is removed and the row stays, where the look for it came first: %s", async (key) => {
      const { id } = await add({ ...video("o/a"), storageType: "s3", bucketName: "bucket" });
      const outcome = await meeting(
        (pause) => removeOrphan(key, pause),
        () => moveHere(id, key),
      );
      expect(outcome).toEqual(["removed", "stayed"]);
      expect((await media().find(id))?.storageType).toBe("s3");
    });

    it.each(keysOf("o/b"))("is kept, where the row moved first: %s", async (key) => {
      const { id } = await add({ ...video("o/b"), storageType: "s3", bucketName: "bucket" });
      const outcome = await meeting(
        (pause) => moveHere(id, key, pause),
        () => removeOrphan(key),
      );
      expect(outcome).toEqual(["moved", "kept"]);
      expect(await open.database.deletions.holds({ key, storageType: "local" })).toBe(false);
    });

    it("never ends both removed and named, however the two meet", async () => {
      for (let round = 0; round < 25; round++) {
        const name = `race/${round}`;
        const key = keysOf(name)[round % 3] ?? "";
        const { id } = await add({ ...video(name), storageType: "s3", bucketName: "bucket" });
        const outcome = await Promise.all([removeOrphan(key), moveHere(id, key)]);
        expect([
          ["removed", "stayed"],
          ["kept", "moved"],
        ]).toContainEqual(outcome);
        await media().remove(id);
      }
    });
  });
}
