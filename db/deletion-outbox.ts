import { and, asc, count, eq, inArray, lte, sql } from "drizzle-orm";
import type { DeletionOutbox } from "../src/media/lifecycle-ports.js";
import type { Scope } from "./scope.js";
import { sha256Of } from "./sha-256.js";

/** Keys are found by their digests: a stray object's may be longer than an index takes (S3: 1,024 bytes). */
export function createDeletionOutbox({ db, schema: { objectDeletions } }: Scope): DeletionOutbox {
  return {
    async add(objects, now) {
      if (objects.length === 0) return;
      const entry = { attempts: 0, runAfter: now, createdAt: now };
      const rows = objects.map(async ({ key, storageType }) => {
        return { ...entry, objectKey: key, keyDigest: await sha256Of(key), storageType };
      });
      await db.insert(objectDeletions).values(await Promise.all(rows));
    },

    due({ storageType, now, limit }) {
      const { id, objectKey, attempts, runAfter } = objectDeletions;
      return db
        .select({ id, key: objectKey, storageType: objectDeletions.storageType, attempts })
        .from(objectDeletions)
        .where(and(eq(objectDeletions.storageType, storageType), lte(runAfter, now)))
        .orderBy(asc(runAfter), asc(id))
        .limit(limit);
    },

    async done(ids) {
      if (ids.length === 0) return;
      await db.delete(objectDeletions).where(inArray(objectDeletions.id, [...ids]));
    },

    async postpone(id, runAfter) {
      const attempts = sql`${objectDeletions.attempts} + 1`;
      await db.update(objectDeletions).set({ attempts, runAfter }).where(eq(objectDeletions.id, id));
    },

    async holds({ key, storageType }) {
      const { id, keyDigest } = objectDeletions;
      const isObject = and(eq(keyDigest, await sha256Of(key)), eq(objectDeletions.storageType, storageType));
      const [entry] = await db.select({ id }).from(objectDeletions).where(isObject).limit(1);
      return entry !== undefined;
    },

    async size() {
      const [counted] = await db.select({ entries: count() }).from(objectDeletions);
      return counted?.entries ?? 0;
    },
  };
}
