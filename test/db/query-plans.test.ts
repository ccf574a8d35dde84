import { createClient } from "@libsql/client";
import { createConnection, type RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Database, Entity, MediaListQuery } from "../../src/media/ports.js";
import { openMigrated, type TestDatabase } from "../support/database.js";
import { DATABASES } from "../support/databases.js";
import { NOW, newEntity, newMedia, variant } from "../support/media-rows.js";

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

const SORTS = /TEMP B-TREE|filesort/;
const SCANS = /^"SCAN|\bALL null\b/m;

describe.each(DATABASES)("queries on $name", ({ name, create }) => {
  const statements: Statement[] = [];
  let open: TestDatabase;
  let entity: Entity;

  /** Enough galleries and items that a database has something to choose between. */
  async function fill(database: Database): Promise<Entity[]> {
    const entities: Entity[] = [];
    for (let n = 0; n < 20; n++) entities.push(await newEntity(database, "property", { adminIds: [`USR-${n}`] }));
    await database.transact(async ({ media }) => {
      for (let n = 0; n < 600; n++) {
        const owner = entities[n % entities.length] as Entity;
        await media.insert(
          newMedia(owner, { variants: [variant("small", 400)], sortOrder: n % 7, uploadedBy: `USR-${n % 9}` }),
        );
      }
    });
    return entities;
  }

  beforeAll(async () => {
    const logger = { logQuery: (sql: string, params: unknown[]) => void statements.push({ sql, params }) };
    open = await openMigrated(await create(), { logger });
    entity = (await fill(open.database))[7] as Entity;
    await analyze();
  });
  afterAll(() => open.close());
  beforeEach(() => void statements.splice(0));

  async function analyze() {
    if (name !== "MariaDB") return;
    const connection = await createConnection(open.url);
    await connection.query("analyze table media, media_variants, entities, entity_members, entity_grants");
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
    const item = (await open.database.media.current(entity, "gallery"))[0];
    if (!item) throw new Error("The gallery is empty.");
    statements.splice(0);
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

  it("look up all ties of a user with one statement", async () => {
    expect((await open.database.entities.ties(entity, "USR-7", NOW)).isAdmin).toBe(true);
    expect(statements).toHaveLength(1);
  });
});
