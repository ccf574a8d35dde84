import { createConnection, type RowDataPacket } from "mysql2/promise";
import { migrateMysql } from "../../db/migrate-mysql.js";

const TEMPLATE = "migrated_template";

/**
 * Migrates a database of the server for others to be made like it, in a sixth of the time. Answers the statements that
 * do so with an empty one of the same server: tables, rows the migrations left, triggers.
 */
export async function makeTemplate(serverUrl: string): Promise<string[]> {
  await execute(serverUrl, `CREATE DATABASE ${TEMPLATE}`);
  const url = `${serverUrl}/${TEMPLATE}`;
  await migrateMysql(url);
  return describeTables(url);
}

const EVERY_TABLE = "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = database()";

async function describeTables(url: string): Promise<string[]> {
  const connection = await createConnection(url);
  const column = async (statement: string, name: string) => {
    const [rows] = await connection.query<RowDataPacket[]>(statement);
    return rows.map((row) => String(row[name]));
  };
  try {
    const made: string[] = [];
    const filled: string[] = [];
    for (const table of await column(EVERY_TABLE, "name")) {
      made.push(...(await column(`SHOW CREATE TABLE ${table}`, "Create Table")));
      if ((await column(`SELECT 1 AS one FROM ${table} LIMIT 1`, "one")).length > 0)
        filled.push(`INSERT INTO ${table} SELECT * FROM ${TEMPLATE}.${table}`);
    }
    for (const trigger of await column("SHOW TRIGGERS", "Trigger"))
      filled.push(...(await column(`SHOW CREATE TRIGGER ${trigger}`, "SQL Original Statement")));
    return ["SET foreign_key_checks = 0", ...made, ...filled];
  } finally {
    await connection.end();
  }
}

/** Several statements at once end with semicolons. */
export async function execute(url: string, statements: string): Promise<void> {
  const connection = await createConnection({ uri: url, multipleStatements: true });
  try {
    await connection.query(statements);
  } finally {
    await connection.end();
  }
}
