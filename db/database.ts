import type { Sessions, UserDirectory } from "../src/accounts/ports.js";
import type { Database, Stores } from "../src/media/ports.js";
import type { Connection, ConnectOptions } from "./connection.js";
import { createDeletionOutbox } from "./deletion-outbox.js";
import { speakingMediaErrors } from "./driver-errors.js";
import { createEntityDirectory } from "./entity-directory.js";
import { createIdempotencyLog } from "./idempotency-log.js";
import { createInstances, type InstanceOptions, type Instances } from "./instances.js";
import { createIntentLog } from "./intent-log.js";
import { createLuciaSessions } from "./lucia-sessions.js";
import { createMediaRepository } from "./media-repository.js";
import { createModerationLog } from "./moderation-log.js";
import { createScope, type Scope } from "./scope.js";
import { createSyncLog } from "./sync-log.js";
import { createUsageCounters } from "./usage-counters.js";
import { createUserDirectory } from "./user-directory.js";

/** Everything the application does with its database. Rejections are MediaError CONFLICT and DATABASE_UNAVAILABLE. */
export type OpenDatabase = {
  database: Database;
  users: UserDirectory;
  sessions: Sessions;
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
    database: createDatabase(connection, scope, instances),
    users: speakingMediaErrors(createUserDirectory(scope)),
    sessions: speakingMediaErrors(createLuciaSessions(scope)),
    ...speakingMediaErrors({ migrate, ...lifetime }),
  };
}

const createStores = (scope: Scope, instances: Instances): Stores => ({
  media: speakingMediaErrors(createMediaRepository(scope)),
  entities: speakingMediaErrors(createEntityDirectory(scope)),
  intents: speakingMediaErrors(createIntentLog(scope, instances)),
  moderation: speakingMediaErrors(createModerationLog(scope)),
  deletions: speakingMediaErrors(createDeletionOutbox(scope)),
  idempotency: speakingMediaErrors(createIdempotencyLog(scope, instances)),
  usage: speakingMediaErrors(createUsageCounters(scope)),
  sync: speakingMediaErrors(createSyncLog(scope)),
});

function createDatabase(connection: Connection, scope: Scope, instances: Instances): Database {
  const { transact, ping } = speakingMediaErrors<Pick<Database, "transact" | "ping">>({
    transact: (work) => scope.atomically((inner) => work(createStores(inner, instances))),
    ping: () => connection.ping(),
  });
  return { ...createStores(scope, instances), transact, ping };
}

type Parts = { connection: Connection; scope: Scope; instances: Instances };

function createLifetime({ connection, scope, instances }: Parts): Pick<OpenDatabase, "heartbeat" | "close"> {
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
