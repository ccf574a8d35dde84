import { createClient } from "@libsql/client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Media } from "../../src/media/model.js";
import { type Entity, StorageUnavailableError } from "../../src/media/ports.js";
import { purgeExpired } from "../../src/media/purge.js";
import { keysOf, restoreMedia, trashMedia } from "../../src/media/remove.js";
import { createDomain, type Domain } from "../support/domain.js";
import { newMedia, variant } from "../support/media-rows.js";

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const RETENTION = { trashDays: 30, importDays: 7 };

describe("the purge", () => {
  let domain: Domain;
  let builder: Entity;

  beforeEach(async () => {
    domain = await createDomain();
    const entity = { type: "builder", publicId: "BLD-1", ownerId: "USR-1" } as const;
    builder = await domain.deps.database.entities.upsert(entity, domain.clock.now());
  });
  afterEach(() => domain.close());

  const wait = (milliseconds: number) => {
    domain.clock.time = new Date(domain.clock.time.getTime() + milliseconds);
  };
  const purge = (deps = domain.deps) => purgeExpired(deps, RETENTION);
  const owner = () => domain.user("USR-1");
  const find = (media: Media) => domain.deps.database.media.find(media.id);
  const outbox = () => domain.deps.database.deletions;

  /** A row with two objects in the store. */
  async function add(over: Parameters<typeof newMedia>[1] = {}): Promise<Media> {
    const now = domain.clock.now();
    const row = newMedia(builder, { variants: [variant("thumbnail", 150)], createdAt: now, updatedAt: now, ...over });
    for (const key of [row.storagePath, ...row.variants.map((v) => v.key)]) await put(key);
    return domain.deps.database.media.insert(row);
  }

  const put = (key: string) => domain.put(key);

  /** Columns that no use case sets: what an import would write. */
  async function makeImported(media: Media): Promise<Media> {
    const client = createClient({ url: domain.opened.url });
    await client.execute({
      sql: "UPDATE media SET source_url = 'https://a.test/1.jpg' WHERE id = ?",
      args: [media.id],
    });
    client.close();
    return media;
  }

  it("finds nothing to do where there is nothing", async () => {
    expect(await purge()).toBe(0);
    expect(await outbox().size()).toBe(0);
  });

  it("takes an item that was in the trash for more than thirty days, row and bytes", async () => {
    const [gone, kept] = [await add(), await add()];
    await trashMedia(domain.deps, owner(), gone.id);
    wait(30 * DAY_MS);
    expect(await purge()).toBe(0);
    expect(await find(gone)).toBeDefined();
    wait(1);
    expect(await purge()).toBe(1);
    expect(await find(gone)).toBeUndefined();
    expect(await find(kept)).toBeDefined();
    expect(await domain.keys()).toEqual(keysOf(kept).sort());
    expect(await outbox().size()).toBe(0);
  });

  it.each(["pending", "rejected", "flagged"] as const)(
    "takes an imported item that is still %s after seven days",
    async (moderationStatus) => {
      const gone = await makeImported(await add({ moderationStatus }));
      const approved = await makeImported(await add());
      const uploaded = await add({ moderationStatus });
      wait(7 * DAY_MS);
      expect(await purge()).toBe(0);
      wait(1);
      expect(await purge()).toBe(1);
      expect(await find(gone)).toBeUndefined();
      expect(await domain.keys()).toEqual([...keysOf(approved), ...keysOf(uploaded)].sort());
    },
  );

  it("ends, with more than a batch of imported items that are in the trash as well", { timeout: 60_000 }, async () => {
    const trashed = { moderationStatus: "pending", sourceUrl: "https://a.test/1.jpg" } as const;
    const items: Media[] = [];
    for (let i = 0; i < 101; i++)
      items.push(await domain.deps.database.media.insert(newMedia(builder, { ...trashed })));
    domain.clock.time = new Date((items[0]?.createdAt.getTime() ?? 0) + 7 * DAY_MS + 1);
    for (const { id } of items)
      await domain.deps.database.media.update(id, { deletedAt: domain.clock.now() }, domain.clock.now());
    expect(await purge()).toBe(101);
    expect(await domain.deps.database.media.storedItems({ afterId: 0, limit: 10 })).toEqual([]);
  });

  it("removes the exact keys, never what merely begins alike", async () => {
    const gone = await add({ storagePath: "builders/photos/BLD-1/photo-1.jpg" });
    const neighbours = ["builders/photos/BLD-1/photo-1.jpg.bak", "builders/photos/BLD-1/photo-10.jpg"];
    for (const key of neighbours) await put(key);
    await trashMedia(domain.deps, owner(), gone.id);
    wait(31 * DAY_MS);
    await purge();
    expect(await domain.keys()).toEqual(neighbours.sort());
  });

  it("keeps an item that was restored after the purge had found it", async () => {
    const [restored, gone] = [await add(), await add()];
    for (const { id } of [restored, gone]) await trashMedia(domain.deps, owner(), id);
    wait(31 * DAY_MS);
    const { database } = domain.deps;
    const media = {
      ...database.media,
      async purgeable(query: Parameters<typeof database.media.purgeable>[0]) {
        const found = await database.media.purgeable(query);
        if (found.some((item) => item.id === restored.id)) await restoreMedia(domain.deps, owner(), restored.id);
        return found;
      },
    };
    expect(await purge({ ...domain.deps, database: { ...database, media } })).toBe(1);
    expect(await find(restored)).toMatchObject({ deletedAt: null });
    expect(await find(gone)).toBeUndefined();
    expect(await domain.keys()).toEqual(keysOf(restored).sort());
  });

  it("promises the keys to the outbox while the store is down, and the bytes go when it is back", async () => {
    const gone = await add();
    await trashMedia(domain.deps, owner(), gone.id);
    wait(31 * DAY_MS);
    const error = new StorageUnavailableError("the disk is gone");
    const deleteMany = async (keys: readonly string[]) => keys.map((key) => ({ key, error }));
    expect(await purge(domain.withStores({ local: { deleteMany } }))).toBe(1);
    expect(await find(gone)).toBeUndefined();
    expect(await outbox().size()).toBe(2);
    expect(await domain.keys()).toEqual(keysOf(gone).sort());
    wait(MINUTE_MS);
    expect(await purge()).toBe(0);
    expect([await domain.keys(), await outbox().size()]).toEqual([[], 0]);
  });

  it("takes the item off the counters", async () => {
    const gone = await add({ uploadedBy: "USR-1" });
    await trashMedia(domain.deps, owner(), gone.id);
    expect(await domain.deps.database.usage.usage({})).toMatchObject([{ isTrashed: true, items: 1, variants: 1 }]);
    wait(31 * DAY_MS);
    await purge();
    expect(await domain.deps.database.usage.usage({})).toEqual([]);
  });

  it("forgets idempotency keys after a day and no sooner", async () => {
    const { idempotency } = domain.deps.database;
    const key = { principal: "USR-1", key: "k" };
    const begin = (fingerprint: string) =>
      idempotency.begin(key, fingerprint, { now: domain.clock.now(), expiresBefore: new Date(0) });
    await begin("a");
    await idempotency.finish(key, { mediaId: 1, reused: false, duplicates: [] });
    wait(DAY_MS);
    await purge();
    expect(await begin("b")).toMatchObject({ state: "done", fingerprint: "a" });
    wait(1);
    await purge();
    expect(await begin("b")).toEqual({ state: "begun" });
  });

  it("removes the bytes of an item from the store that holds them", async () => {
    const gone = await add();
    for (const key of keysOf(gone)) await domain.put(key, "s3");
    await domain.deps.database.media.switchStorage(gone.id, { from: "local", to: "s3", bucketName: "bucket" });
    await trashMedia(domain.deps, owner(), gone.id);
    wait(31 * DAY_MS);
    expect(await purge()).toBe(1);
    expect([await domain.keys("s3"), await domain.keys("local")]).toEqual([[], keysOf(gone).sort()]);
  });

  it("follows an item that moves to another store between the look at it and its removal", async () => {
    const gone = await add();
    for (const key of keysOf(gone)) await domain.put(key, "s3");
    await trashMedia(domain.deps, owner(), gone.id);
    wait(31 * DAY_MS);
    const { database } = domain.deps;
    const transact: typeof database.transact = (work) =>
      database.transact((stores) => {
        const find: typeof stores.media.find = async (ref) => {
          const found = await stores.media.find(ref);
          await stores.media.switchStorage(gone.id, { from: "local", to: "s3", bucketName: "bucket" });
          return found && { ...found, storageType: "local" };
        };
        return work({ ...stores, media: { ...stores.media, find } });
      });
    expect(await purge({ ...domain.deps, database: { ...database, transact } })).toBe(1);
    expect([await domain.keys("s3"), await domain.keys("local")]).toEqual([[], keysOf(gone).sort()]);
  });

  it("tells the metrics and the log what went, item by item", async () => {
    const [trashed, kept] = [await add(), await add()];
    await makeImported(await add({ moderationStatus: "pending" }));
    await trashMedia(domain.deps, owner(), trashed.id);
    const key = { principal: "USR-1", key: "k" };
    await domain.deps.database.idempotency.begin(key, "a", { now: domain.clock.now(), expiresBefore: new Date(0) });
    wait(31 * DAY_MS);
    await purge();
    expect(await find(kept)).toBeDefined();
    const expected = [
      ["idempotency_key", 1],
      ["trash", 1],
      ["import", 1],
    ];
    expect(domain.measured.retired).toEqual(expected);
    expect(domain.log.lines.map((line) => line.level)).toEqual(["info", "info", "info"]);
    await purge();
    expect(domain.measured.retired).toEqual(expected);
  });
});
