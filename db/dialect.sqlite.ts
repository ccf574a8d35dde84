import { type SQL, sql } from "drizzle-orm";
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
  jsonArray: (value) => sql`json_group_array(${value})`,
  differingBits: (column, bits) => onesIn(sql`((${column} | ${raw(bits)}) - (${column} & ${raw(bits)}))`),
  // The writer begins every transaction as BEGIN IMMEDIATE.
  transaction: (db, work) => db.transaction((tx) => holdingWriter(() => work(tx))),
};

const raw = (integer: number): SQL => sql.raw(String(Math.trunc(integer)));

/** SQLite counts no ones: as `onesIn` of hash-bands.ts does, which says where it is from. */
function onesIn(bits: SQL): SQL {
  const pairs = sql`(${bits} - ((${bits} >> 1) & 0x55555555))`;
  const fours = sql`((${pairs} & 0x33333333) + ((${pairs} >> 2) & 0x33333333))`;
  return sql`(((((${fours} + (${fours} >> 4)) & 0x0f0f0f0f) * 0x01010101) >> 24) & 255)`;
}
