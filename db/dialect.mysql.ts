import { sql } from "drizzle-orm";
import type { MySqlInsertBase, MySqlSelectBase, MySqlTable } from "drizzle-orm/mysql-core";
import type { MySql2PreparedQueryHKT, MySql2QueryResultHKT } from "drizzle-orm/mysql2";
import type { Dialect, Handle, WordIndex } from "./dialect.js";

type Insert = MySqlInsertBase<MySqlTable, MySql2QueryResultHKT, MySql2PreparedQueryHKT>;
type Select = MySqlSelectBase<string, Record<string, unknown>, "single", MySql2PreparedQueryHKT>;

const wordIndex: WordIndex = {
  from: sql`media_search`,
  id: sql`media_search.media_id`,
  matches(terms) {
    // InnoDB collects what has the first and only looks through that for the others; a long one is the rarer, mostly.
    const longestFirst = [...terms].sort((a, b) => b.token.length - a.token.length);
    const wanted = longestFirst.map(({ token, isPrefix }) => `+${token}${isPrefix ? "*" : ""}`).join(" ");
    return sql`match (media_search.words) against (${wanted} in boolean mode)`;
  },
};

/** `transaction` runs its work in a transaction of READ COMMITTED. */
export const createMysqlDialect = (transaction: <T>(work: (tx: Handle) => Promise<T>) => Promise<T>): Dialect => ({
  name: "mysql",
  // The driver asks for found rows, so an update that changes nothing still counts the row it matched.
  affected: (result) => (result as [{ affectedRows: number }])[0].affectedRows,
  upsert: async (insert, _target, set) => {
    await (insert as Insert).onDuplicateKeyUpdate({ set });
  },
  locking: <Q>(select: Q) => (select as unknown as Select).for("update") as unknown as Q,
  hasElement: (column, value) => sql`json_contains(${column}, ${JSON.stringify(value)})`,
  wordIndex,
  jsonArray: (value) => sql`json_arrayagg(${value})`,
  differingBits: (column, bits) => sql`bit_count(${column} ^ ${bits})`,
  transaction: (_db, work) => transaction(work),
});
