import { sql } from "drizzle-orm";
import type { SQLiteInsertBase, SQLiteTable } from "drizzle-orm/sqlite-core";
import type { Dialect, WordIndex } from "./dialect.js";
import { holdingWriter } from "./sqlite-writer.js";

type Insert = SQLiteInsertBase<SQLiteTable, "async", unknown>;

const wordIndex: WordIndex = {
  from: sql`media_search_index`,
  id: sql`media_search_index.rowid`,
  matches(terms) {
    const wanted = terms.map(({ token, isPrefix }) => `"${token}"${isPrefix ? "*" : ""}`).join(" ");
    return sql`media_search_index match ${wanted}`;
  },
};

export const sqliteDialect: Dialect = {
  name: "sqlite",
  affected: (result) => (result as { rowsAffected: number }).rowsAffected,
  upsert: async (insert, target, set) => {
    await (insert as Insert).onConflictDoUpdate({ target, set });
  },
  // A write transaction is alone on SQLite: there is nobody to lock out.
  locking: (select) => select,
  hasElement: (column, value) => sql`exists (select 1 from json_each(${column}) where json_each.value = ${value})`,
  wordIndex,
  // The writer begins every transaction as BEGIN IMMEDIATE.
  transaction: (db, work) => db.transaction((tx) => holdingWriter(() => work(tx))),
};
