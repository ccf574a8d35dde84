import { createClient } from "@libsql/client";
import { createConnection } from "mysql2/promise";

export type Row = Readonly<Record<string, unknown>>;

/** The tables as other tools read and write them, past the server. Statements are those every database takes. */
export type TestTables = {
  /** Rows of a query; none for a statement that changes something. `?` stands for the arguments in their order. */
  execute(statement: string, args?: readonly Value[]): Promise<Row[]>;
  /** Every value of every table as one text. */
  dump(): Promise<string>;
};
type Value = string | number | Date;
type Execute = TestTables["execute"];

const EVERY_TABLE = {
  sqlite: "SELECT name FROM sqlite_master WHERE type = 'table'",
  mysql: "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = database()",
};

/** `url` as `DATABASE_URL` has it. */
export function openTestTables(url: string): TestTables {
  const isSqlite = url.startsWith("file:");
  const execute: Execute = (statement, args = []) =>
    isSqlite ? executeSqlite(url, statement, args) : executeMysql(url, statement, args);
  return {
    execute,
    async dump() {
      const tables = await execute(isSqlite ? EVERY_TABLE.sqlite : EVERY_TABLE.mysql);
      const contents = await Promise.all(tables.map(({ name }) => execute(`SELECT * FROM ${String(name)}`)));
      return contents.flat().flatMap(Object.values).map(textOf).join("\n");
    },
  };
}

const textOf = (value: unknown): string =>
  value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : JSON.stringify(value);

async function executeSqlite(url: string, statement: string, args: readonly Value[]): Promise<Row[]> {
  const client = createClient({ url, timeout: 10_000 });
  try {
    return (await client.execute({ sql: statement, args: [...args] })).rows;
  } finally {
    client.close();
  }
}

async function executeMysql(uri: string, statement: string, args: readonly Value[]): Promise<Row[]> {
  const connection = await createConnection({ uri, timezone: "Z", charset: "utf8mb4" });
  try {
    const [rows] = await connection.query(statement, [...args]);
    return Array.isArray(rows) ? (rows as Row[]) : [];
  } finally {
    await connection.end();
  }
}
