import { randomUUID } from "node:crypto";
import type { ConnectOptions } from "../../db/connection.js";
import { type OpenDatabase, openDatabase } from "../../db/database.js";
import type { InstanceOptions } from "../../db/instances.js";

/** An empty database of its own. `fill` makes of it what the migrations would, where there is a quicker way. */
export type EmptyDatabase = { url: string; fill?(): Promise<void>; remove(): Promise<void> };

/** Migrated and open; `close` also removes it. */
export type TestDatabase = OpenDatabase & { url: string };

export const thisProcess = (): InstanceOptions => ({
  instance: { id: randomUUID(), host: "test-host", pid: process.pid },
  isProcessAlive: () => true,
});

/** Opens a fresh database with all its tables. */
export async function openMigrated(
  empty: EmptyDatabase,
  options: Partial<InstanceOptions & ConnectOptions> = {},
): Promise<TestDatabase> {
  await empty.fill?.();
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
