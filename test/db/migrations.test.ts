import { execFile } from "node:child_process";
import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createClient } from "@libsql/client";
import { createConnection, type RowDataPacket } from "mysql2/promise";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type OpenDatabase, openDatabase } from "../../db/database.js";
import { type EmptyDatabase, thisProcess } from "../support/database.js";
import { DATABASES } from "../support/databases.js";
import { newEntity } from "../support/media-rows.js";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
const TABLES = [
  "direct_uploads",
  "entities",
  "entity_grants",
  "entity_members",
  "idempotency_keys",
  "instances",
  "media",
  "media_hash_bands",
  "media_renditions",
  "media_search",
  "media_variants",
  "moderation_events",
  "object_deletions",
  "service_tokens",
  "sessions",
  "storage_findings",
  "sync_runs",
  "upload_days",
  "upload_intents",
  "usage_counters",
  "users",
];

/** First column of the answer. */
async function query(url: string, sql: string): Promise<unknown[]> {
  if (url.startsWith("file:")) {
    const client = createClient({ url });
    const { rows } = await client.execute(sql);
    client.close();
    return rows.map((row) => row[0]);
  }
  const connection = await createConnection(url);
  const [rows] = await connection.query<RowDataPacket[]>(sql);
  await connection.end();
  return rows.map((row) => Object.values(row)[0]);
}

const LIST_TABLES = {
  // Not the full-text index, which is a table there and keeps several of its own.
  SQLite:
    "select name from sqlite_schema where type = 'table' and name not like 'sqlite%' " +
    "and name not like 'media_search_index%' order by name",
  MariaDB: "select table_name from information_schema.tables where table_schema = database() order by table_name",
};

describe.each(DATABASES)("migrations on $name", ({ name, create }) => {
  let empty: EmptyDatabase;
  const opened: OpenDatabase[] = [];
  beforeEach(async () => {
    empty = await create();
  });
  afterEach(async () => {
    for (const open of opened.splice(0)) await open.close();
    await empty.remove();
  });

  async function open() {
    const database = await openDatabase(empty.url, thisProcess());
    opened.push(database);
    return database;
  }
  const tables = async () =>
    (await query(empty.url, LIST_TABLES[name as keyof typeof LIST_TABLES])).filter(
      (table) => table !== "__drizzle_migrations",
    );
  const applied = async () => Number((await query(empty.url, "select count(*) from __drizzle_migrations"))[0]);
  const chain = async () => {
    const folder = join(REPOSITORY, "db/migrations", name === "SQLite" ? "sqlite" : "mysql");
    return (await readdir(folder)).filter((file) => file.endsWith(".sql")).length;
  };

  it("make every table of an empty database", async () => {
    const { migrate, database } = await open();
    await migrate();
    expect(await tables()).toEqual(TABLES);
    expect(await applied()).toBe(await chain());
    await expect(newEntity(database, "builder")).resolves.toBeDefined();
  });

  it("are applied once, and keep what is there", async () => {
    const { migrate, database } = await open();
    await migrate();
    const entity = await newEntity(database, "builder");
    await migrate();
    await (await open()).migrate();
    expect(await applied()).toBe(await chain());
    expect(await database.entities.find("builder", entity.id)).toEqual(entity);
  });

  it("are applied once when several start at the same time", async () => {
    const all = [await open(), await open(), await open()];
    await Promise.all(all.map((database) => database.migrate()));
    expect(await tables()).toEqual(TABLES);
    expect(await applied()).toBe(await chain());
  });

  it("are applied once when several processes start at the same time", async () => {
    const script =
      "const { openDatabase } = await import(process.argv[1]);" +
      "const instance = { id: crypto.randomUUID(), host: 'h', pid: process.pid };" +
      "const open = await openDatabase(process.argv[2], { instance, isProcessAlive: () => true });" +
      "await open.migrate(); await open.database.ping(); await open.close();";
    const path = join(REPOSITORY, "db/database.ts");
    const start = () =>
      promisify(execFile)(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script, path, empty.url], {
        cwd: REPOSITORY,
      });
    await Promise.all([start(), start(), start()]);
    expect(await tables()).toEqual(TABLES);
    expect(await applied()).toBe(await chain());
  });

  it("leave a database that was never migrated closable, and its absence visible", async () => {
    const { database, close } = await open();
    await expect(database.media.find(1)).rejects.toThrow("Failed query");
    await expect(close()).resolves.toBeUndefined();
  });
});

describe.each(["sqlite", "mysql"])("the %s chain", (dialect) => {
  it("is what the schema says: generating anew finds no changes", async () => {
    const out = await mkdtemp(join(REPOSITORY, "node_modules", ".migrations-"));
    try {
      await cp(join(REPOSITORY, "db/migrations", dialect), out, { recursive: true });
      const before = await readdir(out);
      const options = [
        "--dialect",
        dialect,
        "--schema",
        `./db/schema/${dialect}.ts`,
        "--out",
        out.slice(REPOSITORY.length),
      ];
      const run = promisify(execFile);
      const { stdout } = await run("npx", ["drizzle-kit", "generate", ...options], { cwd: REPOSITORY });
      expect(stdout).toContain("No schema changes");
      expect(await readdir(out)).toEqual(before);
    } finally {
      await rm(out, { recursive: true, force: true });
    }
  });
});

it("rejects an unknown scheme with a message that says what is known", async () => {
  for (const url of ["postgres://localhost/x", "media.db", ""])
    await expect(openDatabase(url, thisProcess())).rejects.toThrow("file: or mysql:");
});
