import { beforeEach, describe, expect, it } from "vitest";
import type { Audience, Database, Entity, GalleryPlace, NewMedia } from "../../src/media/ports.js";
import { LATER, NOW, newEntity, newMedia, variant } from "../support/media-rows.js";

const EVERYTHING: Audience = { sees: "everything" };
const conflict = { failure: { code: "CONFLICT" } };

/** What every MediaRepository does. `database` answers a database with all its tables. */
export function mediaRepositoryContract(database: () => Database): void {
  let property: Entity;
  let user: Entity;
  beforeEach(async () => {
    property = await newEntity(database(), "property");
    user = await newEntity(database(), "user");
  });

  const media = () => database().media;
  const add = (over: Partial<NewMedia> = {}, entity = property) => media().insert(newMedia(entity, over));
  const listed = async (query: { tag?: string; audience?: Audience } = {}) => {
    const { items } = await media().list({ entity: property, audience: EVERYTHING, limit: 50, after: null, ...query });
    return items.map((item) => item.publicId);
  };

  describe("a row", () => {
    const full: Partial<NewMedia> = {
      mediaType: "VIDEO",
      fileSize: 5_000_000_001,
      duration: 12.345,
      imageHash: null,
      storageType: "s3",
      bucketName: "bucket",
      videoProcessedKey: "videos/full_processed.mp4",
      videoProcessedSize: 6_000_000_002,
      variants: [variant("large", 1600), variant("small", 400), variant("thumbnail", 150)],
      altText: "Überblick 🏡 — \"quoted\" \\ 'single'",
      caption: "line\nline\t% _ ü",
      sortOrder: -7,
      sourceUrl: "https://example.org/ä?x=1",
      tags: ["Größe", '"q"', "\\", "🏡"],
      metadata: { exif: { make: "Ä", iso: 100, exposure: 0.0125 }, nested: { list: [1, null, "x"] } },
      placeholder: "aGFzaA==",
      dominantColor: "#0a0b0c",
      focalPoint: { x: 0.1, y: 0.9 },
      uploadedBy: "USR-1",
      isPublic: false,
      isPrimary: true,
      moderationStatus: "flagged",
      processingStatus: "processing",
      updatedAt: LATER,
    };

    it("comes back as it was put in, every column of it", async () => {
      const item = newMedia(property, full);
      const inserted = await media().insert(item);
      expect(inserted).toEqual({ ...item, id: inserted.id, deletedAt: null, missingSince: null });
      expect(await media().find(inserted.id)).toEqual(inserted);
    });

    it("comes back with nulls where it has nothing", async () => {
      const inserted = await add();
      const found = await media().find(inserted.publicId);
      expect(found).toEqual(inserted);
      expect(found).toMatchObject({ altText: null, caption: null, focalPoint: null, uploadedBy: null, variants: [] });
    });

    it("refuses a public id or an object key that is taken", async () => {
      const taken = await add({ variants: [variant("small", 400, "k/taken_small.jpg")] });
      await expect(add({ publicId: taken.publicId })).rejects.toMatchObject(conflict);
      await expect(add({ storagePath: taken.storagePath })).rejects.toMatchObject(conflict);
      await expect(add({ variants: [variant("small", 400, "k/taken_small.jpg")] })).rejects.toMatchObject(conflict);
      expect(await listed()).toEqual([taken.publicId]);
    });

    it("needs a size with a processed video's key", async () => {
      await expect(add({ videoProcessedKey: "videos/x.mp4" })).rejects.toThrow(TypeError);
    });
  });

  describe("find", () => {
    it("takes the integer id, as a number or in digits, and the public id", async () => {
      const item = await add();
      for (const ref of [item.id, String(item.id), item.publicId])
        expect((await media().find(ref))?.id, String(ref)).toBe(item.id);
    });

    it("prefers the integer id over a public id of the same digits", async () => {
      const first = await add();
      const digits = await add({ publicId: String(first.id) });
      expect((await media().find(String(first.id)))?.id).toBe(first.id);
      expect((await media().find(digits.id))?.publicId).toBe(String(first.id));
    });

    it("finds a public id of digits where no integer id is meant", async () => {
      const item = await add({ publicId: "999888777666555444333" });
      expect((await media().find("999888777666555444333"))?.id).toBe(item.id);
    });

    it("tells letter case, accents and trailing spaces apart", async () => {
      await add({ publicId: "MED-Exact" });
      for (const ref of ["med-exact", "MED-Éxact", "MED-Exact ", " MED-Exact"])
        expect(await media().find(ref), ref).toBeUndefined();
    });

    it("answers undefined for what is not there", async () => {
      for (const ref of [0, -1, 987_654_321, "987654321", "", "nothing", 1.5])
        expect(await media().find(ref)).toBeUndefined();
    });

    it("finds what is in the trash", async () => {
      const { id } = await add();
      await media().update(id, { deletedAt: LATER }, LATER);
      expect((await media().find(id))?.deletedAt).toEqual(LATER);
    });
  });

  describe("findByKey", () => {
    it("knows originals, variants and processed videos, each with its own type and size", async () => {
      const small = { ...variant("small", 400, "k/by-key_small.webp"), contentType: "image/webp", fileSize: 77 };
      const processed = { videoProcessedKey: "k/by-key.mp4", videoProcessedSize: 88 };
      const item = await add({
        storagePath: "k/by-key.mov",
        contentType: "video/quicktime",
        variants: [small],
        ...processed,
      });
      expect(await media().findByKey("k/by-key.mov")).toEqual({
        media: item,
        contentType: "video/quicktime",
        fileSize: 1_000,
      });
      expect(await media().findByKey("k/by-key_small.webp")).toEqual({
        media: item,
        contentType: "image/webp",
        fileSize: 77,
      });
      expect(await media().findByKey("k/by-key.mp4")).toEqual({ media: item, contentType: "video/mp4", fileSize: 88 });
    });

    it("finds the keys of trashed items, and no key but the very same", async () => {
      const { id } = await add({ storagePath: "k/Case.jpg" });
      await media().update(id, { deletedAt: LATER }, LATER);
      expect((await media().findByKey("k/Case.jpg"))?.media.deletedAt).toEqual(LATER);
      for (const key of ["k/case.jpg", "k/Case.jpg ", "k/Case", ""])
        expect(await media().findByKey(key), key).toBeUndefined();
    });
  });

  describe("list", () => {
    it("is empty for an entity without items", async () => {
      expect(await media().list({ entity: property, audience: EVERYTHING, limit: 10, after: null })).toEqual({
        items: [],
        total: 0,
      });
    });

    it("goes by sort order, then by the order key's bytes, then by id", async () => {
      await add({ publicId: "late", sortOrder: 5, orderKey: "a" });
      await add({ publicId: "lower", sortOrder: 0, orderKey: "a1" });
      await add({ publicId: "upper", sortOrder: 0, orderKey: "Z9" });
      await add({ publicId: "twin-1", sortOrder: 0, orderKey: "a0" });
      await add({ publicId: "twin-2", sortOrder: 0, orderKey: "a0" });
      await add({ publicId: "negative", sortOrder: -1, orderKey: "z" });
      expect(await listed()).toEqual(["negative", "upper", "twin-1", "twin-2", "lower", "late"]);
    });

    it("pages through all items once, and counts them all on every page", async () => {
      for (let n = 0; n < 11; n++) await add({ sortOrder: n % 2, orderKey: `k${n % 3}` });
      const whole = await listed();
      const paged: string[] = [];
      let after: GalleryPlace | null = null;
      do {
        const page = await media().list({ entity: property, audience: EVERYTHING, limit: 3, after });
        expect(page.total).toBe(11);
        paged.push(...page.items.map((item) => item.publicId));
        after = page.items.at(-1) ?? null;
      } while (after);
      expect(paged).toEqual(whole);
      expect(new Set(paged).size).toBe(11);
    });

    it("filters by field and by status, and leaves out other entities and the trash", async () => {
      const other = await newEntity(database(), "property");
      const community = await newEntity(database(), "community");
      await add({}, other);
      const trashed = await add();
      await media().update(trashed.id, { deletedAt: LATER }, LATER);
      const pending = await add({ moderationStatus: "pending" });
      const avatar = await add({ entityField: "avatar" }, community);
      await add({}, community);
      const inField = { entity: community, field: "avatar", audience: EVERYTHING, limit: 9, after: null } as const;
      expect((await media().list(inField)).items).toEqual([avatar]);
      const inStatus = { entity: property, status: "pending", audience: EVERYTHING, limit: 9, after: null } as const;
      expect(await media().list(inStatus)).toEqual({ items: [pending], total: 1 });
      expect(await listed()).toEqual([pending.publicId]);
    });

    it("filters by whole tags, exactly", async () => {
      const odd = await add({ tags: ["Küche", 'say "hi"', "a\\b", "100%", "🏡"] });
      await add({ tags: ["Küchen", "küche", "say", "a", "100"] });
      await add({ tags: [] });
      for (const tag of odd.tags) expect(await listed({ tag }), tag).toEqual([odd.publicId]);
      expect(await listed({ tag: "K" })).toEqual([]);
      expect(await listed({ tag: "" })).toEqual([]);
    });

    it("shows the public what is public, approved and ready, and nothing else", async () => {
      const shown = await add();
      await add({ isPublic: false });
      for (const moderationStatus of ["pending", "rejected", "flagged"] as const) await add({ moderationStatus });
      for (const processingStatus of ["processing", "failed"] as const) await add({ processingStatus });
      expect(await listed({ audience: { sees: "public", andOwn: null } })).toEqual([shown.publicId]);
      expect(await listed({ audience: EVERYTHING })).toHaveLength(7);
    });

    it("shows users their own items in any state besides, and counts by the same rule", async () => {
      const shown = await add({ uploadedBy: "USR-other" });
      const own = await add({ uploadedBy: "USR-me", isPublic: false, moderationStatus: "rejected" });
      await add({ uploadedBy: "USR-other", isPublic: false });
      await add({ uploadedBy: "usr-me", isPublic: false });
      const audience = { sees: "public", andOwn: "USR-me" } as const;
      const page = await media().list({ entity: property, audience, limit: 1, after: null });
      expect(page.items).toEqual([shown]);
      expect(page.total).toBe(2);
      expect(await listed({ audience })).toEqual([shown.publicId, own.publicId]);
    });

    it("gives every item its own variants, largest first", async () => {
      const one = await add({ variants: [variant("thumbnail", 150), variant("large", 1600), variant("medium", 800)] });
      const none = await add();
      const two = await add({ variants: [variant("small", 400)] });
      const { items } = await media().list({ entity: property, audience: EVERYTHING, limit: 9, after: null });
      expect(items).toEqual([one, none, two]);
      expect(items.map((item) => item.variants.map((v) => v.name))).toEqual([
        ["large", "medium", "thumbnail"],
        [],
        ["small"],
      ]);
    });
  });

  describe("slots and primary items", () => {
    it("lets a slot hold one current item", async () => {
      const first = await add({ entityField: "avatar" }, user);
      await expect(add({ entityField: "avatar" }, user)).rejects.toMatchObject(conflict);
      await expect(add({ entityField: "cover" }, user)).resolves.toBeDefined();
      await media().update(first.id, { deletedAt: LATER }, LATER);
      await expect(add({ entityField: "avatar" }, user)).resolves.toBeDefined();
    });

    it("does not restore an item whose slot is taken", async () => {
      const first = await add({ entityField: "avatar" }, user);
      await media().update(first.id, { deletedAt: LATER }, LATER);
      const second = await add({ entityField: "avatar" }, user);
      await expect(media().update(first.id, { deletedAt: null }, LATER)).rejects.toMatchObject(conflict);
      await media().update(second.id, { deletedAt: LATER }, LATER);
      await media().update(first.id, { deletedAt: null }, LATER);
      expect(await media().current(user, "avatar")).toMatchObject([{ id: first.id, deletedAt: null }]);
    });

    it("lets a gallery hold many, one of them primary", async () => {
      const first = await add({ isPrimary: true });
      const second = await add();
      await expect(add({ isPrimary: true })).rejects.toMatchObject(conflict);
      await expect(media().update(second.id, { isPrimary: true }, LATER)).rejects.toMatchObject(conflict);
      await media().update(first.id, { isPrimary: false }, LATER);
      await media().update(second.id, { isPrimary: true }, LATER);
      expect((await media().current(property, "gallery")).map((item) => item.isPrimary)).toEqual([false, true]);
    });

    it("frees the primary place while the primary item is in the trash, even if changed there", async () => {
      const first = await add({ isPrimary: true });
      await media().update(first.id, { deletedAt: LATER }, LATER);
      await media().update(first.id, { isPrimary: true, altText: "x" }, LATER);
      await add({ isPrimary: true });
      await expect(media().update(first.id, { deletedAt: null }, LATER)).rejects.toMatchObject(conflict);
    });
  });

  describe("update", () => {
    it("leaves what is absent, clears what is null, and notes when", async () => {
      const item = await add({ altText: "a", caption: "c", tags: ["t"], focalPoint: { x: 0, y: 1 } });
      await media().update(item.id, { caption: null, focalPoint: null }, LATER);
      expect(await media().find(item.id)).toEqual({ ...item, caption: null, focalPoint: null, updatedAt: LATER });
    });

    it("sets every field that may change", async () => {
      const item = await add();
      const change = {
        altText: "alt",
        caption: "caption",
        tags: ["x", "y"],
        isPublic: false,
        isPrimary: true,
        focalPoint: { x: 0.25, y: 0.75 },
        sortOrder: 9,
        orderKey: "b",
        moderationStatus: "rejected",
        deletedAt: LATER,
      } as const;
      await media().update(item.id, { ...change, tags: [...change.tags] }, LATER);
      expect(await media().find(item.id)).toEqual({ ...item, ...change, updatedAt: LATER });
    });

    it("shows an item to the public from its approval on", async () => {
      const item = await add({ moderationStatus: "pending" });
      const audience = { sees: "public", andOwn: null } as const;
      expect(await listed({ audience })).toEqual([]);
      await media().update(item.id, { moderationStatus: "approved" }, LATER);
      expect(await listed({ audience })).toEqual([item.publicId]);
      await media().update(item.id, { moderationStatus: "flagged" }, LATER);
      expect(await listed({ audience })).toEqual([]);
    });

    it("refuses an item that is not there", async () => {
      const missing = { failure: { code: "MEDIA_NOT_FOUND" } };
      await expect(media().update(987_654_321, { altText: "x" }, NOW)).rejects.toMatchObject(missing);
    });
  });

  describe("current and lastPlace", () => {
    it("answer nothing for an entity without items", async () => {
      expect(await media().current(property, "gallery")).toEqual([]);
      expect(await media().currentOfEntity(property)).toEqual([]);
      expect(await media().lastPlace(property, "gallery")).toBeNull();
    });

    it("leave out the trash, other fields and other entities", async () => {
      const community = await newEntity(database(), "community");
      const second = await add({ sortOrder: 2 }, community);
      const first = await add({ sortOrder: 1 }, community);
      const cover = await add({ entityField: "cover", sortOrder: 3 }, community);
      const trashed = await add({ sortOrder: 9 }, community);
      await media().update(trashed.id, { deletedAt: LATER }, LATER);
      await add();
      expect(await media().current(community, "gallery")).toEqual([first, second]);
      expect(await media().currentOfEntity(community)).toEqual([first, second, cover]);
    });

    it("find the last place, up to a sort order too", async () => {
      await add({ sortOrder: 1, orderKey: "a0" });
      const middle = await add({ sortOrder: 1, orderKey: "a1" });
      const last = await add({ sortOrder: 4, orderKey: "Z" });
      const place = ({ sortOrder, orderKey, id }: GalleryPlace) => ({ sortOrder, orderKey, id });
      expect(await media().lastPlace(property, "gallery")).toEqual(place(last));
      expect(await media().lastPlace(property, "gallery", 3)).toEqual(place(middle));
      expect(await media().lastPlace(property, "gallery", 0)).toBeNull();
    });
  });
}
