import type { StorageFinding, StoredKeys, SyncRun } from "./lifecycle-ports.js";
import type { SyncPatience } from "./limits.js";
import type { Deps, ObjectListing, Presence } from "./ports.js";

export type ReconcileDeps = Pick<Deps, "database" | "objects" | "clock" | "log">;

/** What a run did, or in a dry run would do. Keys and ids, in the order they were found. */
export type SyncActions = {
  marked: number[];
  unmarked: number[];
  quarantined: string[];
  removed: string[];
};

const PAGE = 200;
const MINUTE_MS = 60_000;

export type ReconcileOptions = {
  isDry: boolean;
  /** Ends the run at the next page, with its place kept; it then rejects with the signal's reason. */
  signal?: AbortSignal;
};

type Job = { deps: ReconcileDeps; patience: SyncPatience; run: SyncRun; actions: SyncActions } & ReconcileOptions;

/**
 * Compares rows with objects, both ways. Goes on where a stopped run left off. Nothing is concluded from an object the
 * store did not answer about. A dry run looks at all of it, says what a real one would do now, and changes nothing.
 */
export async function reconcile(
  deps: ReconcileDeps,
  patience: SyncPatience,
  options: ReconcileOptions,
): Promise<{ run: SyncRun; actions: SyncActions }> {
  const { isDry } = options;
  const run = isDry ? freshRun(deps.clock.now()) : await deps.database.sync.resume(deps.clock.now());
  const actions: SyncActions = { marked: [], unmarked: [], quarantined: [], removed: [] };
  const job: Job = { deps, patience, run, actions, ...options };
  if (run.phase === "rows") await compareRows(job);
  if (run.phase === "objects") await compareObjects(job);
  await removeQuarantined(job);
  run.finishedAt = deps.clock.now();
  await save(job);
  deps.log.info({ ...run, dry: isDry }, "compared rows and objects");
  return { run, actions: job.actions };
}

const freshRun = (now: Date): SyncRun => ({
  id: 0,
  startedAt: now,
  finishedAt: null,
  phase: "rows",
  position: null,
  checked: 0,
  missing: 0,
  orphaned: 0,
  unknown: 0,
});

/** Keeps the place of the run. Here it ends where it was told to stop. */
async function save({ deps, run, isDry, signal }: Job): Promise<void> {
  if (!isDry) await deps.database.sync.save(run);
  signal?.throwIfAborted();
}

// ── rows without objects ─────────────────────────────────────────────────────────────────────────────────────────

async function compareRows(job: Job): Promise<void> {
  const { deps, run } = job;
  for (;;) {
    const page = await deps.database.media.storedKeys({ afterId: Number(run.position ?? 0), limit: PAGE });
    for (const item of page) await compareRow(job, item);
    const last = page.at(-1);
    if (last) run.position = String(last.id);
    if (page.length < PAGE) break;
    await save(job);
  }
  Object.assign(run, { phase: "objects", position: null });
  await save(job);
}

async function compareRow(job: Job, item: StoredKeys): Promise<void> {
  const { deps, run } = job;
  const presences = await Promise.all(item.keys.map(async (key) => ({ key, presence: await deps.objects.head(key) })));
  run.checked += presences.length;
  run.unknown += presences.filter(({ presence }) => presence.state === "unknown").length;
  let isLost = false;
  for (const { key, presence } of presences) if (await judgeKey(job, item, { key, presence })) isLost = true;
  if (isLost) run.missing++;
  const isWhole = presences.every(({ presence }) => presence.state === "exists");
  if (isLost && !item.missingSince) await mark(job, item, deps.clock.now());
  if (isWhole && item.missingSince) await mark(job, item, null);
}

