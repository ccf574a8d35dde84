import { sql } from "drizzle-orm";
import type { SQLiteInsertBase, SQLiteTable } from "drizzle-orm/sqlite-core";
import type { Dialect } from "./dialect.js";
import { holdingWriter } from "./sqlite-writer.js";

type Insert = SQLiteInsertBase<SQLiteTable, "async", unknown>;

export const sqliteDialect: Dialect = {
  name: "sqlite",
  affected: (result) => (result as { rowsAffected: number }).rowsAffected,
  upsert: async (insert, target, set) => {
    await (insert as Insert).onConflictDoUpdate({ target, set });
  },
  // A write transaction is alone on SQLite: there is nobody to lock out.
  locking: (select) => select,
  hasElement: (column, value) => sql`exists (select 1 from json_each(${column}) where json_each.value = ${value})`,
  // Not LIKE, which reads a pattern only up to its first NUL. Only ASCII letters' case is not told apart here.
  contains: (column, text) => sql`instr(lower(${column}), lower(${text})) > 0`,
  // The writer begins every transaction as BEGIN IMMEDIATE.
  transaction: (db, work) => db.transaction((tx) => holdingWriter(() => work(tx))),
};
