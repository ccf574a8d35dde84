import { createConnection, type PoolConnection, type RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openEdgeDatabase, SETTING_BEFORE_BEGINNING } from "../../db/edge-database.js";
import { inTransaction } from "../../db/mysql-transaction.js";
import type { EmptyDatabase } from "../support/database.js";
import { createMariadbDatabase } from "../support/mariadb.js";

let database: EmptyDatabase;
/** As a pooler lends it: with the server's own settings, whatever was set on it before. */
let lent: PoolConnection;

beforeAll(async () => {
  database = await createMariadbDatabase();
  lent = (await createConnection({ uri: database.url, disableEval: true })) as unknown as PoolConnection;
  await lent.query("create table numbers (n int)");
  await lent.query("insert into numbers values (1)");
});
afterAll(async () => {
  await lent.end();
  await database.remove();
});

const numbers = async (client: { query(options: { sql: string }): Promise<unknown> }) =>
  ((await client.query({ sql: "select n, @@sql_mode as mode from numbers" })) as [RowDataPacket[]])[0];

/** What a transaction reads before and after another one commits. */
async function readTwice(opening?: readonly string[]) {
  const other = await createConnection(database.url);
  try {
    return await inTransaction(
      lent,
      async (client) => {
        const before = await numbers(client);
        await other.query("update numbers set n = n + 1");
        return { before: before[0]?.n, after: (await numbers(client))[0]?.n, mode: before[0]?.mode };
      },
      opening,
    );
  } finally {
    await other.end();
  }
}

describe("a transaction on a connection that a pooler lends", () => {
  it("reads by default what was there at its first select, with the server's mode", async () => {
    const { before, after, mode } = await readTwice();
    expect(after).toBe(before);
    expect(mode).not.toContain("STRICT_ALL_TABLES");
  });

  it("makes its own settings first: it reads what is committed, and is strict", async () => {
    const { before, after, mode } = await readTwice(SETTING_BEFORE_BEGINNING);
    expect(after).toBe(before + 1);
    expect(mode).toContain("STRICT_ALL_TABLES");
  });

  it("is one all the time from the first statement to the end, so that the pooler can't take the connection back", async () => {
    const states: unknown[] = [];
    const watched = {
      query: async (options: string | { sql: string }) => {
        const answer = await lent.query(options as string);
        states.push((await lent.query<RowDataPacket[]>("select @@in_transaction as isOpen"))[0][0]?.isOpen);
        return answer;
      },
      destroy: () => lent.destroy(),
    } as unknown as PoolConnection;
    await inTransaction(watched, numbers, SETTING_BEFORE_BEGINNING);
    expect(states).toEqual([...SETTING_BEFORE_BEGINNING.map(() => 1), 1, 0]);
  });
});

describe("the database of the edge", () => {
  it("is there during requests alone, each with connections of its own", async () => {
    const edge = openEdgeDatabase(database.url, { isPooled: false });
    await expect(edge.database.ping()).rejects.toThrow("outside of a request");
    const { result, close } = await edge.during(async () => {
      await edge.database.ping();
      return "done";
    });
    expect(result).toBe("done");
    await close();
    await expect(edge.database.ping()).rejects.toThrow("outside of a request");
  });
});
