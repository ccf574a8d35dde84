import type { Connection } from "./connection.js";
import { isDeadlock } from "./driver-errors.js";
import { retrying } from "./retry.js";

/** Where the repositories run their statements: the database itself, or one transaction of it. */
export type Scope = Pick<Connection, "db" | "schema" | "dialect"> & {
  readonly inTransaction: boolean;
  /** Runs the work in a write transaction: this one if it is one, else a new one, tried again after a deadlock. */
  atomically<T>(work: (scope: Scope) => Promise<T>): Promise<T>;
};

/**
 * A deadlock is found at once and meets all attempts; who waited five seconds for a row gets one more. Nothing
 * else is tried again: where the connection was lost at the commit, the work may be done.
 */
const RETRIES = { after: isDeadlock, attempts: 6, pauseMs: 25, growth: 2, withinMs: 7_500 };

export function createScope({ db, schema, dialect }: Pick<Connection, "db" | "schema" | "dialect">): Scope {
  const inside = (tx: Scope["db"]): Scope => {
    const scope: Scope = { db: tx, schema, dialect, inTransaction: true, atomically: (work) => work(scope) };
    return scope;
  };
  return {
    db,
    schema,
    dialect,
    inTransaction: false,
    atomically: (work) => retrying(() => dialect.transaction(db, (tx) => work(inside(tx))), RETRIES),
  };
}
