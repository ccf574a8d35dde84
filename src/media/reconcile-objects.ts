import type { ObjectPlace, StorageFinding } from "./lifecycle-ports.js";
import { STORAGE_TYPES } from "./model.js";
import { isIncomingKey, isOwnKey } from "./object-key.js";
import type { KeptObjects, ObjectListing, Stores } from "./ports.js";
import { before, type ReconcileDeps, type SyncJob, stepsOf } from "./sync-job.js";

/**
 * Objects without rows: lists every store in turn, always in the order of `STORAGE_TYPES`, whichever is the primary
 * one, so that a run that was stopped has only those behind its place to go.
 */
export async function compareObjects(job: SyncJob): Promise<void> {
  const { deps, run } = job;
  const reached = placeOf(run.position);
  const step = stepsOf(job);
  for (const type of STORAGE_TYPES) {
    const store = deps.objects.all.find((candidate) => candidate.type === type);
    if (!store || (reached && STORAGE_TYPES.indexOf(type) < STORAGE_TYPES.indexOf(reached.storageType))) continue;
    for await (const object of store.list(reached?.storageType === type ? { startAfter: reached.key } : {})) {
      await job.pace();
      await compareObject(job, store, object);
      run.position = `${type}/${object.key}`;
      await step();
    }
  }
  Object.assign(run, { phase: "done", position: null });
}

/** Null before the first object, and for a position that names no store. */
function placeOf(position: string | null): ObjectPlace | null {
  const storageType = STORAGE_TYPES.find((type) => position?.startsWith(`${type}/`));
  return position && storageType ? { storageType, key: position.slice(storageType.length + 1) } : null;
}

async function compareObject(job: SyncJob, store: KeptObjects, { key, lastModified }: ObjectListing): Promise<void> {
  const { deps, patience, run, isDry } = job;
  const { sync } = deps.database;
  const object = { key, storageType: store.type };
  const now = deps.clock.now();
  run.checked++;
  if (lastModified > before(now, patience.graceMinutes)) return;
  const known = await sync.find("orphan", object);
  const state = (await isClaimed(deps.database, object)) ? "claimed" : await stateOf(job, store, key);
  if (state === "unknown") run.unknown++;
  if (state === "unknown") return;
  if (state === "orphaned") {
    run.orphaned++;
    await suspect(job, object, known);
  } else if (known && !isDry) await sync.clear("orphan", object);
}

/** A row names it there, a direct upload may still bring or use it, or its removal is under way. */
const isClaimed = async ({ media, directUploads, deletions }: Stores, object: ObjectPlace): Promise<boolean> =>
  (await media.namesKey(object.key, object.storageType)) ||
  (isIncomingKey(object.key) && (await directUploads.holds(object))) ||
  deletions.holds(object);

/** The listing may be older than what was removed since. Keys of others are not asked about: a store may refuse them. */
async function stateOf(job: SyncJob, store: KeptObjects, key: string): Promise<"orphaned" | "gone" | "unknown"> {
  if (!isOwnKey(key)) return "orphaned";
  await job.pace();
  const { state } = await store.head(key);
  if (state === "exists") return "orphaned";
  return state === "missing" ? "gone" : "unknown";
}

/** Seen again long enough after it was first seen, it is an orphan; from then on its quarantine lasts. */
async function suspect(
  { deps, patience, actions, isDry }: SyncJob,
  object: ObjectPlace,
  known: StorageFinding | null,
): Promise<void> {
  const { sync } = deps.database;
  const now = deps.clock.now();
  const finding = isDry ? known : await sync.sight({ kind: "orphan", ...object, mediaId: null }, now);
  if (!finding || finding.confirmedAt || finding.firstSeenAt > before(now, patience.confirmMinutes)) return;
  if (isOwnKey(object.key)) actions.quarantined.push(object.key);
  if (isDry) return;
  await sync.confirm(finding.id, now);
  const fields = { key: object.key, store: object.storageType };
  if (isOwnKey(object.key)) deps.log.warn(fields, "an object that no row names is quarantined");
  else deps.log.warn(fields, "an object that this system did not write is left alone");
}

const BATCH = 1000;

/** Orphans whose quarantine is over go through the outbox. Not in a store that is not set up. */
export async function removeQuarantined(job: SyncJob): Promise<void> {
  const { deps, patience } = job;
  const step = stepsOf(job);
  const confirmedBefore = before(deps.clock.now(), patience.quarantineDays * 24 * 60);
  for (;;) {
    const findings = await deps.database.sync.findings({ kind: "orphan", confirmedBefore, limit: BATCH });
    let settled = 0;
    for (const finding of findings) {
      if (await settleQuarantined(job, finding)) settled++;
      await step();
    }
    if (findings.length < BATCH || settled === 0) return;
  }
}

/** Answers whether the finding is settled and gone. */
async function settleQuarantined(job: SyncJob, { key, storageType }: StorageFinding): Promise<boolean> {
  const { deps, actions, isDry } = job;
  const object = { key, storageType };
  const store = deps.objects.all.find((candidate) => candidate.type === storageType);
  const state = store ? await stateOf(job, store, key) : "unknown";
  if (state === "unknown") return false;
  const isDue = state === "orphaned" && isOwnKey(key);
  if (isDry) {
    if (isDue && !(await isClaimed(deps.database, object))) actions.removed.push(key);
    return false;
  }
  if (isDue) {
    if (await removeOrphan(deps, object)) actions.removed.push(key);
  }
  // What is not ours may be gone by now: where it is still there it is found again.
  else await deps.database.sync.clear("orphan", object);
  return true;
}

/** After a last look at the row, held from then on, in the transaction that promises the removal. */
async function removeOrphan({ database, clock, log, metrics }: ReconcileDeps, object: ObjectPlace): Promise<boolean> {
  const { key, storageType } = object;
  const isGoing = await database.transact(async (stores) => {
    const isKept = await isClaimed(stores, object);
    await stores.sync.clear("orphan", object);
    if (!isKept) await stores.deletions.add([object], clock.now());
    return !isKept;
  });
  if (!isGoing) return false;
  metrics.retired("orphan", 1);
  log.info({ key, store: storageType }, "removed an object that no row names");
  return true;
}
