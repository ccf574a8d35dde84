import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { UsageRow } from "../../src/media/lifecycle-ports.js";
import { type Media, MODERATION_STATUSES } from "../../src/media/model.js";
import type { Entity, MediaRepository, NewMedia } from "../../src/media/ports.js";
import { type EmptyDatabase, openMigrated, type TestDatabase } from "../support/database.js";
import { LATER, NOW, newEntity, newMedia, variant } from "../support/media-rows.js";

type Place = Omit<UsageRow, "items" | "originalBytes" | "variants" | "variantBytes">;

const placeOf = (media: Media): Place => ({
  entityType: media.entityType,
  entityField: media.entityField,
  mediaType: media.mediaType,
  moderationStatus: media.moderationStatus,
  uploadedBy: media.uploadedBy,
  isTrashed: media.deletedAt !== null,
});

/** Summed up from the items themselves. */
function countItems(items: readonly Media[]): UsageRow[] {
  const rows = new Map<string, UsageRow>();
  for (const item of items) {
    const place = placeOf(item);
    const empty = { ...place, items: 0, originalBytes: 0, variants: 0, variantBytes: 0 };
    const row = rows.get(JSON.stringify(place)) ?? empty;
    rows.set(JSON.stringify(place), row);
    row.items += 1;
    row.originalBytes += item.fileSize;
    row.variants += item.variants.length + (item.videoProcessedKey === null ? 0 : 1);
    row.variantBytes += item.variants.reduce((bytes, one) => bytes + one.fileSize, item.videoProcessedSize ?? 0);
  }
  return inOrder([...rows.values()]);
}

