import type { Client } from "@libsql/client";
import { isBusy } from "./driver-errors.js";
import { retrying } from "./retry.js";

/** How long SQLite itself waits for another process's writer. It waits in this thread, and nothing else runs then. */
export const BUSY_TIMEOUT_MS = 100;

/** Together with SQLite's own waiting some ten seconds. */
const PATIENCE = { after: isBusy, attempts: 50, pauseMs: 100 };

/**
 * Runs a write on a client with a concurrency of 1, after setting these pragmas on its connection, and again while
 * another process is writing. The pragmas come anew each time because they belong to the connection, and the connection
 * is replaced after each failure: libsql leaves the statement that found the file busy in progress until it is
 * collected as garbage, and until then nothing on that connection can be committed
 * (tursodatabase/libsql-client-ts, issue 352).
 */
export function whenFree<T>(client: Client, pragmas: string, write: () => Promise<T>): Promise<T> {
  return retrying(async () => {
    await client.executeMultiple(pragmas);
    try {
      return await write();
    } catch (error) {
      if (isBusy(error)) client.reconnect();
      throw error;
    }
  }, PATIENCE);
}
