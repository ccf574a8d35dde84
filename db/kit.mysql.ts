import type { SQL } from "drizzle-orm";
import {
  bigint,
  boolean,
  customType,
  datetime,
  double,
  index,
  int,
  mysqlTable,
  primaryKey,
  uniqueIndex,
} from "drizzle-orm/mysql-core";
import type { MySql2Database } from "drizzle-orm/mysql2";
import type { Handle } from "./dialect.js";
import type { Kit } from "./kit.sqlite.js";

/** Text whose character set and collation do not depend on the server's defaults. */
const textOf = (sqlType: (length: number) => string) => {
  const column = customType<{ data: string; config: { length: number } }>({
    dataType: (config) => sqlType(config?.length ?? 0),
  });
  return (name: string, length: number) => column(name, { length });
};

const exact = textOf((length) => `varchar(${length}) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`);
const ascii = textOf((length) => `varchar(${length}) CHARACTER SET ascii COLLATE ascii_bin`);
const line = textOf((length) => `varchar(${length}) CHARACTER SET utf8mb4`);
const prose = textOf(() => "text CHARACTER SET utf8mb4");
const asciiProse = textOf(() => "mediumtext CHARACTER SET ascii COLLATE ascii_bin");

/** MySQL's driver hands JSON back parsed, MariaDB's as text. */
const json = customType<{ data: unknown; driverData: unknown }>({
  dataType: () => "json",
  toDriver: (value) => JSON.stringify(value),
  fromDriver: (value) => (typeof value === "string" ? (JSON.parse(value) as unknown) : value),
});

const ONE_OF_LENGTH = 32;

const mysqlKit = {
  table: mysqlTable,
  index,
  uniqueIndex,
  primaryKey,
  serial: (name: string) => int(name).autoincrement().primaryKey(),
  key: exact,
  asciiKey: ascii,
  oneOf: <T extends string>(name: string, _values: readonly T[]) => ascii(name, ONE_OF_LENGTH).$type<T>(),
  line,
  prose: (name: string) => prose(name, 0),
  asciiProse: (name: string) => asciiProse(name, 0),
  integer: (name: string) => int(name),
  bigInteger: (name: string) => bigint(name, { mode: "number" }),
  word: (name: string) => int(name, { unsigned: true }),
  real: (name: string) => double(name),
  boolean: (name: string) => boolean(name),
  // Stored: MariaDB had its troubles with indexes over virtual columns.
  condition: (name: string, is: SQL) => boolean(name).generatedAlwaysAs(is, { mode: "stored" }),
  time: (name: string) => datetime(name, { mode: "date", fsp: 3 }),
  json: <T>(name: string) => json(name).$type<T>(),
} satisfies Record<keyof Kit, unknown>;

type ColumnKind = Exclude<keyof Kit, "table" | "index" | "uniqueIndex" | "primaryKey">;
type Same<A, B> = (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : false;
/** What a column of this kind holds in TypeScript, and whether it must be given. */
type Row<F> = F extends (...args: never[]) => { _: infer C }
  ? {
      data: C extends { $type: infer T } ? T : C extends { data: infer D } ? D : never;
      notNull: C extends { notNull: true } ? true : false;
      hasDefault: C extends { hasDefault: true } ? true : false;
    }
  : never;

/** True for every column kind that yields the same rows on both databases. */
export type SameRows<K extends Record<ColumnKind, unknown>> = { [C in ColumnKind]: Same<Row<K[C]>, Row<Kit[C]>> };

/** Takes only a kit proved to describe the same rows as SQLite's; anything else does not compile. */
export function typedAsSqlite<K extends Record<keyof Kit, unknown>>(
  kit: SameRows<K> extends Record<ColumnKind, true> ? K : never,
): Kit {
  return kit as unknown as Kit;
}

// The two casts of this room: from here on MySQL's tables and its handle are typed as their SQLite twins. The first is
// proved above; the second holds because the repositories use only what drizzle offers on both.
export const kit = typedAsSqlite(mysqlKit);
export const handleTypedAsSqlite = (db: MySql2Database): Handle => db as unknown as Handle;
