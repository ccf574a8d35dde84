import { fileURLToPath } from "node:url";
import { drizzle } from "drizzle-orm/mysql2";
import { migrate } from "drizzle-orm/mysql2/migrator";
import { type Connection, createConnection, type RowDataPacket } from "mysql2/promise";
import { SESSION_SETTINGS, wireSettings } from "./mysql-pool.js";

const MIGRATIONS = fileURLToPath(new URL("./migrations/mysql", import.meta.url));

/** How long a process waits while another one migrates. */
const LOCK_WAIT_SECONDS = 60;

// The lock is the server's, the name therefore the database's. 64 characters are the longest MySQL takes.
const LOCK_NAME = "left(concat('media_migrate.', database()), 64)";

/** Brings the database of a `mysql://` URL up to date; of several callers at once one works and the others wait. */
export async function migrateMysql(url: string): Promise<void> {
  const connection = await createConnection(wireSettings(url));
  try {
    for (const setting of SESSION_SETTINGS) await connection.query(setting);
    await acquireLock(connection);
    await migrate(drizzle({ client: connection }), { migrationsFolder: MIGRATIONS });
  } finally {
    // The server frees the lock of a connection that ends.
    await connection.end();
  }
}

async function acquireLock(connection: Connection): Promise<void> {
  const query = `select get_lock(${LOCK_NAME}, ?) as granted`;
  const [rows] = await connection.query<RowDataPacket[]>(query, [LOCK_WAIT_SECONDS]);
  if (rows[0]?.granted !== 1) throw new Error(`Another process was still migrating after ${LOCK_WAIT_SECONDS} s.`);
}
