import type { SQL } from "drizzle-orm";
import type { BaseSQLiteDatabase, SQLiteColumn } from "drizzle-orm/sqlite-core";

/** A database or a transaction under way, as the repositories see it on every dialect. */
export type Handle = BaseSQLiteDatabase<"async", unknown>;

/** What the dialects do differently. */
export type Dialect = {
  readonly name: "sqlite" | "mysql";
  /** Rows an update or delete matched. */
  affected(result: unknown): number;
  /** Runs the insert; where the unique key `target` is taken, sets these values on the row that holds it. */
  upsert(insert: unknown, target: SQLiteColumn[], set: Record<string, unknown>): Promise<void>;
  /** Lets a select inside a transaction lock the rows it reads, where rows can be locked. */
  locking<Q>(select: Q): Q;
  /** Whether the JSON array in `column` holds exactly this string. */
  hasElement(column: SQLiteColumn, value: string): SQL;
  readonly wordIndex: WordIndex;
  /** All values of a JSON expression over a group, as one JSON array in any order; an empty one or NULL for none. */
  jsonArray(value: SQL): SQL;
  /** In how many places a column of 32 bits differs from these. */
  differingBits(column: SQLiteColumn, bits: number): SQL;
  /** One write transaction that sees what was committed before each of its statements. */
  transaction<T>(db: Handle, work: (tx: Handle) => Promise<T>): Promise<T>;
};

/** A word as `media_search.words` has it, `[a-z0-9]` only, or the beginning of one. */
export type Term = { readonly token: string; readonly isPrefix: boolean };

/** The full-text index over `media_search.words`. */
export type WordIndex = {
  /** What a query selects from, and the column of it that is the item's id. */
  readonly from: SQL;
  readonly id: SQL;
  /** Whether a row has every one of the terms. There is at least one. */
  matches(terms: readonly Term[]): SQL;
};
