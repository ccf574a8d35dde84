import { createClient } from "@libsql/client";
import { createConnection, type RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Media } from "../../src/media/model.js";
import type { Database, Entity, MediaListQuery, NewMedia } from "../../src/media/ports.js";
import { openMigrated, type TestDatabase } from "../support/database.js";
import { DATABASES } from "../support/databases.js";
import { LATER, NOW, newEntity, newMedia, variant } from "../support/media-rows.js";

type Statement = { sql: string; params: unknown[] };

/** What the database says it would do, as one text. */
async function explain(url: string, { sql, params }: Statement): Promise<string> {
  if (url.startsWith("file:")) {
    const client = createClient({ url });
    const { rows } = await client.execute({ sql: `explain query plan ${sql}`, args: params as (string | number)[] });
    client.close();
    return rows.map((row) => JSON.stringify(row[3])).join("\n");
  }
  const connection = await createConnection(url);
  const [rows] = await connection.query<RowDataPacket[]>(`explain ${sql}`, params);
  await connection.end();
  return rows.map((row) => `${row.table} ${row.type} ${row.key} ${row.Extra}`).join("\n");
}

const ITEMS = 2_400;
const SORTS = /TEMP B-TREE|filesort/;
const SCANS = /^"SCAN|\bALL null\b/m;

/** Few of them wait for a decision, a third was imported, each of forty users uploaded as many as the others. */
const itemOf = (n: number): Partial<NewMedia> => ({
  variants: [variant("small", 400)],
  sortOrder: n % 7,
  uploadedBy: `USR-${n % 40}`,
  moderationStatus: STATUSES[n % 50] ?? "approved",
  sourceUrl: n % 3 === 0 ? "https://example.org/a.jpg" : null,
  createdAt: new Date(NOW.getTime() + n * 1_000),
});
const STATUSES = ["pending", "flagged", "rejected"] as const;

