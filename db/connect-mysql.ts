import type { DrizzleConfig } from "drizzle-orm";
import { drizzle } from "drizzle-orm/mysql2";
import type { Pool } from "mysql2/promise";
import type { Connection, ConnectOptions } from "./connection.js";
import { createMysqlDialect } from "./dialect.mysql.js";
import { handleTypedAsSqlite } from "./kit.mysql.js";
import { createMysqlPool, type MysqlPool } from "./mysql-pool.js";
import { inTransaction, type QueryClient } from "./mysql-transaction.js";
import * as schema from "./schema/mysql.js";

/** Opens a pool on a `mysql://` URL. It connects at the first query, so this succeeds while the server is away. */
export function connectMysql(url: string, options: ConnectOptions = {}): Connection {
  return connectOver(createMysqlPool(url, options), options);
}

/** The same over whatever lends connections. `opening` are the statements that begin a transaction. */
export function connectOver(
  pool: MysqlPool,
  { logger, opening }: Pick<ConnectOptions, "logger"> & { opening?: readonly string[] },
): Connection {
  const config = logger ? { logger } : {};
  const single: QueryClient = {
    query: (options, values) => pool.using((connection) => connection.query(options, values)),
  };
  const db = handleOver(single, config);
  return {
    db,
    schema,
    dialect: createMysqlDialect((work) =>
      pool.using((connection) => inTransaction(connection, (client) => work(handleOver(client, config)), opening)),
    ),
    async ping() {
      await pool.using((connection) => connection.query("select 1"));
    },
    close: () => pool.close(),
  };
}

// A whole pool would serve as well; drizzle calls nothing but `query` of it, as long as it begins no transaction itself.
const handleOver = (client: QueryClient, config: Pick<DrizzleConfig, "logger">) =>
  handleTypedAsSqlite(drizzle({ client: client as unknown as Pool, ...config }));
