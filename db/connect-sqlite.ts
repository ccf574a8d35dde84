import { mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { createClient } from "@libsql/client";
import { drizzle } from "drizzle-orm/libsql";
import type { Connection, ConnectOptions } from "./connection.js";
import { sqliteDialect } from "./dialect.sqlite.js";
import * as schema from "./schema/sqlite.js";
import { BUSY_TIMEOUT_MS, whenFree } from "./sqlite-lock.js";
import { createSingleWriterClient } from "./sqlite-writer.js";

/** `readSchema`: call it after a migration. */
export type SqliteConnection = Connection & { readSchema(): Promise<void> };

/** Opens the file of a `file:` URL, and makes it and its folder where they are missing, for this user's eyes only. */
export async function connectSqlite(url: string, options: ConnectOptions = {}): Promise<SqliteConnection> {
  await createPrivately(filePath(url));
  const writer = createClient({ url, concurrency: 1, timeout: BUSY_TIMEOUT_MS });
  try {
    // Kept in the file itself, so readers need not be told.
    await whenFree(writer, "PRAGMA journal_mode = WAL", () => writer.execute("select 1"));
  } catch (error) {
    writer.close();
    throw error;
  }
  // One reader too: libsql works synchronously, so a second would add a second cache and no speed.
  const client = createSingleWriterClient(createClient({ url, concurrency: 1, timeout: BUSY_TIMEOUT_MS }), writer);
  return {
    db: drizzle({ client, ...(options.logger && { logger: options.logger }) }),
    schema,
    dialect: sqliteDialect,
    async readSchema() {
      // SQLite notices by itself that its tables are old, but not where it looks for the index of an ON CONFLICT first.
      await client.execute("select count(*) from sqlite_schema");
      await client.batch(["select count(*) from sqlite_schema"]);
    },
    async ping() {
      await client.execute("select 1");
    },
    async close() {
      try {
        // What was written moves into the file, so that the file alone is the database again.
        await client.execute("PRAGMA wal_checkpoint(TRUNCATE)");
      } finally {
        client.close();
      }
    },
  };
}

/** `file:data/a.db`, `file:/data/a.db` and `file:///data/a.db` name files; so may each with a query behind. */
export function filePath(url: string): string {
  const path = url.replace(/^file:(\/\/(localhost)?(?=\/))?/, "").replace(/[?#].*$/, "");
  if (path === "" || path === ":memory:") throw new TypeError(`The database URL must name a file: ${url}`);
  return decodeURIComponent(path);
}

/**
 * SQLite gives the files beside the database its own mode, so this covers them all. A file that is there is not opened:
 * closing it would end every lock this process holds on it, those of a connection it has already too, and the next
 * process to leave would then remove the log under that connection (https://sqlite.org/howtocorrupt.html, 2.2).
 */
async function createPrivately(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    const file = await open(path, "wx", 0o600);
    await file.close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
