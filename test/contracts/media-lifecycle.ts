import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { EntityType } from "../../src/media/attachments.js";
import type { ModerationStatus } from "../../src/media/model.js";
import type { Audience, Entity, GalleryPlace, MediaSearchQuery, NewMedia } from "../../src/media/ports.js";
import { type EmptyDatabase, openMigrated, type TestDatabase } from "../support/database.js";
import { LATER, NOW, newEntity, newMedia, variant } from "../support/media-rows.js";

const EVERYTHING: Audience = { sees: "everything" };
const missingItem = { failure: { code: "MEDIA_NOT_FOUND" } };
const at = (seconds: number) => new Date(NOW.getTime() + seconds * 1_000);
const placeOf = ({ sortOrder, orderKey, id }: GalleryPlace) => ({ sortOrder, orderKey, id });

/** What every MediaRepository does after an item's upload. Each test begins without items and ends without. */
export function mediaLifecycleContract(create: () => Promise<EmptyDatabase>): void {
  let open: TestDatabase;
  let property: Entity;
  beforeAll(async () => {
    open = await openMigrated(await create());
    property = await newEntity(open.database, "property");
  });
  afterAll(() => open.close());
  afterEach(async () => {
    for (const { id } of await media().storedItems({ afterId: 0, limit: 10_000 })) await media().remove(id);
    expect(await open.database.usage.usage({})).toEqual([]);
  });

  const media = () => open.database.media;
  const add = (over: Partial<NewMedia> = {}, entity = property) => media().insert(newMedia(entity, over));
  const trash = (id: number, when = LATER) => media().update(id, { deletedAt: when }, when);
  const ids = (items: readonly { id: number }[]) => items.map((item) => item.id);

  describe("neighbour", () => {
    const neighbour = (from: GalleryPlace, side: "before" | "after", except = 0) =>
      media().neighbour({ entity: property, field: "gallery", from: placeOf(from), except }, side);

    it("is null at either end, and in an empty gallery", async () => {
      const nowhere = { sortOrder: 0, orderKey: "a", id: 1 };
      for (const side of ["before", "after"] as const) expect(await neighbour(nowhere, side)).toBeNull();
      const only = await add();
      for (const side of ["before", "after"] as const) expect(await neighbour(only, side)).toBeNull();
    });

    it("is the next place by sort order, then by the order key's bytes, then by id", async () => {
      const a = await add({ sortOrder: -1, orderKey: "z" });
      const b = await add({ sortOrder: 0, orderKey: "Z" });
      const c = await add({ sortOrder: 0, orderKey: "a" });
      const d = await add({ sortOrder: 0, orderKey: "a" });
      const e = await add({ sortOrder: 7, orderKey: "A" });
      const order = [a, b, c, d, e];
      for (const [n, item] of order.entries()) {
        const [before, after] = [order[n - 1], order[n + 1]];
        expect(await neighbour(item, "before")).toEqual(before ? placeOf(before) : null);
        expect(await neighbour(item, "after")).toEqual(after ? placeOf(after) : null);
      }
    });

    it("passes over the item that is being moved", async () => {
      const [a, b, c] = [await add(), await add(), await add()];
      expect(await neighbour(a, "after", b.id)).toEqual(placeOf(c));
      expect(await neighbour(c, "before", b.id)).toEqual(placeOf(a));
      expect(await neighbour(b, "after", c.id)).toBeNull();
    });

    it("counts neither the trash nor other fields nor other entities, but what is marked missing", async () => {
      const community = await newEntity(open.database, "community");
      const inGallery = (from: GalleryPlace) =>
        media().neighbour({ entity: community, field: "gallery", from: placeOf(from), except: 0 }, "after");
      const first = await add({}, community);
      await trash((await add({}, community)).id);
      await add({ entityField: "cover" }, community);
      await add();
      expect(await inGallery(first)).toBeNull();
      const marked = await add({}, community);
      await media().markMissing(marked.id, NOW);
      expect(await inGallery(first)).toEqual(placeOf(marked));
    });
  });

  describe("setPlaces", () => {
    it("does nothing with nothing", async () => {
      const item = await add();
      await media().setPlaces([], LATER);
      expect(await media().find(item.id)).toEqual(item);
    });

    it("gives each item its place, and leaves everything else of it and all others", async () => {
      const [a, b, other] = [await add({ caption: "c" }), await add(), await add()];
      await media().setPlaces(
        [
          { id: b.id, sortOrder: 0, orderKey: "a1" },
          { id: a.id, sortOrder: -3, orderKey: "Zz" },
        ],
        LATER,
      );
      expect(await media().find(a.id)).toEqual({ ...a, sortOrder: -3, orderKey: "Zz", updatedAt: LATER });
      expect(await media().find(b.id)).toEqual({ ...b, sortOrder: 0, orderKey: "a1", updatedAt: LATER });
      expect(await media().find(other.id)).toEqual(other);
    });

    it("turns a gallery that takes more than one statement round, all or nothing", async () => {
      const items = await open.database.transact(async (stores) => {
        const made: number[] = [];
        for (let n = 0; n < 501; n++) made.push((await stores.media.insert(newMedia(property))).id);
        return made;
      });
      const turned = [...items].reverse();
      const places = turned.map((id, n) => ({ id, sortOrder: n, orderKey: "a0" }));
      await media().setPlaces(places, LATER);
      expect(ids(await media().current(property, "gallery"))).toEqual(turned);
      const undone = open.database.transact(async (stores) => {
        await stores.media.setPlaces(
          items.map((id, n) => ({ id, sortOrder: n, orderKey: "a0" })),
          LATER,
        );
        throw new RangeError("undo");
      });
      await expect(undone).rejects.toThrow(RangeError);
      expect(ids(await media().current(property, "gallery"))).toEqual(turned);
    }, 120_000);

    it("ends as one of many orders that are set at once", async () => {
      const items = [await add(), await add(), await add(), await add()];
      const orders = Array.from({ length: 12 }, (_, n) => {
        const by = n % items.length;
        return ids([...items.slice(by), ...items.slice(0, by)]);
      });
      await Promise.all(
        orders.map((order) =>
          open.database.transact(async (stores) => {
            await stores.entities.lock(property);
            await stores.media.setPlaces(
              order.map((id, n) => ({ id, sortOrder: n, orderKey: "a0" })),
              LATER,
            );
          }),
        ),
      );
      expect(orders).toContainEqual(ids(await media().current(property, "gallery")));
    });
  });

  describe("remove", () => {
    it("takes the row with its variants and frees its keys, and leaves the others", async () => {
      const over = { storagePath: "r/x.jpg", variants: [variant("small", 400, "r/x_small.jpg")] };
      const kept = await add({ variants: [variant("small", 400)] });
      const { id, publicId } = await add(over);
      await media().remove(id);
      for (const ref of [id, publicId]) expect(await media().find(ref)).toBeUndefined();
      for (const key of ["r/x.jpg", "r/x_small.jpg"]) expect(await media().namesKey(key, "local")).toBe(false);
      expect(await media().find(kept.id)).toEqual(kept);
      expect((await add(over)).id, "no id is given twice").toBeGreaterThan(id);
    });

    it("frees the slot and the primary place it held", async () => {
      const user = await newEntity(open.database, "user");
      const avatar = await add({ entityField: "avatar", isPrimary: true }, user);
      await media().remove(avatar.id);
      await expect(add({ entityField: "avatar", isPrimary: true }, user)).resolves.toBeDefined();
    });

    it("takes what is in the trash too", async () => {
      const { id } = await add();
      await trash(id);
      await media().remove(id);
      expect(await media().find(id)).toBeUndefined();
    });

    it("refuses what is not there, also the second of two at once", async () => {
      await expect(media().remove(987_654_321)).rejects.toMatchObject(missingItem);
      const { id } = await add();
      const both = await Promise.allSettled([media().remove(id), media().remove(id)]);
      expect(both.map((one) => one.status).sort()).toEqual(["fulfilled", "rejected"]);
    });
  });

  describe("queue", () => {
    const queue = (statuses: readonly ModerationStatus[], after: { createdAt: Date; id: number } | null = null) =>
      media().queue({ statuses, limit: 3, after });

    it("is empty where nothing waits, and for no status", async () => {
      await add();
      expect(await queue(["pending", "flagged"])).toEqual([]);
      await add({ moderationStatus: "pending" });
      expect(await queue([])).toEqual([]);
    });

    it("goes by creation, then by id, through all statuses asked for, once each", async () => {
      const waiting = [];
      for (const [n, moderationStatus] of (["flagged", "pending", "pending", "flagged", "flagged"] as const).entries())
        waiting.push(await add({ moderationStatus, createdAt: at(n < 3 ? 0 : -n) }));
      const [a, b, c, d, e] = ids(waiting);
      await add({ moderationStatus: "rejected", createdAt: at(-99) });
      const paged: number[] = [];
      let page = await queue(["pending", "flagged", "pending"]);
      expect(ids(page)).toEqual([e, d, a]);
      while (page.length > 0) {
        paged.push(...ids(page));
        page = await queue(["flagged", "pending"], page.at(-1) ?? null);
      }
      expect(paged).toEqual([e, d, a, b, c]);
      expect(ids(await queue(["pending"]))).toEqual([b, c]);
    });

    it("leaves out the trash and what is marked missing", async () => {
      const item = await add({ moderationStatus: "pending", variants: [variant("small", 400)] });
      await trash((await add({ moderationStatus: "pending" })).id);
      await media().markMissing((await add({ moderationStatus: "pending" })).id, NOW);
      expect(await queue(["pending"])).toEqual([item]);
    });
  });

  describe("search", () => {
    const search = async (query: Partial<MediaSearchQuery> = {}) =>
      ids(await media().search({ audience: EVERYTHING, limit: 100, beforeId: null, ...query }));

    it("finds nothing where there is nothing", async () => {
      expect(await search()).toEqual([]);
      expect(await search({ text: "x" })).toEqual([]);
    });

    it("answers whole items, newest first, page by page", async () => {
      const items = [];
      for (let n = 0; n < 7; n++) items.push(await add({ variants: [variant("small", 400)] }));
      const newestFirst = ids(items).reverse();
      const [newest] = await media().search({ audience: EVERYTHING, limit: 1, beforeId: null });
      expect(newest).toEqual(items.at(-1));
      const paged: number[] = [];
      for (let beforeId: number | null = null; ; beforeId = paged.at(-1) ?? null) {
        const page = await search({ limit: 3, beforeId });
        if (page.length === 0) break;
        paged.push(...page);
      }
      expect(paged).toEqual(newestFirst);
    });

    it("filters by each fact, and by all of them together", async () => {
      const wanted = {
        mediaType: "VIDEO",
        moderationStatus: "flagged",
        uploadedBy: "USR-s",
        tags: ["pool"],
        createdAt: at(10),
        altText: "x",
      } as const;
      const facts = { ...wanted, tags: [...wanted.tags] };
      const item = await add(facts);
      await add({ ...facts, mediaType: "IMAGE" });
      await add({ ...facts, moderationStatus: "approved" });
      await add({ ...facts, uploadedBy: "USR-S" });
      await add({ ...facts, tags: ["pools"] });
      await add({ ...facts, createdAt: at(9) });
      await add({ ...facts, createdAt: at(11) });
      await add({ ...facts, altText: "y" });
      const query = {
        mediaType: "VIDEO",
        status: "flagged",
        uploadedBy: "USR-s",
        tag: "pool",
        from: at(10),
        to: at(10),
        text: "x",
      } as const;
      expect(await search(query)).toEqual([item.id]);
      for (const left of Object.keys(query) as (keyof typeof query)[])
        expect(await search({ ...query, [left]: undefined }), left).toHaveLength(2);
      expect(await search({ from: at(11) })).toHaveLength(1);
      expect(await search({ to: at(9) })).toHaveLength(1);
      expect(await search({ uploadedBy: "USR-nobody" })).toEqual([]);
    });

    it("leaves out the trash and what is marked missing", async () => {
      await trash((await add()).id);
      await media().markMissing((await add()).id, NOW);
      expect(await search()).toEqual([]);
    });

    it("shows the public what is published, users their own besides, and those with ties all of their entities'", async () => {
      const places = new Map<EntityType, Entity>();
      for (const type of ["builder", "post", "community"] as const)
        places.set(type, await newEntity(open.database, type));
      const of = (type: EntityType) => places.get(type) as Entity;
      const hidden = { isPublic: false, uploadedBy: "USR-other" };
      const shown = await add();
      const own = await add({ ...hidden, uploadedBy: "USR-me" });
      const ofBuilder = await add({ ...hidden, moderationStatus: "rejected" }, of("builder"));
      const ofPost = await add(hidden, of("post"));
      await add(hidden, of("community"));
      const seen = (audience: Audience) => search({ audience });
      expect(await seen({ sees: "public", andOwn: null })).toEqual([shown.id]);
      expect(await seen({ sees: "public", andOwn: null, andOf: [] })).toEqual([shown.id]);
      expect(await seen({ sees: "public", andOwn: "USR-me" })).toEqual([own.id, shown.id]);
      const andOf = [of("builder"), of("post"), { type: "post", id: of("builder").id + 1e6 }] as const;
      expect(await seen({ sees: "public", andOwn: null, andOf })).toEqual([ofPost.id, ofBuilder.id, shown.id]);
      expect(await seen({ sees: "public", andOwn: "USR-me", andOf: [of("post")] })).toEqual([
        ofPost.id,
        own.id,
        shown.id,
      ]);
      expect(await seen(EVERYTHING)).toHaveLength(5);
    });

    it("takes an audience of a thousand entities, in lists too", async () => {
      const hidden = await add({ isPublic: false });
      const strangers = Array.from({ length: 999 }, (_, n) => ({ type: "post", id: n + 1 }) as const);
      const audience = { sees: "public", andOwn: null, andOf: [...strangers, property] } as const;
      expect(await search({ audience })).toEqual([hidden.id]);
      const { items, total } = await media().list({ entity: property, audience, limit: 9, after: null });
      expect([ids(items), total]).toEqual([[hidden.id], 1]);
    });
  });

  describe("purgeable", () => {
    const purgeable = async (limit = 100) =>
      ids(await media().purgeable({ trashedBefore: at(100), importedBefore: at(50), limit }));
    const imported = { sourceUrl: "https://example.org/a.jpg", moderationStatus: "pending" } as const;

    it("is nothing where all is young", async () => {
      await add();
      await trash((await add()).id, at(100));
      await add({ ...imported, createdAt: at(50) });
      expect(await purgeable()).toEqual([]);
    });

    it("is what is long in the trash, and what was imported long ago and never approved", async () => {
      const trashed = await add({ variants: [variant("small", 400)] });
      await trash(trashed.id, at(99));
      const old = { ...imported, createdAt: at(49) };
      const unapproved = [];
      for (const moderationStatus of ["pending", "rejected", "flagged"] as const)
        unapproved.push(await add({ ...old, moderationStatus }));
      await add({ ...old, moderationStatus: "approved" });
      await add({ ...old, sourceUrl: null });
      expect(await purgeable()).toEqual([trashed.id, ...ids(unapproved)]);
      const [first] = await media().purgeable({ trashedBefore: at(100), importedBefore: at(50), limit: 1 });
      expect(first).toEqual({ ...trashed, deletedAt: at(99), updatedAt: at(99) });
    });

    it("names an item once, oldest first, up to the limit, marked ones too", async () => {
      const both = await add({ ...imported, createdAt: at(0) });
      await trash(both.id, at(20));
      const older = await add();
      await trash(older.id, at(10));
      const young = await add({ ...imported, createdAt: at(2) });
      const old = await add({ ...imported, createdAt: at(1) });
      const youngTrash = await add({ ...imported, createdAt: at(3) });
      await trash(youngTrash.id, at(200));
      await media().markMissing(old.id, NOW);
      const all = [older.id, both.id, old.id, young.id, youngTrash.id];
      for (let limit = 0; limit <= all.length; limit++) expect(await purgeable(limit)).toEqual(all.slice(0, limit));
    });
  });

  describe("marks", () => {
    it("hide a marked item from lists and duplicates until the mark goes, and from nothing else", async () => {
      const item = await add({ storagePath: "m/a.jpg" });
      const listed = () => media().list({ entity: property, audience: EVERYTHING, limit: 9, after: null });
      await media().markMissing(item.id, LATER);
      const marked = { ...item, missingSince: LATER };
      expect(await listed()).toEqual({ items: [], total: 0 });
      expect(await media().fingerprints(property)).toEqual([]);
      expect(await media().find(item.id)).toEqual(marked);
      expect((await media().findByKey("m/a.jpg"))?.media).toEqual(marked);
      expect(await media().current(property, "gallery")).toEqual([marked]);
      expect(await media().currentOfEntity(property)).toEqual([marked]);
      await media().markMissing(item.id, null);
      expect(await listed()).toEqual({ items: [item], total: 1 });
      expect(await media().fingerprints(property)).toHaveLength(1);
    });

    it("let a mark on what is gone be nothing", async () => {
      await expect(media().markMissing(987_654_321, NOW)).resolves.toBeUndefined();
    });
  });
}
