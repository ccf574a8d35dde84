import type { DirectUpload } from "./direct-ports.js";
import type { Deps } from "./ports.js";

const BATCH = 100;

/** A put that began right before its address ended may take as long. */
const LATE_MS = 60 * 60_000;
/** How long it is remembered what became of a ticket. */
const REMEMBERED_MS = 24 * 60 * 60_000;

type SweepDeps = Pick<Deps, "database" | "clock" | "log" | "metrics">;

/**
 * Ends tickets nobody completed, once nothing can arrive at their addresses any more, and promises the removal of every
 * ticket's object to the outbox: also of those that ended before, since an address is good until its time is over,
 * whatever became of what was put there first. What arrives even later is an orphan like any other. Answers how many
 * tickets were never completed.
 */
export async function sweepDirectUploads(deps: SweepDeps): Promise<number> {
  const now = deps.clock.now().getTime();
  const { directUploads } = deps.database;
  let ended = 0;
  for (;;) {
    const query = { expiredBefore: new Date(now - LATE_MS), limit: BATCH };
    const over = await directUploads.uncleared(query);
    for (const ticket of over) if (await clear(deps, ticket)) ended++;
    if (over.length < BATCH) break;
  }
  await directUploads.forget(new Date(now - REMEMBERED_MS));
  return ended;
}

/** Answers whether the ticket was still open. */
async function clear({ database, clock, log, metrics }: SweepDeps, ticket: DirectUpload): Promise<boolean> {
  const { id, objectKey: key, storageType } = ticket;
  const reason = "The direct upload was not completed in time.";
  const wasOpen = await database.transact(async ({ directUploads, deletions }) => {
    const hasEnded = await directUploads.fail(id, { code: "CONFLICT", reason });
    await deletions.add([{ key, storageType }], clock.now());
    await directUploads.clear(id);
    return hasEnded;
  });
  if (!wasOpen) return false;
  metrics.retired("direct_upload", 1);
  log.info({ upload: id, store: storageType }, "ended a direct upload nobody completed");
  return true;
}
