import { createConnection } from "mysql2/promise";
import { startMariadb } from "../test/support/mariadb-server.js";

/** As much memory as measured tables need, so that what is measured is the query and not the disk. */
const SETTINGS = [
  "set global innodb_buffer_pool_size = 4294967296",
  "set global innodb_log_file_size = 1073741824",
  "set global innodb_stats_auto_recalc = 0",
];

export type PrivateMariadb = {
  /** A new, empty database. */
  create(name: string): Promise<string>;
  stop(): Promise<void>;
};

export async function startPrivateMariadb(): Promise<PrivateMariadb> {
  const server = await startMariadb();
  try {
    await run(server.url, SETTINGS);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return {
    async create(name) {
      await run(server.url, [`create database ${name}`]);
      return `${server.url}/${name}`;
    },
    stop: () => server.stop(),
  };
}

/** One after the other on one connection of their own. */
export async function run(url: string, statements: readonly string[]): Promise<void> {
  const connection = await createConnection(url);
  try {
    for (const statement of statements) await connection.query(statement);
  } finally {
    await connection.end();
  }
}
