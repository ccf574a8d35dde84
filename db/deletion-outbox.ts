import { asc, count, eq, lte, sql } from "drizzle-orm";
import type { DeletionOutbox } from "../src/media/lifecycle-ports.js";
import type { Scope } from "./scope.js";
import { sha256Of } from "./sha-256.js";

/** Keys are found by their digests: a stray object's may be longer than an index takes (S3: 1,024 bytes). */
export function createDeletionOutbox({ db, schema: { objectDeletions } }: Scope): DeletionOutbox {
  const isEntry = (id: number) => eq(objectDeletions.id, id);
  return {
    async add(objects, now) {
      if (objects.length === 0) return;
      const entry = { attempts: 0, runAfter: now, createdAt: now };
      const rows = objects.map(async ({ key, storageType }) => {
        return { ...entry, objectKey: key, keyDigest: await sha256Of(key), storageType };
      });
      await db.insert(objectDeletions).values(await Promise.all(rows));
    },

    due(now, limit) {
      const { id, objectKey, storageType, attempts } = objectDeletions;
      return db
        .select({ id, key: objectKey, storageType, attempts })
        .from(objectDeletions)
        .where(lte(objectDeletions.runAfter, now))
        .orderBy(asc(objectDeletions.runAfter), asc(objectDeletions.id))
        .limit(limit);
    },

    async done(id) {
      await db.delete(objectDeletions).where(isEntry(id));
    },

    async postpone(id, runAfter) {
      const attempts = sql`${objectDeletions.attempts} + 1`;
      await db.update(objectDeletions).set({ attempts, runAfter }).where(isEntry(id));
    },

    async holds(key) {
      const isKey = eq(objectDeletions.keyDigest, await sha256Of(key));
      const [entry] = await db.select({ id: objectDeletions.id }).from(objectDeletions).where(isKey).limit(1);
      return entry !== undefined;
    },

    async size() {
      const [counted] = await db.select({ entries: count() }).from(objectDeletions);
      return counted?.entries ?? 0;
    },
  };
}
