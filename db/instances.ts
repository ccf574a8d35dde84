import { and, eq, lt, ne } from "drizzle-orm";
import type { Scope } from "./scope.js";

/** A process that uses the database. */
export type Instance = {
  /** Unique for ever, at most 64 ASCII characters. */
  id: string;
  host: string;
  pid: number;
};

export type InstanceOptions = {
  instance: Instance;
  /** Asked about processes of our own host. */
  isProcessAlive(pid: number): boolean;
};

/** After so long without a heartbeat a process counts as dead, wherever it runs. */
const HEARTBEAT_TIMEOUT_MS = 2 * 60_000;

/** Rows of processes that closed without a word go after a day. */
const FORGET_AFTER_MS = 24 * 60 * 60_000;

/** Which processes live. All functions run in the scope they are given. */
export type Instances = {
  /** Enters this process, or says that it lives. */
  beat(scope: Scope, now: Date): Promise<void>;
  /** Enters this process where it is not. */
  ensure(scope: Scope, now: Date): Promise<void>;
  /** Ids of the processes that live at `now`, this one always among them. */
  living(scope: Scope, now: Date): Promise<string[]>;
  /**
   * Keeps what this process could not give up while the database was away: nobody else may, as long as it lives. The
   * work may be done more than once.
   */
  owe(work: (scope: Scope) => Promise<unknown>): void;
  /** Does what is owed. What fails is owed still. */
  settle(scope: Scope): Promise<void>;
  /** Takes this process out, if it was ever entered. */
  leave(scope: Scope): Promise<void>;
  readonly id: string;
};

export function createInstances({ instance, isProcessAlive }: InstanceOptions): Instances {
  type Row = Scope["schema"]["instances"]["$inferSelect"];
  let wasEntered = false;
  const owed = new Set<(scope: Scope) => Promise<unknown>>();

  function isAlive(other: Row, now: Date): boolean {
    if (now.getTime() - other.heartbeatAt.getTime() > HEARTBEAT_TIMEOUT_MS) return false;
    if (other.host !== instance.host) return true;
    // Our own pid under another id: the system gave us the number of one that died.
    return other.pid !== instance.pid && isProcessAlive(other.pid);
  }

  async function beat({ db, schema: { instances }, dialect }: Scope, now: Date): Promise<void> {
    wasEntered = true;
    const row = { ...instance, startedAt: now, heartbeatAt: now };
    await dialect.upsert(db.insert(instances).values(row), [instances.id], { heartbeatAt: now });
    const forgotten = new Date(now.getTime() - FORGET_AFTER_MS);
    await db.delete(instances).where(and(lt(instances.heartbeatAt, forgotten), ne(instances.id, instance.id)));
  }

  return {
    id: instance.id,
    beat,

    async ensure(scope, now) {
      const { db, schema } = scope;
      const [row] = await db.select().from(schema.instances).where(eq(schema.instances.id, instance.id));
      if (!row) await beat(scope, now);
    },

    async living({ db, schema: { instances } }, now) {
      const others = await db.select().from(instances).where(ne(instances.id, instance.id));
      return [instance.id, ...others.filter((other) => isAlive(other, now)).map((other) => other.id)];
    },

    owe: (work) => void owed.add(work),

    async settle(scope) {
      for (const work of owed) {
        await work(scope);
        owed.delete(work);
      }
    },

    async leave({ db, schema: { instances } }) {
      if (!wasEntered) return;
      await db.delete(instances).where(eq(instances.id, instance.id));
    },
  };
}
