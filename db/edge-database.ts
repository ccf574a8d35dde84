import { AsyncLocalStorage } from "node:async_hooks";
import { connectOver } from "./connect-mysql.js";
import { createFacts, type Facts } from "./facts.js";
import { createInstances } from "./instances.js";
import { createMysqlPool, type MysqlPool, SESSION_SETTINGS } from "./mysql-pool.js";
import { createScope } from "./scope.js";

export type EdgeDatabase = Facts & {
  /**
   * Does the work with connections of its own, which open when they are first needed, and answers how to close them
   * beside what the work answers. Outside of it every call rejects.
   */
  during<T>(work: () => Promise<T>): Promise<{ result: T; close(): Promise<void> }>;
};

/** A request uses one, and more only for what it does at once. Workers may have six connections open in all. */
const CONNECTIONS_A_REQUEST = 3;

/**
 * A pooler that lends a connection for one transaction or statement forgets settings in between. What a transaction
 * depends on is set inside of one and holds for the next, which begins, by the second `begin`, on the same connection.
 */
export const SETTING_BEFORE_BEGINNING = ["begin", ...SESSION_SETTINGS, "begin"];

/**
 * MySQL where a connection must not outlive the request that opened it. The stores are made once and find the
 * connections of the request they work for. The tables are there already: a server migrated them.
 */
export function openEdgeDatabase(url: string, { isPooled }: { isPooled: boolean }): EdgeDatabase {
  const current = new AsyncLocalStorage<MysqlPool>();
  const poolOfRequest = (): MysqlPool => {
    const pool = current.getStore();
    if (!pool) throw new Error("The database is used outside of a request.");
    return pool;
  };
  const connection = connectOver(
    { using: (work) => poolOfRequest().using(work), close: () => poolOfRequest().close() },
    isPooled ? { opening: SETTING_BEFORE_BEGINNING } : {},
  );
  return {
    ...createFacts({ connection, scope: createScope(connection), instances: createEdgeInstances() }),
    async during(work) {
      const pool = createMysqlPool(url, { poolSize: CONNECTIONS_A_REQUEST, disableEval: true });
      return { result: await current.run(pool, work), close: () => pool.close() };
    },
  };
}

/** It beats no heartbeat, so two minutes after it entered itself its work counts as abandoned, wherever it runs. */
const createEdgeInstances = () =>
  createInstances({
    instance: { id: `edge.${crypto.randomUUID()}`, host: "edge", pid: 0 },
    isProcessAlive: () => true,
  });
