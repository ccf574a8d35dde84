import type { PoolConnection, QueryOptions } from "mysql2/promise";
import { isDeadlock } from "./driver-errors.js";

/** As much of a driver's client as drizzle uses of it. */
export type QueryClient = { query(options: QueryOptions, values?: unknown[]): Promise<unknown> };

/**
 * Runs the work between BEGIN and COMMIT. Throws what the work throws, after undoing it. When the connection is lost at
 * COMMIT nobody knows whether it took place: that error passes as it is, and must not be taken for a failure.
 *
 * After a deadlock the server has already undone everything, and further statements would each commit alone. So the
 * error is thrown in the end also where the work swallowed it.
 *
 * `opening` are the statements up to its beginning.
 */
export async function inTransaction<T>(
  connection: PoolConnection,
  work: (client: QueryClient) => Promise<T>,
  opening: readonly string[] = ["begin"],
): Promise<T> {
  let undone: { by: unknown } | undefined;
  const client: QueryClient = {
    async query(options, values) {
      if (undone) throw undone.by;
      try {
        return await connection.query(options, values);
      } catch (error) {
        if (isDeadlock(error)) undone = { by: error };
        throw error;
      }
    },
  };

  try {
    for (const statement of opening) await connection.query(statement);
    const result = await work(client);
    if (undone) throw undone.by;
    await connection.query("commit");
    return result;
  } catch (error) {
    await rollBack(connection);
    throw error;
  }
}

/** Whatever is left of the transaction ends with its connection, if it can't be ended otherwise. */
async function rollBack(connection: PoolConnection): Promise<void> {
  try {
    await connection.query("rollback");
  } catch {
    connection.destroy();
  }
}
