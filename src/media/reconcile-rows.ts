import type { StoredItem } from "./lifecycle-ports.js";
import { dropLostRendition } from "./lost-rendition.js";
import type { Presence, Stores } from "./ports.js";
import { before, keepPlace, type SyncJob, stepsOf } from "./sync-job.js";

const PAGE = 200;

/** Rows without objects: asks the store of each row about every object that the row names. */
export async function compareRows(job: SyncJob): Promise<void> {
  const { deps, run } = job;
  const step = stepsOf(job);
  for (;;) {
    const page = await deps.database.media.storedItems({ afterId: Number(run.position ?? 0), limit: PAGE });
    const renditions = await deps.database.renditions.madeOf(page.map(({ id }) => id));
    for (const item of page) {
      await compareRow(job, item);
      for (const { mediaId, key } of renditions) if (mediaId === item.id) await compareRendition(job, item, key);
      run.position = String(item.id);
      await step();
    }
    if (page.length < PAGE) break;
  }
  Object.assign(run, { phase: "objects", position: null });
  await keepPlace(job);
}

async function compareRow(job: SyncJob, item: StoredItem): Promise<void> {
  const { deps, run, isDry } = job;
  const { storageType } = item;
  await job.pace(item.objects.length);
  const store = deps.objects.of(storageType);
  const seen = await Promise.all(item.objects.map(async ({ key }) => ({ key, presence: await store.head(key) })));
  const keysThatAre = (state: Presence["state"]) =>
    seen.filter(({ presence }) => presence.state === state).map(({ key }) => key);
  run.checked += seen.length;
  run.unknown += keysThatAre("unknown").length;
  const [there, missing] = [keysThatAre("exists"), keysThatAre("missing")];
  if (!isDry) for (const key of there) await deps.database.sync.clear("missing", { key, storageType });
  if (missing.length > 0) await judgeLoss(job, item, missing);
  if (there.length === seen.length && item.missingSince) await unmark(job, item);
}

/** What was made on demand hurts nobody where it is gone: it is forgotten at once, and made again. */
async function compareRendition(job: SyncJob, { publicId, storageType }: StoredItem, key: string): Promise<void> {
  const { deps, run, isDry } = job;
  await job.pace();
  const { state } = await deps.objects.of(storageType).head(key);
  run.checked++;
  if (state === "unknown") run.unknown++;
  if (state !== "missing" || isDry) return;
  await dropLostRendition(deps, key);
  deps.log.info({ media: publicId, store: storageType, key }, "forgot a rendition whose bytes are gone");
}

/** The item is surely hurt where an object is missing now and was missing long enough before. */
async function judgeLoss(job: SyncJob, item: StoredItem, missing: readonly string[]): Promise<void> {
  const { deps, run, actions, isDry } = job;
  const isLost = isDry ? await wasLost(job, item, missing) : await noteLoss(job, item, missing);
  if (!isLost) return;
  run.missing++;
  if (item.missingSince) return;
  actions.marked.push(item.id);
  if (!isDry) deps.log.warn({ media: item.publicId, store: item.storageType }, "an item's bytes are gone");
}

async function wasLost(
  { deps: { database, clock }, patience }: SyncJob,
  { storageType }: StoredItem,
  missing: readonly string[],
): Promise<boolean> {
  const confirmed = before(clock.now(), patience.confirmMinutes);
  for (const key of missing) {
    const known = await database.sync.find("missing", { key, storageType });
    if (known && known.firstSeenAt <= confirmed) return true;
  }
  return false;
}

/**
 * Notes what is missing and marks the item, after one more look at its row, held from then on: where the item went or
 * moved to another store after its page was read, its objects are rightly gone. Answers whether a loss is confirmed.
 */
function noteLoss(job: SyncJob, item: StoredItem, missing: readonly string[]): Promise<boolean> {
  return job.deps.database.transact(async (stores) => {
    for (const key of missing) if (!(await stores.media.namesKey(key, item.storageType))) return false;
    let isLost = false;
    for (const key of missing) if (await noteMissing(job, stores, { item, key })) isLost = true;
    if (isLost && !item.missingSince) await stores.media.markMissing(item.id, job.deps.clock.now());
    return isLost;
  });
}

/** Whether it was missing long enough before, too. */
async function noteMissing(
  { deps, patience }: SyncJob,
  { sync }: Stores,
  { item, key }: { item: StoredItem; key: string },
): Promise<boolean> {
  const now = deps.clock.now();
  const sighting = { kind: "missing", storageType: item.storageType, key, mediaId: item.id } as const;
  const finding = await sync.sight(sighting, now);
  if (finding.firstSeenAt > before(now, patience.confirmMinutes)) return false;
  if (!finding.confirmedAt) await sync.confirm(finding.id, now);
  return true;
}

async function unmark({ deps, actions, isDry }: SyncJob, { id, publicId, storageType }: StoredItem): Promise<void> {
  actions.unmarked.push(id);
  if (isDry) return;
  await deps.database.media.markMissing(id, null);
  deps.log.warn({ media: publicId, store: storageType }, "an item's bytes are back");
}
