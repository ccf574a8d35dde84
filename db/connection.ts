import type { Logger } from "drizzle-orm";
import type { Dialect, Handle } from "./dialect.js";
import type { Schema } from "./schema/factory.js";

/** An open database of some dialect. */
export type Connection = {
  readonly db: Handle;
  readonly schema: Schema;
  readonly dialect: Dialect;
  /** Rejects when the database does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
};

export type ConnectOptions = {
  /** Is told every statement and its parameters before it runs. */
  logger?: Logger | undefined;
  /** Connections to a MySQL server at most. SQLite has its own number. */
  poolSize?: number | undefined;
  /** How long a MySQL server may be silent while it owes an answer, and how long a query waits for a connection. */
  answerTimeoutMs?: number | undefined;
};