/** By their dimensions. */
function inOrder(rows: readonly UsageRow[]): UsageRow[] {
  const nameOf = ({ entityType, entityField, mediaType, moderationStatus, uploadedBy, isTrashed }: UsageRow) =>
    JSON.stringify([entityType, entityField, mediaType, moderationStatus, uploadedBy ?? "", isTrashed]);
  return [...rows].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

/** What the counters must say of all items there are, in their order. */
export async function usageByScan(media: MediaRepository): Promise<UsageRow[]> {
  const stored = await media.storedItems({ afterId: 0, limit: 10_000 });
  const items = await Promise.all(stored.map(({ id }) => media.find(id)));
  return countItems(items.filter((item) => item !== undefined));
}

/** The same numbers each time: mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What every UsageCounters answers of what its MediaRepository does. */
export function usageCountersContract(create: () => Promise<EmptyDatabase>): void {
  let open: TestDatabase;
  let builder: Entity;
  let post: Entity;
  beforeAll(async () => {
    open = await openMigrated(await create());
    builder = await newEntity(open.database, "builder");
    post = await newEntity(open.database, "post");
  });
  afterAll(() => open.close());
  beforeEach(async () => {
    for (const { id } of await media().storedItems({ afterId: 0, limit: 10_000 })) await media().remove(id);
  });

  const media = () => open.database.media;
  const usage = () => open.database.usage.usage({});
  const add = (over: Partial<NewMedia> = {}, entity = builder) => media().insert(newMedia(entity, over));

  describe("usage", () => {
    it("is nothing where there are no items", async () => {
      expect(await usage()).toEqual([]);
      expect(await open.database.usage.usage({ entityType: "user" })).toEqual([]);
    });

    it("counts originals and variants, the processed video among them", async () => {
      const video = { mediaType: "VIDEO", videoProcessedKey: "u/v.mp4", videoProcessedSize: 70 } as const;
      await add({ fileSize: 5_000_000_001, variants: [variant("small", 40), variant("large", 160)] });
      await add({ fileSize: 9, uploadedBy: null });
      await add({ ...video, fileSize: 30, uploadedBy: "USR-1", variants: [variant("small", 1)] });
      const place = { entityType: "builder", entityField: "gallery", moderationStatus: "approved", isTrashed: false };
      expect(await open.database.usage.usage({})).toEqual([
        {
          ...place,
          mediaType: "IMAGE",
          uploadedBy: null,
          items: 2,
          originalBytes: 5_000_000_010,
          variants: 2,
          variantBytes: 2_000,
        },
        {
          ...place,
          mediaType: "VIDEO",
          uploadedBy: "USR-1",
          items: 1,
          originalBytes: 30,
          variants: 2,
          variantBytes: 80,
        },
      ]);
    });

    it("can be asked for one entity type", async () => {
      await add();
      await add({}, post);
      expect(await open.database.usage.usage({ entityType: "post" })).toMatchObject([{ entityType: "post", items: 1 }]);
    });

    it("follows an item through its life, and forgets it at its end", async () => {
      const { id } = await add({ moderationStatus: "pending", variants: [variant("small", 40)] }, post);
      const seen = async () =>
        (await usage()).map((row) => [row.moderationStatus, row.isTrashed, row.items, row.variantBytes]);
      expect(await seen()).toEqual([["pending", false, 1, 400]]);
      await media().update(id, { moderationStatus: "approved" }, LATER);
      expect(await seen()).toEqual([["approved", false, 1, 400]]);
      await media().update(id, { moderationStatus: "flagged", deletedAt: LATER }, LATER);
      expect(await seen()).toEqual([["flagged", true, 1, 400]]);
      await media().update(id, { deletedAt: null }, LATER);
      expect(await seen()).toEqual([["flagged", false, 1, 400]]);
      await media().remove(id);
      expect(await seen()).toEqual([]);
    });

    it("does not move for what changes nothing it counts by", async () => {
      const { id, orderKey } = await add();
      const before = await usage();
      await media().update(id, { altText: "x", isPrimary: true, moderationStatus: "approved", deletedAt: null }, LATER);
      await media().setPlaces([{ id, sortOrder: 3, orderKey }], LATER);
      await media().markMissing(id, NOW);
      expect(await usage()).toEqual(before);
    });

    it("is untouched by what is refused or undone", async () => {
      const first = await add();
      const before = await usage();
      const refused = (code: string) => ({ failure: { code } });
      await expect(add({ publicId: first.publicId })).rejects.toMatchObject(refused("CONFLICT"));
      const late = media().update(987_654_321, { deletedAt: NOW }, NOW);
      await expect(late).rejects.toMatchObject(refused("MEDIA_NOT_FOUND"));
      await expect(media().remove(987_654_321)).rejects.toMatchObject(refused("MEDIA_NOT_FOUND"));
      const undone = open.database.transact(async (stores) => {
        await stores.media.insert(newMedia(builder));
        await stores.media.remove(first.id);
        expect(await stores.usage.usage({})).toEqual(before);
        await stores.media.insert(newMedia(builder));
        throw new RangeError("undo");
      });
      await expect(undone).rejects.toThrow(RangeError);
      expect(await usage()).toEqual(before);
    });

    it("says after 300 random changes what a scan of the rows says", async () => {
      const random = randomFrom(20_261_122);
      const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
      const living: number[] = [];
      const steps = {
        async insert() {
          const over = {
            moderationStatus: pick(MODERATION_STATUSES),
            uploadedBy: pick([null, "USR-1", "USR-ü"]),
            fileSize: Math.floor(random() * 1e9),
            variants: pick([[], [variant("small", 400)], [variant("small", 400), variant("large", 1600)]]),
          };
          const processed = { mediaType: "VIDEO", videoProcessedSize: 1_234 } as const;
          const video = random() < 0.2 ? { ...processed, videoProcessedKey: `u/${random()}.mp4` } : {};
          living.push((await add({ ...over, ...video }, pick([builder, post]))).id);
        },
        async update() {
          const deletedAt = pick([null, LATER, undefined]);
          const change = {
            ...(random() < 0.7 && { moderationStatus: pick(MODERATION_STATUSES) }),
            ...(deletedAt !== undefined && { deletedAt }),
            altText: "x",
          };
          if (living.length > 0) await media().update(pick(living), change, LATER);
        },
        async remove() {
          const [id] = living.splice(Math.floor(random() * living.length), 1);
          if (id !== undefined) await media().remove(id);
        },
      };
      for (let n = 0; n < 300; n++)
        await steps[pick(["insert", "insert", "insert", "update", "update", "update", "remove"] as const)]();
      expect(living.length).toBeGreaterThan(30);
      const counted = await usage();
      expect(counted.length).toBeGreaterThan(10);
      expect(counted).toEqual(await usageByScan(media()));
    }, 60_000);

    it("stays true when many change the same at once", async () => {
      const items = await Promise.all(Array.from({ length: 40 }, () => add({ moderationStatus: "pending" }, post)));
      const changes = items.flatMap(({ id }, n) => [
        media().update(id, { moderationStatus: n % 2 ? "approved" : "rejected" }, LATER),
        media().update(id, { deletedAt: n % 3 ? LATER : null }, LATER),
        n % 5 ? add({}, post) : media().remove(id),
      ]);
      const settled = await Promise.allSettled(changes);
      // An item may be gone before its update comes.
      for (const one of settled)
        if (one.status === "rejected") expect(one.reason).toMatchObject({ failure: { code: "MEDIA_NOT_FOUND" } });
      expect((await usage()).length).toBeGreaterThan(3);
      expect(await usage()).toEqual(await usageByScan(media()));
    }, 60_000);

    it("stays true when transactions move items between the same places in opposite order", async () => {
      const [a, b] = [await add({ moderationStatus: "pending" }), await add({ moderationStatus: "approved" })];
      const swap = (first: Media, second: Media) =>
        open.database.transact(async (stores) => {
          for (const { id } of [first, second]) {
            const { moderationStatus } = (await stores.media.find(id)) as Media;
            const next = moderationStatus === "pending" ? "approved" : "pending";
            await stores.media.update(id, { moderationStatus: next }, LATER);
          }
        });
      await Promise.all([swap(a, b), swap(b, a), swap(a, b), swap(b, a)]);
      expect(await usage()).toEqual(await usageByScan(media()));
    });
  });

  describe("upload days", () => {
    const on = (time: string): Partial<NewMedia> => ({ createdAt: new Date(time), fileSize: 10 });
    const days = (from: string, to: string) => open.database.usage.uploadDays({ from, to });

    it("are none where nothing was uploaded", async () => {
      expect(await days("1999-01-01", "1999-12-31")).toEqual([]);
      expect(await days("2099-01-02", "2099-01-01")).toEqual([]);
    });

    it("are days of UTC, both ends included, oldest first", async () => {
      for (const time of ["2001-02-03T23:59:59.999Z", "2001-02-04T00:00:00.000Z", "2001-02-05T12:00:00.000Z"])
        await add(on(time));
      const one = { entityType: "builder", mediaType: "IMAGE", items: 1, bytes: 10 };
      expect(await days("2001-02-03", "2001-02-04")).toEqual([
        { day: "2001-02-03", ...one },
        { day: "2001-02-04", ...one },
      ]);
      expect(await days("2001-02-05", "2001-02-28")).toEqual([{ day: "2001-02-05", ...one }]);
    });

    it("sum up by entity type and media type, originals alone", async () => {
      const day = on("2002-02-02T01:00:00Z");
      await add({ ...day, fileSize: 5_000_000_001, variants: [variant("small", 400)] });
      await add(day);
      await add({ ...day, mediaType: "VIDEO" });
      await add(day, post);
      expect(await days("2002-02-02", "2002-02-02")).toEqual([
        { day: "2002-02-02", entityType: "builder", mediaType: "IMAGE", items: 2, bytes: 5_000_000_011 },
        { day: "2002-02-02", entityType: "builder", mediaType: "VIDEO", items: 1, bytes: 10 },
        { day: "2002-02-02", entityType: "post", mediaType: "IMAGE", items: 1, bytes: 10 },
      ]);
    });

    it("keep what was trashed or removed, and forget what was never committed", async () => {
      const day = on("2003-03-03T01:00:00Z");
      const [trashed, removed] = [await add(day), await add(day)];
      await media().update(trashed.id, { deletedAt: LATER }, LATER);
      await media().remove(removed.id);
      const undone = open.database.transact(async (stores) => {
        await stores.media.insert(newMedia(builder, day));
        throw new RangeError("undo");
      });
      await expect(undone).rejects.toThrow(RangeError);
      expect(await days("2003-03-03", "2003-03-03")).toMatchObject([{ items: 2, bytes: 20 }]);
    });

    it("count every one of many uploads at once", async () => {
      const day = on("2004-04-04T04:00:00Z");
      await Promise.all(
        Array.from({ length: 30 }, (_, n) => add({ ...day, uploadedBy: `USR-${n}` }, n % 2 ? post : builder)),
      );
      expect((await days("2004-04-04", "2004-04-04")).map((row) => row.items)).toEqual([15, 15]);
    });
  });
}
