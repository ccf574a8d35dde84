import { drizzle } from "drizzle-orm/mysql2";
import { createPool } from "mysql2";
import type { Connection, ConnectOptions } from "./connection.js";
import { mysqlDialect } from "./dialect.mysql.js";
import { handleTypedAsSqlite } from "./kit.mysql.js";
import * as schema from "./schema/mysql.js";

const POOL_SIZE = 10;
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Nothing here may depend on the server's defaults. Strict: what does not fit is refused, never cut. No
 * NO_BACKSLASH_ESCAPES or ANSI_QUOTES: the driver escapes parameters with backslashes, drizzle quotes names with
 * backticks. Ten seconds are the longest a transaction waits for a row.
 */
export const SESSION_SETTINGS =
  "SET SESSION sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', " +
  "time_zone = '+00:00', innodb_lock_wait_timeout = 10";

/** Opens a pool on a `mysql://` URL. It connects at the first query, so this succeeds while the server is away. */
export function connectMysql(url: string, options: ConnectOptions = {}): Connection {
  const pool = createPool({
    uri: url,
    connectionLimit: POOL_SIZE,
    connectTimeout: CONNECT_TIMEOUT_MS,
    charset: "utf8mb4",
    timezone: "Z",
  });
  pool.on("connection", (connection) => {
    connection.query(SESSION_SETTINGS, (error: Error | null) => {
      // A connection with other settings must not be used; whoever holds it is told that it was lost.
      if (error) connection.destroy();
    });
  });
  return {
    db: handleTypedAsSqlite(drizzle({ client: pool, ...(options.logger && { logger: options.logger }) })),
    schema,
    dialect: mysqlDialect,
    async ping() {
      await pool.promise().query("select 1");
    },
    close: () => pool.promise().end(),
  };
}
