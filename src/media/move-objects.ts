import { createItemWalk, type WalkOptions } from "./item-walk.js";
import type { StoredItem } from "./lifecycle-ports.js";
import type { StorageType } from "./model.js";
import { type ItemMove, type MoveDeps, moveItem } from "./move-item.js";
import { removeDueObjects } from "./object-deletions.js";
import { PROBE_KEY } from "./object-key.js";
import { runAlone } from "./run-alone.js";

/** What a walk over a store came to. Items, but for `objects` and `bytes`, which count what was moved. */
export type ItemsMoved = {
  moved: number;
  gone: number;
  failed: { publicId: string; reason: string }[];
  objects: number;
  bytes: number;
  /** False where it ended early: it was told to stop, or a store did not answer about one item after another. */
  isComplete: boolean;
};

export type MoveOptions = WalkOptions & {
  from: StorageType;
  to: StorageType;
  /** Told how many items are done, in whatever way, after each. */
  onProgress?: (done: number) => void;
};

const PAGE = 100;

/**
 * Moves every item of one store to another, the oldest first, and removes the old objects. Needs no memory to go on
 * after a stop: what is moved is no longer in `from`. Items that cannot be moved are skipped and reported.
 */
export async function moveItems(deps: MoveDeps, options: MoveOptions): Promise<ItemsMoved> {
  const { from, to, onProgress } = options;
  const total: ItemsMoved = { moved: 0, gone: 0, failed: [], objects: 0, bytes: 0, isComplete: true };
  const walk = createItemWalk(deps, options, async (item: StoredItem) => {
    const move = await moveItem(deps, item, to);
    count(total, item, move);
    if (move.outcome === "failed") report(deps, item, move);
    onProgress?.(total.moved + total.gone + total.failed.length);
    return { isOutage: move.outcome === "failed" && move.isOutage };
  });
  for (let afterId = 0; ; ) {
    const page = await deps.database.media.storedItems({ afterId, limit: PAGE, storageType: from });
    await walk.over(page);
    await removeDueObjects(deps);
    const last = page.at(-1);
    if (walk.isOver() || !last || page.length < PAGE) break;
    afterId = last.id;
  }
  total.isComplete = !walk.isOver();
  const { failed, ...counts } = total;
  deps.log.info({ ...counts, failed: failed.length, from, to }, "moved objects to another store");
  return total;
}

function count(total: ItemsMoved, { publicId, objects }: StoredItem, move: ItemMove): void {
  if (move.outcome === "failed") total.failed.push({ publicId, reason: move.reason });
  else total[move.outcome]++;
  if (move.outcome !== "moved") return;
  total.objects += objects.length;
  total.bytes += objects.reduce((sum, object) => sum + object.fileSize, 0);
}

function report({ log }: MoveDeps, { publicId }: StoredItem, { reason, cause }: ItemMove & { outcome: "failed" }) {
  log.warn({ media: publicId, reason, err: cause }, "an item could not be moved to another store");
}

const PROMOTIONS_AT_ONCE = 2;

/**
 * Moves what the fallback store holds to the primary one, where that answers again. Null where there is nothing to do,
 * the primary store does not answer, or another process is at it.
 */
export async function promoteFallback(deps: MoveDeps, signal?: AbortSignal): Promise<ItemsMoved | null> {
  const { primary, fallback } = deps.objects;
  if (!fallback || (await deps.database.media.countStored(fallback.type)) === 0) return null;
  if ((await primary.head(PROBE_KEY)).state === "unknown") return null;
  const options = { from: fallback.type, to: primary.type, concurrency: PROMOTIONS_AT_ONCE };
  return runAlone(deps, "promote", () => moveItems(deps, { ...options, ...(signal && { signal }) }));
}
