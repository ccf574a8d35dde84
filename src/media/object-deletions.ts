import type { Deletion } from "./lifecycle-ports.js";
import type { Deps } from "./ports.js";

const BATCH = 100;
const FIRST_RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 60 * 60_000;

/** Doubling from five seconds to an hour. */
const retryDelayMs = (attempts: number): number => Math.min(FIRST_RETRY_MS * 2 ** attempts, LONGEST_RETRY_MS);

/**
 * Works off the outbox: removes exactly the objects it names. What cannot be removed now is tried again later. Answers
 * how many objects went.
 */
export async function removeDueObjects(deps: Pick<Deps, "database" | "objects" | "clock" | "log">): Promise<number> {
  let removed = 0;
  for (;;) {
    const due = await deps.database.deletions.due(deps.clock.now(), BATCH);
    for (const deletion of due) if (await removeObject(deps, deletion)) removed++;
    if (due.length < BATCH) return removed;
  }
}

async function removeObject(
  { database, objects, clock, log }: Parameters<typeof removeDueObjects>[0],
  deletion: Deletion,
): Promise<boolean> {
  try {
    await objects.delete(deletion.key);
  } catch (error) {
    const runAfter = new Date(clock.now().getTime() + retryDelayMs(deletion.attempts));
    await database.deletions.postpone(deletion.id, runAfter);
    log.warn({ err: error, key: deletion.key, attempts: deletion.attempts + 1 }, "an object could not be removed yet");
    return false;
  }
  await database.deletions.done(deletion.id);
  return true;
}
