import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Media } from "../../src/media/model.js";
import type { Entity, NewMedia } from "../../src/media/ports.js";
import { UNFOCUSED } from "../../src/media/rendering.js";
import type { Replacement } from "../../src/media/rendering-ports.js";
import { type EmptyDatabase, openMigrated, type TestDatabase } from "../support/database.js";
import { LATER, NOW, newEntity, newMedia, variant } from "../support/media-rows.js";
import { usageByScan } from "./usage-counters.js";

const AFTER = new Date(NOW.getTime() + 1);

/** What every MediaRepository knows of what pictures were made by. Each test begins and ends without items. */
export function mediaRenderingsContract(create: () => Promise<EmptyDatabase>): void {
  let open: TestDatabase;
  let property: Entity;
  let post: Entity;
  beforeAll(async () => {
    open = await openMigrated(await create());
    property = await newEntity(open.database, "property");
    post = await newEntity(open.database, "post");
  });
  afterAll(() => open.close());
  afterEach(async () => {
    for (const { id } of await media().storedItems({ afterId: 0, limit: 100 })) await media().remove(id);
    expect(await open.database.usage.usage({})).toEqual([]);
  });

  const media = () => open.database.media;
  const add = (over: Partial<NewMedia> = {}, entity = property) => media().insert(newMedia(entity, over));
  const trash = (id: number) => media().update(id, { deletedAt: LATER }, LATER);
  const ids = async (query: Partial<Parameters<ReturnType<typeof media>["rendered"]>[0]> = {}) =>
    (await media().rendered({ afterId: 0, limit: 100, ...query })).map(({ id }) => id);

  it("knows nothing where there are no pictures", async () => {
    await add({ mediaType: "VIDEO" });
    expect([await media().renderings(), await ids(), await ids({ renderedAs: null })]).toEqual([[], [], []]);
    expect(await media().countRendered({})).toBe(0);
  });

  it("names each thing pictures were made by, the unknown first", async () => {
    for (const renderedAs of ["1-b", null, "1-a", "1-b", `${UNFOCUSED}1-a`, null]) await add({ renderedAs });
    const { id } = await add({ renderedAs: "0-trashed" });
    await trash(id);
    expect(await media().renderings()).toEqual([null, "0-trashed", "1-a", "1-b", `${UNFOCUSED}1-a`]);
  });

  it("answers pictures of one making by id, page by page, and counts them", async () => {
    const made: Media[] = [];
    for (const renderedAs of ["1-a", null, "1-b", "1-a", null]) made.push(await add({ renderedAs }));
    const [a, unknown, b, a2, unknown2] = made.map(({ id }) => id);
    expect(await ids({ renderedAs: "1-a" })).toEqual([a, a2]);
    expect(await ids({ renderedAs: null })).toEqual([unknown, unknown2]);
    expect(await ids()).toEqual([a, unknown, b, a2, unknown2]);
    expect(await ids({ renderedAs: null, afterId: unknown as number })).toEqual([unknown2]);
    expect(await ids({ limit: 2, afterId: a as number })).toEqual([unknown, b]);
    const count = (renderedAs?: string | null) => media().countRendered({ renderedAs });
    expect([await count("1-a"), await count("1-z"), await count(null), await count()]).toEqual([2, 0, 2, 5]);
    expect((await media().rendered({ afterId: 0, limit: 1 }))[0]).toEqual({
      id: a,
      publicId: made[0]?.publicId,
      renderedAs: "1-a",
    });
  });

  it("narrows both by every fact, and leaves out the trash unless it is asked for", async () => {
    const one = await add({ contentType: "image/png", createdAt: NOW });
    const other = await add({ entityField: "avatar", createdAt: LATER }, post);
    const trashed = await add({ createdAt: LATER });
    await trash(trashed.id);
    const expectOnly = async (filter: object, expected: number[]) => {
      for (const made of [{}, { renderedAs: null }]) {
        const query = { ...filter, ...made };
        expect([await ids(query), await media().countRendered(query)], JSON.stringify(query)).toEqual([
          expected,
          expected.length,
        ]);
      }
    };
    await expectOnly({}, [one.id, other.id]);
    await expectOnly({ withTrash: true }, [one.id, other.id, trashed.id]);
    await expectOnly({ entityType: "post" }, [other.id]);
    await expectOnly({ entityType: "property", entityId: property.id }, [one.id]);
    await expectOnly({ entityType: "property", entityId: property.id + 99 }, []);
    await expectOnly({ entityField: "avatar" }, [other.id]);
    await expectOnly({ contentType: "image/png" }, [one.id]);
    await expectOnly({ from: NOW, to: NOW }, [one.id]);
    await expectOnly({ from: AFTER }, [other.id]);
    await expectOnly({ to: AFTER }, [one.id]);
  });

  it("takes what an item was made by with its insertion, and with a change", async () => {
    const { id } = await add({ renderedAs: "1-a" });
    expect((await media().find(id))?.renderedAs).toBe("1-a");
    await media().update(id, { focalPoint: { x: 0.1, y: 0.9 }, renderedAs: "focus:1-a" }, LATER);
    expect(await media().find(id)).toMatchObject({ renderedAs: "focus:1-a", focalPoint: { x: 0.1, y: 0.9 } });
  });

  it("notes what an item was made by only where it still is what was seen", async () => {
    const item = await add({ renderedAs: "focus:" });
    await media().noteRendering(item.id, { from: "1-a", to: "1-b" });
    await media().noteRendering(item.id, { from: null, to: "1-b" });
    expect(await media().find(item.id)).toEqual(item);
    await media().noteRendering(item.id, { from: "focus:", to: null });
    expect(await media().find(item.id)).toEqual({ ...item, renderedAs: null });
    await media().noteRendering(item.id, { from: null, to: "1-b" });
    expect(await media().find(item.id)).toEqual({ ...item, renderedAs: "1-b" });
  });

  describe("replaceVariants", () => {
    const OLD_HASH = "0110".repeat(16);
    const NEW_HASH = "1001".repeat(16);
    const replacement = (over: Partial<Replacement> = {}): Replacement => ({
      variants: [variant("thumbnail", 150), variant("medium", 700)],
      renderedAs: "2-b",
      ...over,
    });
    const replace = (seen: Media, over: Partial<Replacement> = {}) =>
      media().replaceVariants(seen, replacement(over), LATER);
    const withVariants = (over: Partial<NewMedia> = {}) =>
      add({ variants: [variant("large", 1600), variant("thumbnail", 150)], imageHash: OLD_HASH, ...over });
    const alike = async (imageHash: string) =>
      (
        await media().lookAlikes({
          of: { contentSha256: "none", imageHash, mediaType: "IMAGE" },
          maxDistance: 0,
          within: "everywhere",
        })
      ).map(({ publicId }) => publicId);

    it("puts other variants in the place of the old ones, in every column that names them, and counts them", async () => {
      const [item, other] = [await withVariants(), await withVariants()];
      const made = replacement();
      expect(await media().replaceVariants(item, made, LATER)).toBe(true);
      const [medium, thumbnail] = [made.variants[1], made.variants[0]];
      expect(await media().find(item.id)).toEqual({
        ...item,
        variants: [medium, thumbnail],
        renderedAs: "2-b",
        updatedAt: LATER,
      });
      expect(await media().find(other.id)).toEqual(other);
      for (const { key } of item.variants) expect(await media().namesKey(key, "local"), key).toBe(false);
      for (const { key } of made.variants) expect(await media().namesKey(key, "local"), key).toBe(true);
      expect(await open.database.usage.usage({})).toEqual(await usageByScan(media()));
      expect(await alike(OLD_HASH)).toContain(item.publicId);
    });

    it("takes over what was read from the pixels, and finds the item by its new hash", async () => {
      const item = await withVariants();
      const picture = { width: 9, height: 8, imageHash: NEW_HASH, placeholder: "cGxhY2U=", dominantColor: "#010203" };
      expect(await replace(item, { picture })).toBe(true);
      expect(await media().find(item.id)).toMatchObject(picture);
      expect([await alike(NEW_HASH), await alike(OLD_HASH)]).toEqual([[item.publicId], []]);
      const flat = (await media().find(item.id)) as Media;
      expect(await replace(flat, { picture: { ...picture, imageHash: null } })).toBe(true);
      expect(await alike(NEW_HASH)).toEqual([]);
      await media().remove(item.id);
    });

    it("may keep some, and may leave none", async () => {
      const item = await withVariants();
      const [kept] = item.variants;
      expect(await replace(item, { variants: kept ? [kept] : [] })).toBe(true);
      const some = (await media().find(item.id)) as Media;
      expect(some.variants).toEqual([kept]);
      expect(await replace(some, { variants: [], renderedAs: null })).toBe(true);
      expect(await media().find(item.id)).toMatchObject({ variants: [], renderedAs: null });
      expect(await open.database.usage.usage({})).toEqual(await usageByScan(media()));
    });

    it("takes an item in the trash", async () => {
      const item = await withVariants();
      await trash(item.id);
      expect(await replace(item)).toBe(true);
      expect(await open.database.usage.usage({})).toEqual(await usageByScan(media()));
    });

    it.each<[string, (item: Media) => Promise<unknown>]>([
      ["gone", ({ id }) => media().remove(id)],
      ["in another store", ({ id }) => media().switchStorage(id, { from: "local", to: "s3", bucketName: "b" })],
      ["made anew by somebody else", (item) => replace(item)],
      ["to keep another point", ({ id }) => media().update(id, { focalPoint: { x: 0, y: 1 } }, NOW)],
    ])("changes nothing where the item is %s", async (_, meanwhile) => {
      const item = await withVariants();
      await meanwhile(item);
      const before = await media().find(item.id);
      expect(await replace(item, { renderedAs: "late" })).toBe(false);
      expect(await media().find(item.id)).toEqual(before);
    });

    it("is undone with its transaction", async () => {
      const item = await withVariants();
      const undone = open.database.transact(async (stores) => {
        await stores.media.replaceVariants(item, replacement(), LATER);
        throw new RangeError("undo");
      });
      await expect(undone).rejects.toThrow(RangeError);
      expect(await media().find(item.id)).toEqual(item);
    });

    it("is done by one of two at once", async () => {
      const item = await withVariants();
      const done = await Promise.all([replace(item), replace(item)]);
      expect(done.sort()).toEqual([false, true]);
      expect((await media().find(item.id))?.variants).toHaveLength(2);
    });
  });
}