describe.each(DATABASES)("queries on $name", ({ name, create }) => {
  const statements: Statement[] = [];
  let open: TestDatabase;
  let entity: Entity;
  let item: Media;

  /** Enough galleries and items that a database has something to choose between. */
  async function fill(database: Database): Promise<Entity[]> {
    const entities: Entity[] = [];
    for (let n = 0; n < 20; n++) entities.push(await newEntity(database, "property", { adminIds: [`USR-${n}`] }));
    await database.transact(async ({ media }) => {
      for (let n = 0; n < ITEMS; n++) {
        const owner = entities[n % entities.length] as Entity;
        const { id } = await media.insert(newMedia(owner, itemOf(n)));
        if (n % 40 === 3) await media.update(id, { deletedAt: NOW }, NOW);
      }
    });
    const keys = Array.from({ length: ITEMS }, (_, n) => ({ key: `gone/${n}.jpg`, storageType: "local" }) as const);
    await database.deletions.add(keys.slice(0, 10), NOW);
    await database.deletions.add(keys.slice(10), LATER);
    return entities;
  }

  beforeAll(async () => {
    const logger = { logQuery: (sql: string, params: unknown[]) => void statements.push({ sql, params }) };
    open = await openMigrated(await create(), { logger });
    entity = (await fill(open.database))[7] as Entity;
    item = (await open.database.media.current(entity, "gallery"))[0] as Media;
    await analyze();
  });
  afterAll(() => open.close());
  beforeEach(() => void statements.splice(0));

  async function analyze() {
    if (name !== "MariaDB") return;
    const connection = await createConnection(open.url);
    await connection.query(
      "analyze table media, media_variants, entities, entity_members, entity_grants, object_deletions",
    );
    await connection.end();
  }

  const plans = () => Promise.all(statements.map((statement) => explain(open.url, statement)));
  const page = (over: Partial<MediaListQuery> = {}): MediaListQuery => ({
    entity,
    field: "gallery",
    audience: { sees: "public", andOwn: "USR-1" },
    limit: 10,
    after: null,
    ...over,
  });

  it("list a gallery in the order of its index, from any page, without sorting", async () => {
    for (const after of [null, { sortOrder: 3, orderKey: "a", id: 1 }]) await open.database.media.list(page({ after }));
    for (const plan of await plans()) expect(plan).not.toMatch(SORTS);
    expect((await plans())[0]).toContain("media_gallery_index");
  });

  it("list a page with three statements, however many items it has", async () => {
    const { items } = await open.database.media.list(page({ limit: 30 }));
    expect(items).toHaveLength(30);
    expect(statements).toHaveLength(3);
  });

  it("find both ends of a gallery without sorting", async () => {
    await open.database.media.current(entity, "gallery");
    await open.database.media.lastPlace(entity, "gallery");
    await open.database.media.lastPlace(entity, "gallery", 3);
    for (const plan of await plans()) expect(plan).not.toMatch(SORTS);
  });

  it("never read a whole table to find an item, a key, an entity or a tie", async () => {
    for (const ref of [item.id, item.publicId]) await open.database.media.find(ref);
    for (const key of [item.storagePath, item.variants[0]?.key ?? "", "no/such/key"])
      await open.database.media.findByKey(key);
    await open.database.media.fingerprints(entity, "IMAGE");
    await open.database.media.currentOfEntity(entity);
    for (const ref of [entity.id, entity.publicId]) await open.database.entities.find("property", ref);
    await open.database.entities.ties(entity, "USR-7", NOW);
    const read = await plans();
    expect(read.length).toBeGreaterThan(10);
    for (const [n, plan] of read.entries()) expect(plan, statements[n]?.sql).not.toMatch(SCANS);
  });

  /** One query a row: what it reads, and the index it must find that by. */
  const FOUND_BY_INDEX: readonly { what: string; read: () => Promise<unknown[]>; indexes: readonly string[] }[] = [
    {
      what: "a gallery by field",
      read: async () => (await open.database.media.list(page())).items,
      indexes: ["media_gallery_index"],
    },
    {
      what: "the neighbour of an item",
      read: async () => {
        const at = { entity, field: "gallery", from: { sortOrder: 3, orderKey: "a", id: 1 }, except: 1 } as const;
        return [await open.database.media.neighbour(at, "before"), await open.database.media.neighbour(at, "after")];
      },
      indexes: ["media_gallery_index"],
    },
    {
      what: "the queue",
      read: () => open.database.media.queue({ statuses: ["pending", "flagged"], limit: 10, after: null }),
      indexes: ["media_moderation_status_index"],
    },
    {
      what: "a later page of the queue",
      read: () =>
        open.database.media.queue({
          statuses: ["pending", "flagged"],
          limit: 10,
          after: { createdAt: new Date(NOW.getTime() + 99_000), id: 100 },
        }),
      indexes: ["media_moderation_status_index"],
    },
    {
      what: "what is to be purged",
      read: () => open.database.media.purgeable({ trashedBefore: LATER, importedBefore: LATER, limit: 100 }),
      indexes: ["media_deleted_at_index", "media_moderation_status_index"],
    },
    {
      what: "an uploader's items",
      read: () =>
        open.database.media.search({
          uploadedBy: "USR-5",
          audience: { sees: "everything" },
          limit: 10,
          beforeId: ITEMS,
        }),
      indexes: ["media_uploaded_by_index"],
    },
    {
      what: "deletions that are due",
      read: () => open.database.deletions.due(NOW, 5),
      indexes: ["object_deletions_run_after_index"],
    },
    {
      what: "whether a key waits for its removal",
      read: async () => [await open.database.deletions.holds("gone/7.jpg")],
      indexes: ["object_deletions_key_digest_index"],
    },
    {
      what: "the item of an original's key",
      read: async () => [await open.database.media.findByKey(item.storagePath)],
      indexes: ["media_storage_path_unique"],
    },
    {
      what: "the item of a variant's key",
      read: async () => [await open.database.media.findByKey(item.variants[0]?.key ?? "")],
      indexes: ["media_variants_object_key_unique"],
    },
    {
      what: "whether a key is named",
      read: async () => [await open.database.media.namesKey(item.variants[0]?.key ?? "")],
      indexes: ["media_variants_object_key_unique"],
    },
  ];

  it.each(FOUND_BY_INDEX)(
    "find $what by index, without reading a whole table or sorting",
    async ({ read, indexes }) => {
      const found = await read();
      expect(found.length).toBeGreaterThan(0);
      expect(found).not.toContain(undefined);
      const explained = await plans();
      for (const [n, plan] of explained.entries()) {
        expect(plan, statements[n]?.sql).not.toMatch(SCANS);
        expect(plan, statements[n]?.sql).not.toMatch(SORTS);
      }
      for (const index of indexes) expect(explained.join("\n")).toContain(index);
    },
  );

  it("read the keys of a page with two statements, however many items it has", async () => {
    expect(await open.database.media.storedKeys({ afterId: 100, limit: 50 })).toHaveLength(50);
    expect(statements).toHaveLength(2);
    for (const [n, plan] of (await plans()).entries()) expect(plan, statements[n]?.sql).not.toMatch(SCANS);
  });

  it("set the places of a gallery with one statement", async () => {
    const items = await open.database.media.current(entity, "gallery");
    statements.splice(0);
    await open.database.media.setPlaces(items, NOW);
    const written = statements.filter(({ sql }) => /^update/i.test(sql));
    expect(written).toHaveLength(1);
    expect(statements.filter(({ sql }) => /^(select|insert)/i.test(sql))).toEqual([]);
  });

  it("find everything a user is tied to without reading a whole table", async () => {
    expect(await open.database.entities.tied("USR-7", NOW, 100)).toHaveLength(1);
    for (const [n, plan] of (await plans()).entries()) expect(plan, statements[n]?.sql).not.toMatch(SCANS);
  });

  it("look up all ties of a user with one statement", async () => {
    expect((await open.database.entities.ties(entity, "USR-7", NOW)).isAdmin).toBe(true);
    expect(statements).toHaveLength(1);
  });
});
