import { and, asc, count, eq, gt, inArray, lte, sql } from "drizzle-orm";
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

    async retire(mediaId, objects, { now, until }) {
      if (objects.length === 0) return;
      const entry = { attempts: 0, runAfter: until, createdAt: now, mediaId };
      const rows = objects.map(async ({ key, ...object }) => {
        return { ...entry, ...object, objectKey: key, keyDigest: await sha256Of(key) };
      });
      await db.insert(objectDeletions).values(await Promise.all(rows));
    },

    async findRetired(key, now) {
      const { keyDigest, runAfter, attempts } = objectDeletions;
      // An entry that was tried is waiting for a store, not for its time.
      const isServed = and(eq(keyDigest, await sha256Of(key)), gt(runAfter, now), eq(attempts, 0));
      const [entry] = await db.select().from(objectDeletions).where(isServed).limit(1);
      if (!entry) return null;
      const { mediaId, storageType, contentType, fileSize } = entry;
      if (mediaId === null || contentType === null || fileSize === null) return null;
      return { mediaId, key, storageType, contentType, fileSize };
    },

    async hasten(mediaId, now) {
      const isWaiting = and(eq(objectDeletions.mediaId, mediaId), gt(objectDeletions.runAfter, now));
      await db.update(objectDeletions).set({ runAfter: now }).where(isWaiting);
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
