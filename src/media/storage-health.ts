import { requireAdministrator, requireOverseer } from "./access.js";
import type { Actor } from "./actor.js";
import { MediaError } from "./errors.js";
import { removeDueObjects } from "./object-deletions.js";
import type { ServiceDeps } from "./ports.js";
import { reconcile } from "./reconcile.js";
import type { ReconcileDeps, SyncActions } from "./sync-job.js";

/** Confirmed losses beyond this share of all objects are not wear but a disaster. */
const CRITICAL_SHARE = 0.01;

export type StorageSync = {
  status: "healthy" | "degraded" | "critical";
  /** All items and bytes the rows speak of, the trash included. */
  totals: { items: number; bytes: number };
  /** Objects the last run asked about, both ways, and how many of them the store did not answer about. */
  checked: number;
  unknown: number;
  /** Confirmed and standing now: objects that rows name and the store lost, and objects no row names. */
  missing: number;
  orphaned: number;
  /** Objects that wait for their removal. */
  pendingDeletions: number;
  /** End of the last whole run, ISO 8601; null before the first. */
  lastRunAt: string | null;
};

/** How rows and objects stood when they were last compared; answers at once, from the last run and running counters. */
export async function storageSync(deps: Pick<ReconcileDeps, "database">, actor: Actor): Promise<StorageSync> {
  requireOverseer(actor);
  const { sync, usage, deletions } = deps.database;
  const [run, counts, rows, pendingDeletions] = await Promise.all([
    sync.lastFinished(),
    sync.counts(),
    usage.usage({}),
    deletions.size(),
  ]);
  const totals = {
    items: rows.reduce((sum, row) => sum + row.items, 0),
    bytes: rows.reduce((sum, row) => sum + row.originalBytes + row.variantBytes, 0),
  };
  const { checked = 0, unknown = 0, finishedAt = null } = run ?? {};
  return {
    status: judge({ ...counts, unknown, objects: rows.reduce((sum, row) => sum + row.items + row.variants, 0) }),
    totals,
    checked,
    unknown,
    ...counts,
    pendingDeletions,
    lastRunAt: finishedAt?.toISOString() ?? null,
  };
}

function judge(found: { missing: number; orphaned: number; unknown: number; objects: number }): StorageSync["status"] {
  if (found.missing > 0 && found.missing >= found.objects * CRITICAL_SHARE) return "critical";
  return found.missing + found.orphaned + found.unknown > 0 ? "degraded" : "healthy";
}

/**
 * Compares rows and objects now. Dry by default: says what it would do. Administrators only. Throws CONFLICT while a
 * run is under way.
 */
export async function repairStorage(
  deps: ReconcileDeps & Pick<ServiceDeps, "syncPatience">,
  actor: Actor,
  { isDry }: { isDry: boolean },
): Promise<SyncActions & { isDry: boolean; checked: number }> {
  requireAdministrator(actor, "repair");
  const reconciled = await reconcile(deps, deps.syncPatience, { isDry });
  if (!reconciled)
    throw new MediaError({ code: "CONFLICT", reason: "Rows and objects are being compared; try again after that." });
  const { run, actions } = reconciled;
  if (!isDry) await removeDueObjects(deps);
  return { isDry, checked: run.checked, ...actions };
}
