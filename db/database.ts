import type { Connection, ConnectOptions } from "./connection.js";
import { speakingMediaErrors } from "./driver-errors.js";
import { createFacts, type Facts, type FactsParts } from "./facts.js";
import { createInstances, type InstanceOptions } from "./instances.js";
import { createScope } from "./scope.js";

/** Everything the application does with its database. Rejections are MediaError CONFLICT and DATABASE_UNAVAILABLE. */
export type OpenDatabase = Facts & {
  /** Brings the tables up to date. Several processes may call it at once. */
  migrate(): Promise<void>;
  /** Says that this process lives; call it at least once a minute. */
  heartbeat(now: Date): Promise<void>;
  /** Takes this process out of the register and closes every connection. Calls after the first do nothing more. */
  close(): Promise<void>;
};

type Opened = { connection: Connection; migrate(): Promise<void> };

/** A scheme a dialect. What is not used is not loaded. */
const DIALECTS: Readonly<Record<string, (url: string, options: ConnectOptions) => Promise<Opened>>> = {
  async file(url, options) {
    const [{ connectSqlite }, { migrateSqlite }] = await Promise.all([
      import("./connect-sqlite.js"),
      import("./migrate-sqlite.js"),
    ]);
    const connection = await connectSqlite(url, options);
    const migrate = async () => {
      await migrateSqlite(url);
      await connection.readSchema();
    };
    return { connection, migrate };
  },
  async mysql(url, options) {
    const [{ connectMysql }, { migrateMysql }] = await Promise.all([
      import("./connect-mysql.js"),
      import("./migrate-mysql.js"),
    ]);
    return { connection: connectMysql(url, options), migrate: () => migrateMysql(url) };
  },
};

/**
 * Opens `file:…` (SQLite; the folder is made where it is missing) or `mysql://…`. Neither needs the tables to be there
 * yet, nor a MySQL server to be up.
 */
export async function openDatabase(url: string, options: InstanceOptions & ConnectOptions): Promise<OpenDatabase> {
  const open = DIALECTS[url.slice(0, url.indexOf(":"))];
  if (!open) throw new TypeError("The database URL must begin with file: or mysql:.");
  const { connection, migrate } = await open(url, options);
  const scope = createScope(connection);
  const instances = createInstances(options);
  const lifetime = createLifetime({ connection, scope, instances });
  return {
    ...createFacts({ connection, scope, instances }),
    ...speakingMediaErrors({ migrate, ...lifetime }),
  };
}

function createLifetime({
  connection,
  scope,
  instances,
}: FactsParts & { connection: Connection }): Pick<OpenDatabase, "heartbeat" | "close"> {
  let closing: Promise<void> | undefined;

  async function close(): Promise<void> {
    try {
      await instances.leave(scope);
    } finally {
      await connection.close();
    }
  }

  return {
    async heartbeat(now) {
      await scope.atomically((inner) => instances.beat(inner, now));
      await instances.settle(scope);
    },
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}
