import { and, asc, eq, inArray, notInArray, or } from "drizzle-orm";
import type { IntentLog, UploadIntent } from "../src/media/ports.js";
import type { Instances } from "./instances.js";
import type { Scope } from "./scope.js";

/**
 * Intents belong to the process that opened them, by its row in `instances`. A claim is one guarded write, and so is
 * the end of an intent: of an upload and a sweeper that meet, exactly one wins.
 */
export function createIntentLog(scope: Scope, instances: Instances): IntentLog {
  const { db, schema, dialect } = scope;
  const { uploadIntents } = schema;
  const isOpen = (id: string) => and(eq(uploadIntents.id, id), eq(uploadIntents.isClaimed, false));

  return {
    open: (intent, now) =>
      scope.atomically(async (inner) => {
        // An intent without its process would count as abandoned.
        await instances.ensure(inner, now);
        const row = { ...intent, keys: [...intent.keys], instanceId: instances.id, isClaimed: false, createdAt: now };
        await inner.db.insert(uploadIntents).values(row);
      }),

    async close(id) {
      return dialect.affected(await db.delete(uploadIntents).where(isOpen(id))) === 1;
    },

    async abandon(id) {
      const claim = ({ db }: Scope) => db.update(uploadIntents).set({ isClaimed: true }).where(isOpen(id));
      try {
        return dialect.affected(await claim(scope)) === 1;
      } catch (error) {
        instances.owe(claim);
        throw error;
      }
    },

    claimAbandoned: ({ storageType, now, limit }) =>
      scope.atomically(async (inner) => {
        const living = await instances.living(inner, now);
        const isAbandoned = or(eq(uploadIntents.isClaimed, true), notInArray(uploadIntents.instanceId, living));
        const oldest = inner.db
          .select()
          .from(uploadIntents)
          .where(and(eq(uploadIntents.storageType, storageType), isAbandoned))
          .orderBy(asc(uploadIntents.createdAt), asc(uploadIntents.id))
          .limit(limit);
        const abandoned = await dialect.locking(oldest);
        const ids = abandoned.map((intent) => intent.id);
        if (ids.length > 0)
          await inner.db.update(uploadIntents).set({ isClaimed: true }).where(inArray(uploadIntents.id, ids));
        return abandoned.map(toIntent);
      }),

    async forget(id) {
      await db.delete(uploadIntents).where(and(eq(uploadIntents.id, id), eq(uploadIntents.isClaimed, true)));
    },
  };
}

const toIntent = ({ id, mediaPublicId, storageType, keys }: UploadIntent): UploadIntent => ({
  id,
  mediaPublicId,
  storageType,
  keys,
});
