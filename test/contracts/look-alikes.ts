import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { hammingDistance } from "../../src/media/near-duplicates.js";
import type { Entity, Fingerprint, LookAlikeQuery, NewMedia } from "../../src/media/ports.js";
import { type EmptyDatabase, openMigrated, type TestDatabase } from "../support/database.js";
import { changed, randomHash } from "../support/hashes.js";
import { LATER, NOW, newEntity, newMedia } from "../support/media-rows.js";
import { createRandom } from "../support/seeded-random.js";
import { openTestTables, type TestTables } from "../support/test-tables.js";

const HASH = "0011".repeat(16);
/** So many more items than are compared one by one. */
const MANY = 1_001;

/** How every MediaRepository finds what looks alike. Each test begins without items and ends without. */
export function lookAlikesContract(create: () => Promise<EmptyDatabase>): void {
  let open: TestDatabase;
  let tables: TestTables;
  let property: Entity;
  let other: Entity;
  beforeAll(async () => {
    open = await openMigrated(await create());
    tables = openTestTables(open.url);
    property = await newEntity(open.database, "property");
    other = await newEntity(open.database, "builder");
  });
  afterAll(() => open.close());
  afterEach(async () => {
    await tables.execute("delete from media where public_id not like 'MED-%'");
    for (const { id } of await media().storedItems({ afterId: 0, limit: 10_000 })) await media().remove(id);
    expect(await tables.execute("select * from media_hash_bands")).toEqual([]);
  });

  const media = () => open.database.media;
  const add = (over: Partial<NewMedia> = {}, entity = property) => media().insert(newMedia(entity, over));
  const find = async (query: Partial<LookAlikeQuery> = {}) => {
    const of = { contentSha256: "none", imageHash: HASH, mediaType: "IMAGE" } as const;
    return media().lookAlikes({ of, maxDistance: 10, within: property, ...query });
  };
  const idsFound = async (query: Partial<LookAlikeQuery> = {}) => (await find(query)).map(({ publicId }) => publicId);
  const fingerprint = ({ publicId, contentSha256, imageHash }: Fingerprint) => ({ publicId, contentSha256, imageHash });

  /** So many items more, like the one given in all but their ids and keys; without a hash nothing finds them. */
  const multiply = async (publicId: string) => {
    const columns =
      "filename original_filename media_type content_type file_size content_sha256 storage_type entity_type " +
      "entity_id entity_public_id entity_field sort_order order_key is_primary tags metadata is_public is_approved " +
      "moderation_status processing_status created_at updated_at";
    const names = columns.split(" ").join(", ");
    const digits = Array.from({ length: 11 }, (_, d) => `select ${d} as d`).join(" union all ");
    const numbers = `select a.d * 121 + b.d * 11 + c.d as n from (${digits}) a, (${digits}) b, (${digits}) c`;
    await tables.execute(
      `insert into media (public_id, storage_path, original_url, ${names}) ` +
        `select n + 100000, n + 100000, n + 100000, ${names} from media, (${numbers}) as numbers ` +
        `where public_id = ? and n < ${MANY}`,
      [publicId],
    );
  };

  it("finds nothing where there is nothing", async () => {
    expect(await find()).toEqual([]);
    expect(await find({ within: "everywhere" })).toEqual([]);
    expect(await media().fingerprints(property)).toEqual([]);
    expect(await media().findMany([])).toEqual([]);
  });

  describe.each(["entity", "everywhere"] as const)("within %s", (reach) => {
    const within = () => (reach === "entity" ? property : reach);
    const near = async () => (await find({ within: within() })).map(fingerprint);

    it("finds current items of the type that are not marked, by id, the trash again when it is restored", async () => {
      const item = await add({ imageHash: HASH });
      const trashed = await add({ imageHash: HASH });
      const marked = await add({ imageHash: HASH });
      const second = await add({ imageHash: changed(HASH, 1, createRandom(1)) });
      await add({ imageHash: HASH, mediaType: "VIDEO" });
      await media().update(trashed.id, { deletedAt: LATER }, LATER);
      await media().markMissing(marked.id, LATER);
      expect(await near()).toEqual([fingerprint(item), fingerprint(second)]);
      await media().update(trashed.id, { deletedAt: null }, LATER);
      await media().markMissing(marked.id, null);
      expect(await near()).toEqual([item, trashed, marked, second].map(fingerprint));
    });

    it("finds the same bytes, with a hash or without", async () => {
      const bytes = { contentSha256: "f".repeat(64) };
      const copies = [await add({ ...bytes, imageHash: null }), await add({ ...bytes, imageHash: HASH })];
      const of = { ...bytes, imageHash: null, mediaType: "IMAGE" } as const;
      expect(await idsFound({ of, within: within() })).toEqual(copies.map(({ publicId }) => publicId));
    });
  });

  it("keeps to the entity, or does not", async () => {
    const here = await add({ imageHash: HASH });
    const there = await add({ imageHash: HASH }, other);
    expect(await idsFound()).toEqual([here.publicId]);
    expect(await idsFound({ within: other })).toEqual([there.publicId]);
    expect(await idsFound({ within: "everywhere" })).toEqual([here.publicId, there.publicId]);
  });

  it("finds in an entity of many items what it finds in one of few", async () => {
    const random = createRandom(7);
    const near = await add({ imageHash: changed(HASH, 10, random) });
    await add({ imageHash: changed(HASH, 11, random) });
    await add({ imageHash: HASH }, other);
    const copy = await add({ imageHash: null, contentSha256: "c".repeat(64) });
    await multiply((await add({ imageHash: null })).publicId);
    const of = { contentSha256: copy.contentSha256, imageHash: HASH, mediaType: "IMAGE" } as const;
    expect(await idsFound({ of })).toEqual([near.publicId, copy.publicId]);
    expect(await media().fingerprints(property)).toHaveLength(MANY + 4);
  });

  it("answers at least the nearest where it is to stop early", async () => {
    const random = createRandom(3);
    const items: NewMedia[] = [];
    for (const places of [9, 2, 5, 0]) items.push(await add({ imageHash: changed(HASH, places, random) }));
    expect(await idsFound({ within: "everywhere", limit: 2 })).toEqual(
      expect.arrayContaining([items[1]?.publicId, items[3]?.publicId]),
    );
  });

  it("finds by its bytes alone what has no hash that can be compared", async () => {
    const odd = await add({ imageHash: "01", contentSha256: "d".repeat(64) });
    await add({ imageHash: "01" });
    for (const within of [property, "everywhere"] as const)
      expect(await idsFound({ of: odd, within, maxDistance: 0 })).toContain(odd.publicId);
    expect(await tables.execute("select * from media_hash_bands")).toEqual([]);
  });

  it("forgets a removed item alone", async () => {
    const [gone, kept] = [await add({ imageHash: HASH }), await add({ imageHash: HASH })];
    await media().remove(gone.id);
    const rows = await tables.execute("select media_id from media_hash_bands");
    expect(rows).toEqual(Array.from({ length: 4 }, () => ({ media_id: kept.id })));
  });

  it("gives fingerprints in gallery order, of one field or of all, and items by their ids in the order asked", async () => {
    const second = await add({ sortOrder: 2 });
    const first = await add({ sortOrder: 1, mediaType: "VIDEO", imageHash: null });
    const cover = await add({ sortOrder: 3, entityField: "cover" });
    const trashed = await add();
    await media().update(trashed.id, { deletedAt: LATER }, LATER);
    await media().markMissing((await add()).id, NOW);
    const all = await media().fingerprints(property);
    expect(all.map(({ id }) => id)).toEqual([first.id, second.id, cover.id]);
    expect(all[0]).toEqual({ ...fingerprint(first), id: first.id, mediaType: "VIDEO", entityField: "gallery" });
    expect((await media().fingerprints(property, "cover")).map(({ id }) => id)).toEqual([cover.id]);
    expect(await media().findMany([cover.id, 987_654_321, first.id])).toEqual([cover, first]);
  });

  // Against every pair compared: nothing false, nothing left out.
  it.each([1, 2, 3])("finds exactly what is near, seed %i", async (seed) => {
    const random = createRandom(seed);
    const centres = Array.from({ length: 4 }, () => randomHash(random));
    const hashes: string[] = [];
    await open.database.transact(async (stores) => {
      for (let n = 0; n < 40; n++) {
        const imageHash = changed(centres[n % 4] ?? HASH, Math.floor(random() * 9), random);
        hashes.push(imageHash);
        await stores.media.insert(newMedia(n % 2 ? property : other, { imageHash }));
      }
    });
    for (const [n, imageHash] of hashes.entries()) {
      const maxDistance = n % 12;
      const of = { contentSha256: "none", imageHash, mediaType: "IMAGE" } as const;
      const found = await find({ of, maxDistance, within: "everywhere" });
      const near = hashes.filter((hash) => hammingDistance(hash, imageHash) <= maxDistance);
      expect(found.map((item) => item.imageHash)).toEqual(near);
    }
  });
}
