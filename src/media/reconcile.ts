import { NOTHING_COMPARED, type SyncRun } from "./lifecycle-ports.js";
import type { SyncPatience } from "./limits.js";
import { createPace } from "./pace.js";
import { compareObjects, removeQuarantined } from "./reconcile-objects.js";
import { compareRows } from "./reconcile-rows.js";
import { runAlone } from "./run-alone.js";
import { keepPlace, type ReconcileDeps, type ReconcileOptions, type SyncActions, type SyncJob } from "./sync-job.js";

export type Reconciled = { run: SyncRun; actions: SyncActions };

/**
 * Compares rows with objects, both ways. Goes on where a stopped run left off. Nothing is concluded from an object the
 * store did not answer about. A dry run looks at all of it, says what a real one would do now, and changes nothing.
 * Null where another run is under way, here or in another process: two would share one place.
 */
export async function reconcile(
  deps: ReconcileDeps,
  patience: SyncPatience,
  options: ReconcileOptions,
): Promise<Reconciled | null> {
  const compare = () => compareAll(deps, patience, options);
  return options.isDry ? compare() : runAlone(deps, "reconcile", compare);
}

async function compareAll(deps: ReconcileDeps, patience: SyncPatience, options: ReconcileOptions): Promise<Reconciled> {
  const { isDry } = options;
  const run = isDry ? freshRun(deps.clock.now()) : await deps.database.sync.resume(deps.clock.now());
  const actions: SyncActions = { marked: [], unmarked: [], quarantined: [], removed: [] };
  const pace = createPace(deps, patience.objectsPerSecond);
  const job: SyncJob = { deps, patience, pace, run, actions, ...options };
  if (run.phase === "rows") await compareRows(job);
  if (run.phase === "objects") await compareObjects(job);
  await removeQuarantined(job);
  run.finishedAt = deps.clock.now();
  await keepPlace(job);
  if (!isDry) deps.metrics.storageCompared(run.finishedAt);
  deps.log.info({ ...run, dry: isDry }, "compared rows and objects");
  return { run, actions };
}

const freshRun = (now: Date): SyncRun => ({ id: 0, startedAt: now, ...NOTHING_COMPARED });
