import { customType, int, type MySqlTable, getTableConfig as mysqlConfig, varchar } from "drizzle-orm/mysql-core";
import { getTableConfig as sqliteConfig } from "drizzle-orm/sqlite-core";
import { describe, expect, it } from "vitest";
import { kit as mysqlKit, type SameRows, typedAsSqlite } from "../../db/kit.mysql.js";
import { type Kit, sqliteKit } from "../../db/kit.sqlite.js";
import { makeSchema, type Schema } from "../../db/schema/factory.js";

type TableName = keyof Schema;
const sqlite = makeSchema(sqliteKit);
const mysql = makeSchema(mysqlKit);
const TABLES = Object.keys(sqlite) as TableName[];

/** The contract's Database section, in its order. */
const CONTRACT_COLUMNS = (
  "id public_id filename original_filename media_type content_type file_size width height duration image_hash " +
  "storage_type bucket_name storage_path original_url thumbnail_url medium_url large_url video_processed_url " +
  "entity_type entity_id entity_field alt_text caption sort_order is_primary source_url tags metadata uploaded_by " +
  "is_public is_approved moderation_status created_at updated_at"
).split(" ");

const twins = (name: TableName) => ({
  onSqlite: sqliteConfig(sqlite[name]),
  // At run time these are MySQL's own tables; only their types are the twin's.
  onMysql: mysqlConfig(mysql[name] as unknown as MySqlTable),
});

describe.each(TABLES)("%s", (name) => {
  const { onSqlite, onMysql } = twins(name);

  it("has the same columns on both databases, and the same of them may be NULL", () => {
    const columns = (config: typeof onSqlite | typeof onMysql) =>
      config.columns.map((column) => [column.name, column.notNull, column.primary]);
    expect(columns(onMysql)).toEqual(columns(onSqlite));
  });

  it("has the same indexes, uniqueness and references", () => {
    const indexes = (config: typeof onSqlite | typeof onMysql) =>
      config.indexes.map(({ config: index }) => [
        index.name,
        index.unique ?? false,
        index.columns.map((column) => ("name" in column ? column.name : "?")),
      ]);
    expect(indexes(onMysql)).toEqual(indexes(onSqlite));
    const references = (config: typeof onSqlite | typeof onMysql) =>
      config.foreignKeys.map((key) => [key.getName(), key.onDelete]);
    expect(references(onMysql)).toEqual(references(onSqlite));
  });

  it("names its unique indexes so that a violation is told by the same name everywhere", () => {
    for (const { config } of onSqlite.indexes.filter((index) => index.config.unique)) {
      const columns = config.columns.map((column) => ("name" in column ? column.name : "?"));
      expect(config.name).toBe([onSqlite.name, ...columns, "unique"].join("_"));
    }
  });

  it("depends on no default of the MySQL server for its text", () => {
    for (const column of onMysql.columns.filter((c) => /char|text/.test(c.getSQLType())))
      expect(column.getSQLType(), column.name).toContain("CHARACTER SET");
  });
});

describe("media", () => {
  it("has every column of the contract under its name", () => {
    const names = twins("media").onSqlite.columns.map((column) => column.name);
    expect(names).toEqual(expect.arrayContaining(CONTRACT_COLUMNS));
  });

  it("has an index that begins with each column the contract wants found", () => {
    const { indexes } = twins("media").onMysql;
    const leading = indexes.map(
      ({
        config: {
          columns: [first],
        },
      }) => (first && "name" in first ? first.name : "?"),
    );
    const wanted = [
      "entity_type",
      "uploaded_by",
      "created_at",
      "public_id",
      "is_primary",
      "moderation_status",
      "storage_type",
    ];
    expect(leading).toEqual(expect.arrayContaining(wanted));
  });

  it("compares ids and keys bytewise on MySQL", () => {
    const types = new Map(twins("media").onMysql.columns.map((column) => [column.name, column.getSQLType()]));
    for (const name of ["public_id", "storage_path", "uploaded_by", "entity_public_id"])
      expect(types.get(name), name).toContain("utf8mb4_bin");
    expect(types.get("order_key")).toContain("ascii_bin");
  });
});

describe("the cast of the MySQL kit", () => {
  it("takes a kit that describes the same rows, and does not compile with another", () => {
    const { serial: _serial, ...rest } = sqliteKit;
    const nullableNumbers = { ...sqliteKit, key: (name: string, _length: number) => int(name) };
    const looseJson = customType<{ data: string }>({ dataType: () => "json" });
    const textForJson = { ...sqliteKit, json: (name: string) => looseJson(name) };
    const required = { ...sqliteKit, line: (name: string, length: number) => varchar(name, { length }).notNull() };
    expect(typedAsSqlite(sqliteKit)).toBe(sqliteKit);
    // @ts-expect-error A column kind holds numbers where its twin holds text.
    expect(typedAsSqlite(nullableNumbers)).toBe(nullableNumbers);
    // @ts-expect-error A column kind holds text where its twin holds any JSON.
    expect(typedAsSqlite(textForJson)).toBe(textForJson);
    // @ts-expect-error A column kind may not be NULL where its twin may.
    expect(typedAsSqlite(required)).toBe(required);
    // @ts-expect-error A column kind is missing.
    expect(typedAsSqlite(rest)).toBe(rest);
  });

  it("is proved kind by kind", () => {
    const proof: SameRows<Kit>["time"] = true;
    expect(proof).toBe(true);
  });
});