/** Whether the object is surely gone: missing now, and missing long enough before. */
async function judgeKey(
  { deps, patience, isDry }: Job,
  item: StoredKeys,
  { key, presence }: { key: string; presence: Presence },
): Promise<boolean> {
  const { sync } = deps.database;
  if (presence.state === "unknown") return false;
  const known = await sync.find("missing", key);
  if (presence.state === "exists") {
    if (known && !isDry) await sync.clear("missing", key);
    return false;
  }
  const now = deps.clock.now();
  const finding = isDry ? known : await sightMissing(deps, item, { key, now });
  if (!finding || finding.firstSeenAt > before(now, patience.confirmMinutes)) return false;
  if (!isDry && !finding.confirmedAt) await sync.confirm(finding.id, now);
  return true;
}

/** Null where the item went for good after its page was read: its bytes are rightly gone. */
function sightMissing(
  { database }: ReconcileDeps,
  { id, storageType }: StoredKeys,
  { key, now }: { key: string; now: Date },
) {
  return database.transact(async ({ media, sync }) =>
    (await media.namesKey(key)) ? sync.sight({ kind: "missing", storageType, key, mediaId: id }, now) : null,
  );
}

const before = (now: Date, minutes: number): Date => new Date(now.getTime() - minutes * MINUTE_MS);

async function mark({ deps, actions, isDry }: Job, item: StoredKeys, since: Date | null): Promise<void> {
  (since ? actions.marked : actions.unmarked).push(item.id);
  if (isDry) return;
  await deps.database.media.markMissing(item.id, since);
  deps.log.warn(
    { media: item.id, since },
    since ? "an item's bytes are gone from the store" : "an item's bytes are back",
  );
}

// ── objects without rows ─────────────────────────────────────────────────────────────────────────────────────────

async function compareObjects(job: Job): Promise<void> {
  const { deps, run } = job;
  let looked = 0;
  for await (const object of deps.objects.list(run.position === null ? {} : { startAfter: run.position })) {
    await compareObject(job, object);
    run.position = object.key;
    if (++looked % PAGE === 0) await save(job);
  }
  Object.assign(run, { phase: "done", position: null });
}

async function compareObject(job: Job, { key, lastModified }: ObjectListing): Promise<void> {
  const { deps, patience, run, actions, isDry } = job;
  const { sync } = deps.database;
  const now = deps.clock.now();
  run.checked++;
  if (lastModified > before(now, patience.graceMinutes)) return;
  const known = await sync.find("orphan", key);
  if (await isClaimed(deps, key)) {
    if (known && !isDry) await sync.clear("orphan", key);
    return;
  }
  run.orphaned++;
  const sighting = { kind: "orphan", storageType: deps.objects.type, key, mediaId: null } as const;
  const finding = isDry ? known : await sync.sight(sighting, now);
  if (!finding || finding.confirmedAt || finding.firstSeenAt > before(now, patience.confirmMinutes)) return;
  actions.quarantined.push(key);
  if (!isDry) await sync.confirm(finding.id, now);
}

/** A row names it, or its removal is under way. */
const isClaimed = async ({ database }: ReconcileDeps, key: string): Promise<boolean> =>
  (await database.media.namesKey(key)) || database.deletions.holds(key);

/** Orphans whose quarantine is over go through the outbox, after a last look in the transaction that puts them there. */
async function removeQuarantined({ deps, patience, actions, isDry }: Job): Promise<void> {
  const now = deps.clock.now();
  const confirmedBefore = before(now, patience.quarantineDays * 24 * 60);
  const findings = await deps.database.sync.findings({ kind: "orphan", confirmedBefore, limit: 1000 });
  for (const finding of findings) {
    const isGoing = isDry ? !(await deps.database.media.namesKey(finding.key)) : await removeOrphan(deps, finding, now);
    if (isGoing) actions.removed.push(finding.key);
  }
}

async function removeOrphan(
  { database }: ReconcileDeps,
  { key, storageType }: StorageFinding,
  now: Date,
): Promise<boolean> {
  return database.transact(async (stores) => {
    await stores.sync.clear("orphan", key);
    if (await stores.media.namesKey(key)) return false;
    await stores.deletions.add([{ key, storageType }], now);
    return true;
  });
}
