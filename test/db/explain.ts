import { createClient } from "@libsql/client";
import { createConnection, type RowDataPacket } from "mysql2/promise";

export type Statement = { sql: string; params: unknown[] };

/** What a database says it would do for one statement. */
export type Plan = {
  /** As the database words it. */
  text: string;
  /** Tables it would read whole, by their rows or by an index. */
  walked: string[];
  sorts: boolean;
};

/** `planOf` answers null for what has no plan: an insertion of given values. */
export type Explainer = { planOf(statement: Statement): Promise<Plan | null>; close(): Promise<void> };

/** As many rows as there are processes: read whole faster than by an index. */
const SMALL = new Set(["instances"]);

const hasPlan = (sql: string) => /^\s*\(?(select|update|delete)/i.test(sql);

export async function openExplainer(url: string): Promise<Explainer> {
  return url.startsWith("file:") ? explainSqlite(url) : explainMysql(url);
}

function explainSqlite(url: string): Explainer {
  const client = createClient({ url, concurrency: 1 });
  return {
    async planOf({ sql, params }) {
      if (!hasPlan(sql)) return null;
      const { rows } = await client.execute({ sql: `explain query plan ${sql}`, args: params as (string | number)[] });
      const steps = rows.map((row) => row[3] as string);
      // Reading the elements of one row's JSON, the rows found by another step, or what an index of words found for a
      // MATCH, is no walk through a table.
      const walks = steps.filter((step) => /^SCAN (?!CONSTANT|json_each|\S+ VIRTUAL TABLE INDEX \d+:.*M)/.test(step));
      return {
        text: steps.join("\n"),
        walked: walks.map((step) => step.replace(/^SCAN (\S+).*$/, "$1")).filter((table) => !SMALL.has(table)),
        sorts: steps.some((step) => step.includes("TEMP B-TREE")),
      };
    },
    close: async () => client.close(),
  };
}

/** Below so many rows a table is read whole faster than by an index. */
const FEW_ROWS = 100;
const WALKS = new Set(["ALL", "index"]);

async function explainMysql(url: string): Promise<Explainer> {
  const connection = await createConnection({ uri: url, timezone: "Z" });
  return {
    async planOf({ sql, params }) {
      if (!hasPlan(sql)) return null;
      const [rows] = await connection.query<RowDataPacket[]>(`explain ${sql}`, params);
      const walks = rows.filter((row) => WALKS.has(String(row.type)) && Number(row.rows) > FEW_ROWS);
      return {
        text: rows.map((row) => `${row.table} ${row.type} ${row.key} ${row.rows} ${row.Extra}`).join("\n"),
        walked: walks.map((row) => String(row.table)),
        sorts: rows.some((row) => String(row.Extra).includes("filesort") && Number(row.rows) > FEW_ROWS),
      };
    },
    close: () => connection.end(),
  };
}
