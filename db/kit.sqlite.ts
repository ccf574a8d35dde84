import type { SQL } from "drizzle-orm";
import { index, integer, primaryKey, real, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

/**
 * The column kinds of the schema on SQLite. These types are the types of the whole room: the MySQL kit offers the same
 * kinds and is proved to carry the same data. SQLite compares text bytewise and does not limit its length.
 */
export const sqliteKit = {
  table: sqliteTable,
  index,
  uniqueIndex,
  primaryKey,
  /** Primary key counted up by the database; a number is never given twice. */
  serial: (name: string) => integer(name).primaryKey({ autoIncrement: true }),
  /** Ids, object keys, e-mail addresses: compared exactly, byte by byte. */
  key: (name: string, _length: number) => text(name),
  /** The same for what holds nothing but ASCII, which makes short indexes. */
  asciiKey: (name: string, _length: number) => text(name),
  /** One of a closed set. The set lives in the domain, so a new member needs no migration. */
  oneOf: <T extends string>(name: string, _values: readonly T[]) => text(name).$type<T>(),
  line: (name: string, _length: number) => text(name),
  prose: (name: string) => text(name),
  /** Prose of nothing but ASCII, of up to 16 MB. */
  asciiProse: (name: string) => text(name),
  integer: (name: string) => integer(name),
  bigInteger: (name: string) => integer(name),
  /** 32 bits, as a number from 0. */
  word: (name: string) => integer(name),
  real: (name: string) => real(name),
  boolean: (name: string) => integer(name, { mode: "boolean" }),
  /** A condition over columns of the same row, which the database keeps: for indexes over what is no column. */
  condition: (name: string, is: SQL) => integer(name, { mode: "boolean" }).generatedAlwaysAs(is, { mode: "virtual" }),
  /** A moment, UTC, to the millisecond. */
  time: (name: string) => integer(name, { mode: "timestamp_ms" }),
  json: <T>(name: string) => text(name, { mode: "json" }).$type<T>(),
};

export type Kit = typeof sqliteKit;
