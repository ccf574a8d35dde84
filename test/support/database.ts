import { randomUUID } from "node:crypto";
import type { ConnectOptions } from "../../db/connection.js";
import { type OpenDatabase, openDatabase } from "../../db/database.js";
import type { InstanceOptions } from "../../db/instances.js";
import { fillAsMigrated } from "./mariadb.js";

/** An empty database of its own. */
export type EmptyDatabase = { url: string; remove(): Promise<void> };

/** Migrated and open; `close` also removes it. */
export type TestDatabase = OpenDatabase & { url: string };

export const thisProcess = (): InstanceOptions => ({
  instance: { id: randomUUID(), host: "test-host", pid: process.pid },
  isProcessAlive: () => true,
});

/** Opens a fresh database with all its tables; one of MariaDB on the run's server. */
export async function openMigrated(
  empty: EmptyDatabase,
  options: Partial<InstanceOptions & ConnectOptions> = {},
): Promise<TestDatabase> {
  if (empty.url.startsWith("mysql:")) await fillAsMigrated(empty.url);
  const open = await openDatabase(empty.url, { ...thisProcess(), ...options });
  await open.migrate();
  return {
    ...open,
    url: empty.url,
    async close() {
      await open.close();
      await empty.remove();
    },
  };
}
