import { copyObject } from "./copy-object.js";
import type { StoredItem } from "./lifecycle-ports.js";
import type { StorageType } from "./model.js";
import { type Deps, type ObjectStorage, StorageUnavailableError, type Stores } from "./ports.js";

export type MoveDeps = Pick<Deps, "database" | "objects" | "spool" | "clock" | "log">;

export type ItemMove =
  | { outcome: "moved" }
  /** It was removed for good, or moved by somebody else, meanwhile. */
  | { outcome: "gone" }
  /** The item is where it was. `isOutage`: because a store did not answer. */
  | { outcome: "failed"; reason: string; isOutage: boolean; cause?: unknown };

const failed = (reason: string): ItemMove => ({ outcome: "failed", reason, isOutage: false });

/**
 * Moves an item's objects to another store. Order of effects: verified copies; then, in one transaction, the row
 * changes stores and the old objects are promised to the outbox. A crash before leaves copies that the next attempt
 * takes; after, objects that the outbox removes. Of several movers at most one switches the row, and no one promises
 * the removal of what a row names. Rejects only where the database does.
 */
export async function moveItem(deps: MoveDeps, item: StoredItem, to: StorageType): Promise<ItemMove> {
  const { objects, storageType: from, isPublic } = item;
  const stores = { from: deps.objects.of(from), to: deps.objects.of(to) };
  try {
    for (const object of objects) await copyObject(deps, object, { ...stores, isPublic });
  } catch (cause) {
    return (await isStillIn(deps.database, item)) ? explain(cause) : giveUpCopies(deps, item, to);
  }
  const move = await deps.database.transact((inner) => switchOver(deps, inner, { item, to: stores.to }));
  return move.outcome === "gone" ? giveUpCopies(deps, item, to) : move;
}

const explain = (cause: unknown): ItemMove => ({
  outcome: "failed",
  reason: cause instanceof Error ? cause.message : String(cause),
  isOutage: cause instanceof StorageUnavailableError,
  cause,
});

/** Inside `transact` the row is held from this look on: it can't be removed or moved until the end. */
const isStillIn = ({ media }: Pick<Stores, "media">, { objects, storageType }: StoredItem): Promise<boolean> =>
  media.namesKey(objects[0]?.key ?? "", storageType);

/**
 * The row is held before anything else is looked at. From then on nobody can promise the removal of the copies, since
 * whoever does looks at the row first; so copies that no entry of the outbox names, and that are there after that look,
 * stay. Asking the store while the row is held is the price.
 */
async function switchOver(
  { clock }: MoveDeps,
  stores: Stores,
  { item, to }: { item: StoredItem; to: ObjectStorage },
): Promise<ItemMove> {
  const { media, renditions, deletions } = stores;
  if (!(await isStillIn(stores, item))) return { outcome: "gone" };
  if (!(await hasSameObjects(stores, item))) return failed("Its objects changed while they were copied.");
  for (const { key } of item.objects)
    if (await deletions.holds({ key, storageType: to.type })) return failed(`${key} is being removed from ${to.type}.`);
  const missing = await findMissing(to, item);
  if (missing) return missing;
  const move = { from: item.storageType, to: to.type, bucketName: to.bucketName };
  if (!(await media.switchStorage(item.id, move))) throw new Error("A row changed stores while it was held.");
  await settleFindings(stores, item, to.type);
  // What was made on demand stays behind, and is made again where somebody asks for it.
  const left = [...item.objects.map(({ key }) => key), ...(await renditions.takeAway(item.id))];
  await deletions.add(
    left.map((key) => ({ key, storageType: item.storageType })),
    clock.now(),
  );
  return { outcome: "moved" };
}

/** Objects an item got while it was copied would stay behind. */
async function hasSameObjects({ media }: Stores, { id, storageType, objects }: StoredItem): Promise<boolean> {
  const [now] = await media.storedItems({ afterId: id - 1, limit: 1, storageType });
  const keys = now?.objects.map((object) => object.key) ?? [];
  return now?.id === id && keys.length === objects.length && objects.every(({ key }) => keys.includes(key));
}

async function findMissing(to: ObjectStorage, { objects }: StoredItem): Promise<ItemMove | null> {
  const copies = await Promise.all(objects.map(async ({ key }) => ({ key, presence: await to.head(key) })));
  const absent = copies.find(({ presence }) => presence.state !== "exists");
  if (!absent) return null;
  if (absent.presence.state !== "unknown") return failed(`${absent.key} is not in ${to.type} any more.`);
  return { outcome: "failed", reason: absent.presence.reason, isOutage: true };
}

/** The item is whole, and nothing of it is an orphan any more. */
async function settleFindings({ media, sync }: Stores, item: StoredItem, to: StorageType): Promise<void> {
  for (const { key } of item.objects) {
    await sync.clear("missing", { key, storageType: item.storageType });
    await sync.clear("orphan", { key, storageType: to });
  }
  if (item.missingSince) await media.markMissing(item.id, null);
}

/** Copies of an item that is not there any more go; those a row names there, because another mover won, stay. */
async function giveUpCopies({ database, clock }: MoveDeps, item: StoredItem, to: StorageType): Promise<ItemMove> {
  await database.transact(async ({ media, deletions }) => {
    const copies = item.objects.map(({ key }) => ({ key, storageType: to }));
    for (const { key } of copies) if (await media.namesKey(key, to)) return;
    await deletions.add(copies, clock.now());
  });
  return { outcome: "gone" };
}
