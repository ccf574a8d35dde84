import { and, eq, isNull, lt, sql } from "drizzle-orm";
import { MediaError } from "../src/media/errors.js";
import type { IdempotencyEntry, IdempotencyKey, IdempotencyLog } from "../src/media/lifecycle-ports.js";
import type { Instances } from "./instances.js";
import type { Scope } from "./scope.js";

type KeyRow = Scope["schema"]["idempotencyKeys"]["$inferSelect"];

/**
 * A key is a row that the first request inserts and every further one counts up. The one write locks the row before
 * anybody reads it, so of many at once exactly one finds no repeats. A key without outcome belongs to the process that
 * began it, by that one's row in `instances`.
 */
export function createIdempotencyLog(scope: Scope, instances: Instances): IdempotencyLog {
  const { db, schema, dialect } = scope;
  const { idempotencyKeys } = schema;
  const isKey = ({ principal, key }: IdempotencyKey) =>
    and(eq(idempotencyKeys.principal, principal), eq(idempotencyKeys.key, key));
  const isOurs = (key: IdempotencyKey) =>
    and(isKey(key), eq(idempotencyKeys.instanceId, instances.id), isNull(idempotencyKeys.outcome));

  /** The row after this request was noted on it, locked. */
  async function note(inner: Scope, fresh: KeyRow): Promise<KeyRow> {
    const target = [idempotencyKeys.principal, idempotencyKeys.key];
    const repeats = sql`${idempotencyKeys.repeats} + 1`;
    await dialect.upsert(inner.db.insert(idempotencyKeys).values(fresh), target, { repeats });
    const [row] = await inner.db.select().from(idempotencyKeys).where(isKey(fresh));
    if (!row) throw new Error("The idempotency key is not there after it was noted.");
    return row;
  }

  return {
    async begin({ principal, key }, fingerprint, { now, expiresBefore }) {
      await instances.settle(scope);
      const take = async (inner: Scope): Promise<IdempotencyEntry> => {
        // A key without its process would count as a dead one's.
        await instances.ensure(inner, now);
        const own = { fingerprint, outcome: null, instanceId: instances.id, createdAt: now };
        const row = await note(inner, { principal, key, ...own, repeats: 0 });
        if (row.repeats === 0) return { state: "begun" };
        const isExpired = row.createdAt < expiresBefore;
        if (!isExpired && row.outcome !== null) return describe(row);
        const isHeld = (await instances.living(inner, now)).includes(row.instanceId);
        if (!isExpired && isHeld) return describe(row);
        await inner.db.update(idempotencyKeys).set(own).where(isKey({ principal, key }));
        return { state: "begun" };
      };
      try {
        return await scope.atomically(take);
      } catch (error) {
        // It may have been taken all the same, where the answer to the commit was lost: then nobody knows that it is.
        const isTakenNow = and(isOurs({ principal, key }), eq(idempotencyKeys.createdAt, now));
        instances.owe(({ db }) => db.delete(idempotencyKeys).where(isTakenNow));
        throw error;
      }
    },

    async finish(key, outcome) {
      const finished = await db.update(idempotencyKeys).set({ outcome }).where(isOurs(key));
      if (dialect.affected(finished) === 1) return;
      throw new MediaError({ code: "CONFLICT", reason: "The Idempotency-Key was taken over by another request." });
    },

    async release(key) {
      const giveUp = (at: Scope) => at.db.delete(idempotencyKeys).where(isOurs(key));
      try {
        await giveUp(scope);
      } catch (error) {
        instances.owe(giveUp);
        throw error;
      }
    },

    async expire(before) {
      return dialect.affected(await db.delete(idempotencyKeys).where(lt(idempotencyKeys.createdAt, before)));
    },
  };
}

const describe = ({ fingerprint, outcome }: KeyRow): IdempotencyEntry =>
  outcome === null ? { state: "running", fingerprint } : { state: "done", fingerprint, outcome };
