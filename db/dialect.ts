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
  /**
   * Whether the text in `column` holds this text. ASCII letters match in either case; other letters as they are, on
   * MySQL also in the other case. Accents always count, and nothing in `text` is a wildcard.
   */
  contains(column: SQLiteColumn, text: string): SQL;
  /** One write transaction that sees what was committed before each of its statements. */
  transaction<T>(db: Handle, work: (tx: Handle) => Promise<T>): Promise<T>;
};

/** The pattern of LIKE … ESCAPE '!' for whatever holds this text. Backslashes mean different things on both databases. */
export const holding = (text: string): string => `%${text.replace(/[!%_]/g, "!$&")}%`;
