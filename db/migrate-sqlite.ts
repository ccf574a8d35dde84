import { fileURLToPath } from "node:url";
import { createClient, type Transaction } from "@libsql/client";
import { type MigrationMeta, readMigrationFiles } from "drizzle-orm/migrator";
import { BUSY_TIMEOUT_MS, whenFree } from "./sqlite-lock.js";

const MIGRATIONS = fileURLToPath(new URL("./migrations/sqlite", import.meta.url));

/**
 * Brings the file of a `file:` URL up to date, in one transaction. drizzle's own migrator looks at what is applied
 * before it begins, so two processes would both apply it; this one looks inside. It keeps the same table.
 */
export async function migrateSqlite(url: string): Promise<void> {
  const client = createClient({ url, concurrency: 1, timeout: BUSY_TIMEOUT_MS });
  try {
    // Rebuilding a table that others refer to needs this off, and inside a transaction it cannot be changed.
    const transaction = await whenFree(client, "PRAGMA foreign_keys = OFF", () => client.transaction("write"));
    try {
      await applyPending(transaction, readMigrationFiles({ migrationsFolder: MIGRATIONS }));
      await transaction.commit();
    } finally {
      transaction.close();
    }
  } finally {
    client.close();
  }
}

async function applyPending(transaction: Transaction, migrations: readonly MigrationMeta[]): Promise<void> {
  await transaction.execute(
    "CREATE TABLE IF NOT EXISTS __drizzle_migrations (id INTEGER PRIMARY KEY, hash text NOT NULL, created_at numeric)",
  );
  const applied = await transaction.execute("SELECT max(created_at) FROM __drizzle_migrations");
  const last = Number(applied.rows[0]?.[0] ?? 0);
  for (const migration of migrations.filter((m) => m.folderMillis > last)) {
    for (const statement of migration.sql) await transaction.execute(statement);
    await transaction.execute({
      sql: "INSERT INTO __drizzle_migrations (hash, created_at) VALUES (?, ?)",
      args: [migration.hash, migration.folderMillis],
    });
  }
  const broken = await transaction.execute("PRAGMA foreign_key_check");
  if (broken.rows.length > 0) throw new Error(`The migration would leave ${broken.rows.length} references to nothing.`);
}
