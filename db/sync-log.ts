import { and, asc, count, desc, eq, isNotNull, isNull, lt, type SQL } from "drizzle-orm";
import { MediaError } from "../src/media/errors.js";
import {
  NOTHING_COMPARED,
  type ObjectPlace,
  type StorageFinding,
  type SyncLog,
  type SyncRun,
} from "../src/media/lifecycle-ports.js";
import type { Scope } from "./scope.js";
import { sha256Of } from "./sha-256.js";

export const createSyncLog = (scope: Scope): SyncLog => ({ ...runs(scope), ...findings(scope) });

/** In `open_key` of the one run that is not finished. */
const OPEN = "open";

type Runs = Pick<SyncLog, "resume" | "save" | "lastFinished">;

function runs(scope: Scope): Runs {
  const { db, schema, dialect } = scope;
  const { syncRuns } = schema;
  const selectRun = async ({ db }: Scope, where: SQL) =>
    db.select().from(syncRuns).where(where).orderBy(desc(syncRuns.finishedAt), desc(syncRuns.id)).limit(1);

  return {
    resume: (now) =>
      scope.atomically(async (inner) => {
        const run = { ...NOTHING_COMPARED, startedAt: now, openKey: OPEN };
        await dialect.upsert(inner.db.insert(syncRuns).values(run), [syncRuns.openKey], { openKey: OPEN });
        const [open] = await selectRun(inner, eq(syncRuns.openKey, OPEN));
        if (!open) throw new Error("The run is not there after it was begun.");
        return toRun(open);
      }),

    async save({ id, ...run }) {
      const openKey = run.finishedAt === null ? OPEN : null;
      const saved = await db
        .update(syncRuns)
        .set({ ...run, openKey })
        .where(eq(syncRuns.id, id));
      if (dialect.affected(saved) === 0) throw new MediaError({ code: "NOT_FOUND", what: `sync run ${id}` });
    },

    async lastFinished() {
      const [run] = await selectRun(scope, isNotNull(syncRuns.finishedAt));
      return run ? toRun(run) : null;
    },
  };
}

const toRun = ({ openKey, ...run }: Scope["schema"]["syncRuns"]["$inferSelect"]): SyncRun => run;

type Findings = Pick<SyncLog, "find" | "sight" | "confirm" | "clear" | "findings" | "counts">;

/** Keys are found by their digests: a stray object's may be longer than an index takes (S3: 1,024 bytes). */
function findings(scope: Scope): Findings {
  const { db, schema, dialect } = scope;
  const { storageFindings } = schema;
  const isOf = async (kind: StorageFinding["kind"], { key, storageType }: ObjectPlace) =>
    and(
      eq(storageFindings.kind, kind),
      eq(storageFindings.storageType, storageType),
      eq(storageFindings.keyDigest, await sha256Of(key)),
    );

  // Each kind for itself: for both at once either database would read the suspicions too.
  async function confirmed(kind: StorageFinding["kind"]): Promise<number> {
    const isConfirmed = and(eq(storageFindings.kind, kind), isNotNull(storageFindings.confirmedAt));
    const [counted] = await db.select({ total: count() }).from(storageFindings).where(isConfirmed);
    return counted?.total ?? 0;
  }

  return {
    async find(kind, object) {
      const [stored] = await db
        .select()
        .from(storageFindings)
        .where(await isOf(kind, object));
      return stored ? toFinding(stored) : null;
    },

    sight: ({ kind, key, storageType, mediaId }, now) =>
      scope.atomically(async (inner) => {
        const keyDigest = await sha256Of(key);
        const object = { storageType, keyDigest, objectKey: key };
        const row = { ...object, kind, mediaId, firstSeenAt: now, confirmedAt: null };
        const target = [storageFindings.kind, storageFindings.storageType, storageFindings.keyDigest];
        await dialect.upsert(inner.db.insert(storageFindings).values(row), target, { mediaId });
        const isIt = await isOf(kind, { key, storageType });
        const [stored] = await inner.db.select().from(storageFindings).where(isIt);
        if (!stored) throw new Error("The finding is not there after it was sighted.");
        return toFinding(stored);
      }),

    async confirm(id, now) {
      const isSuspicion = and(eq(storageFindings.id, id), isNull(storageFindings.confirmedAt));
      await db.update(storageFindings).set({ confirmedAt: now }).where(isSuspicion);
    },

    async clear(kind, object) {
      const isFinding = await isOf(kind, object);
      // Asked about every object that is where it should be: a look is cheaper than a write that finds nothing.
      const [found] = await db.select({ id: storageFindings.id }).from(storageFindings).where(isFinding);
      if (found) await db.delete(storageFindings).where(isFinding);
    },

    async findings({ kind, confirmedBefore, limit }) {
      const { id, confirmedAt } = storageFindings;
      const isKind = eq(storageFindings.kind, kind);
      const found = db.select().from(storageFindings);
      const ordered = confirmedBefore
        ? found.where(and(isKind, lt(confirmedAt, confirmedBefore))).orderBy(asc(confirmedAt), asc(id))
        : found.where(isKind).orderBy(asc(id));
      return (await ordered.limit(limit)).map(toFinding);
    },

    counts: async () => ({ missing: await confirmed("missing"), orphaned: await confirmed("orphan") }),
  };
}

const toFinding = ({
  objectKey,
  keyDigest,
  ...row
}: Scope["schema"]["storageFindings"]["$inferSelect"]): StorageFinding => ({
  ...row,
  key: objectKey,
});
