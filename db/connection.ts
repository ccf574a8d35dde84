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
};
