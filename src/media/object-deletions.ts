import type { Deletion } from "./lifecycle-ports.js";
import { type KeptObjects, type ServiceDeps, StorageUnavailableError } from "./ports.js";
import { settleAll } from "./settle-all.js";

const BATCH = 100;
const FIRST_RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 60 * 60_000;

/** Doubling from five seconds to an hour. */
const retryDelayMs = (attempts: number): number => Math.min(FIRST_RETRY_MS * 2 ** attempts, LONGEST_RETRY_MS);

export type OutboxDeps = Pick<ServiceDeps, "database" | "objects" | "clock" | "log">;

/**
 * Works off the outbox: removes exactly the objects it names, each store's for itself. What cannot be removed now is
 * tried again later. Answers how many objects went.
 */
export async function removeDueObjects(deps: OutboxDeps): Promise<number> {
  const removed = await settleAll(deps.objects.all.map((store) => removeDueFrom(deps, store)));
  return removed.reduce((sum, count) => sum + count, 0);
}

async function removeDueFrom(deps: OutboxDeps, store: KeptObjects): Promise<number> {
  let removed = 0;
  for (;;) {
    const now = deps.clock.now();
    const due = await deps.database.deletions.due({ storageType: store.type, now, limit: BATCH });
    const batch = await removeBatch(deps, store, due);
    removed += batch.removed;
    if (due.length < BATCH || batch.isOutage) return removed;
  }
}

/** An outage ends the work on its store: who waits for it, a request perhaps, would wait for one failure after another. */
async function removeBatch(deps: OutboxDeps, store: KeptObjects, due: readonly Deletion[]) {
  const { deletions } = deps.database;
  const unnamed = await dropNamed(deps, due);
  if (unnamed.length === 0) return { removed: 0, isOutage: false };
  const failed = await store.deleteMany(unnamed.map(({ key }) => key));
  const errors = new Map(failed.map(({ key, error }) => [key, error]));
  await deletions.done(unnamed.filter(({ key }) => !errors.has(key)).map(({ id }) => id));
  for (const deletion of unnamed)
    if (errors.has(deletion.key)) await postpone(deps, deletion, errors.get(deletion.key));
  const isOutage =
    errors.size === unnamed.length && failed.every(({ error }) => error instanceof StorageUnavailableError);
  return { removed: unnamed.filter(({ key }) => !errors.has(key)).length, isOutage };
}

/** No entry should name what a row says is there. Where one does, the bytes are worth more than the entry. */
async function dropNamed({ database, log }: OutboxDeps, due: readonly Deletion[]): Promise<Deletion[]> {
  const unnamed: Deletion[] = [];
  for (const deletion of due) {
    const { id, key, storageType } = deletion;
    if (!(await database.media.namesKey(key, storageType))) {
      unnamed.push(deletion);
      continue;
    }
    log.error({ key, store: storageType }, "an object that was to be removed belongs to an item; it is kept");
    await database.deletions.done([id]);
  }
  return unnamed;
}

async function postpone({ database, clock, log }: OutboxDeps, deletion: Deletion, error: unknown): Promise<void> {
  const { id, key, storageType: store, attempts } = deletion;
  await database.deletions.postpone(id, new Date(clock.now().getTime() + retryDelayMs(attempts)));
  log.warn({ err: error, key, store, attempts: attempts + 1 }, "an object could not be removed yet");
}
