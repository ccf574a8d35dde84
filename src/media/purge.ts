import { IDEMPOTENCY_HOURS } from "./idempotency.js";
import type { Retention } from "./limits.js";
import type { Media } from "./model.js";
import { removeDueObjects } from "./object-deletions.js";
import type { Deps } from "./ports.js";
import { removeRow } from "./remove.js";

const BATCH = 100;
const DAY_MS = 86_400_000;

type PurgeDeps = Pick<Deps, "database" | "objects" | "clock" | "log" | "metrics">;

/**
 * Removes for good what outlived its time: trash, imports nobody approved, remembered idempotency keys; then works off
 * the outbox. Answers how many items went. Each item is looked at again in the transaction that removes it.
 */
export async function purgeExpired(deps: PurgeDeps, retention: Retention): Promise<number> {
  const now = deps.clock.now().getTime();
  const limits = {
    trashedBefore: new Date(now - retention.trashDays * DAY_MS),
    importedBefore: new Date(now - retention.importDays * DAY_MS),
  };
  await expireKeys(deps, new Date(now - IDEMPOTENCY_HOURS * 3_600_000));
  let purged = 0;
  for (;;) {
    const expired = await deps.database.media.purgeable({ ...limits, limit: BATCH });
    for (const item of expired) if (await purgeItem(deps, item, limits)) purged++;
    if (expired.length < BATCH) break;
  }
  await removeDueObjects(deps);
  return purged;
}

type Limits = { trashedBefore: Date; importedBefore: Date };

async function purgeItem(
  { database, clock, log, metrics }: PurgeDeps,
  { id }: Media,
  limits: Limits,
): Promise<boolean> {
  const purged = await database.transact(async (stores) => {
    const before = await stores.media.find(id);
    if (!before) return null;
    await stores.entities.lock({ type: before.entityType, id: before.entityId });
    const media = await stores.media.find(id);
    const reason = media ? reasonToGo(media, limits) : null;
    if (!media || !reason || !(await removeRow(stores, media, clock.now()))) return null;
    return { media: media.publicId, reason, trashed: media.deletedAt };
  });
  if (!purged) return false;
  metrics.retired(purged.reason, 1);
  log.info(purged, "purged an item that outlived its time");
  return true;
}

/** The same rule as `purgeable`: what it names and this refuses would be asked for again without end. */
function reasonToGo(media: Media, { trashedBefore, importedBefore }: Limits): "trash" | "import" | null {
  if (media.deletedAt && media.deletedAt < trashedBefore) return "trash";
  const isUnapproved = media.sourceUrl !== null && media.moderationStatus !== "approved";
  return isUnapproved && media.createdAt < importedBefore ? "import" : null;
}

async function expireKeys({ database, log, metrics }: PurgeDeps, before: Date): Promise<void> {
  const expired = await database.idempotency.expire(before);
  if (expired === 0) return;
  metrics.retired("idempotency_key", expired);
  log.info({ expired }, "forgot expired idempotency keys");
}
