import { requireAdministrator, requirePrincipal } from "./access.js";
import type { Actor } from "./actor.js";
import { findAttachment } from "./attachments.js";
import { eachOf, type PerItem } from "./batch.js";
import { mediaNotFound } from "./errors.js";
import { placeBeside } from "./gallery-order.js";
import { emptySlot, type ManageDeps, type Managed, manageMedia, manageTrashed, reread } from "./manage.js";
import { type Media, STORAGE_TYPES } from "./model.js";
import { removeDueObjects } from "./object-deletions.js";
import type { MediaChange, Ref, ServiceDeps, Stores } from "./ports.js";

/** Sends an item to the trash: it is gone for everyone at once, and can be restored. */
export async function trashMedia(deps: ManageDeps, actor: Actor, ref: Ref): Promise<Media> {
  return manageMedia(deps, actor, ref, async ({ stores, media, now }) => {
    if (media.deletedAt) throw mediaNotFound(ref);
    await stores.media.update(media.id, { deletedAt: now }, now);
    return media;
  });
}

/**
 * Takes an item out of the trash to its old place. In a slot the item that is there now goes to the trash instead.
 * Throws MEDIA_NOT_FOUND where it is not in the trash or the actor may not manage its entity.
 */
export async function restoreMedia(deps: ManageDeps, actor: Actor, ref: Ref): Promise<Media> {
  return manageTrashed(deps, actor, ref, async (managed) => {
    const { stores, media, now } = managed;
    if (!media.deletedAt) throw mediaNotFound(ref);
    await makeRoom(managed);
    await stores.media.update(media.id, { ...(await oldPlace(managed)), deletedAt: null }, now);
    return reread(stores, media.id);
  });
}

async function makeRoom({ stores, media, entity, now }: Managed): Promise<void> {
  if (findAttachment(media.entityType, media.entityField)?.kind !== "slot") return;
  await emptySlot(stores, { entity, field: media.entityField }, now);
}

/** Where it stood, beside whoever stands there now; primary only while nobody else became it. */
async function oldPlace({ stores, media, entity }: Managed): Promise<MediaChange> {
  const current = await stores.media.current(entity, media.entityField);
  const isPrimary = media.isPrimary && !current.some((item) => item.isPrimary);
  const same = current.find((item) => item.sortOrder === media.sortOrder && item.orderKey === media.orderKey);
  if (!same) return { isPrimary };
  const at = { entity, field: media.entityField, from: same, except: media.id };
  return { isPrimary, ...placeBeside(same, await stores.media.neighbour(at, "after"), "after") };
}

/** Removes row and bytes for good, from the trash or not. Administrators only. */
export async function deleteForEver(
  deps: Pick<ServiceDeps, "database" | "clock" | "objects" | "log">,
  actor: Actor,
  ref: Ref,
): Promise<Media> {
  requirePrincipal(actor);
  requireAdministrator(actor, "delete-for-ever");
  const removed = await deps.database.transact(async (stores) => {
    const media = await stores.media.find(ref);
    if (!media || !(await removeRow(stores, media, deps.clock.now()))) throw mediaNotFound(ref);
    return media;
  });
  await removeDueObjects(deps);
  return removed;
}

/** Every key of an item's own objects, the original first; renditions made on demand are not among them. */
export const keysOf = (media: Media): string[] => [
  media.storagePath,
  ...media.variants.map((variant) => variant.key),
  ...(media.videoProcessedKey ? [media.videoProcessedKey] : []),
];

/**
 * The row goes and its exact keys are promised to the outbox, in the caller's transaction. False where it is gone
 * already. The store is asked for again once the row is held: its objects may have moved since the item was read.
 */
export async function removeRow({ media, renditions, deletions }: Stores, item: Media, now: Date): Promise<boolean> {
  for (const storageType of STORAGE_TYPES) {
    if (!(await media.namesKey(item.storagePath, storageType))) continue;
    const keys = [...keysOf(item), ...(await renditions.takeAway(item.id))];
    await deletions.add(
      keys.map((key) => ({ key, storageType })),
      now,
    );
    await deletions.hasten(item.id, now);
    await media.remove(item.id);
    return true;
  }
  return false;
}

/** Each item for itself; what fails says why. */
export const trashMany = (deps: ManageDeps, actor: Actor, refs: readonly Ref[]): Promise<PerItem> =>
  eachOf(refs, (ref) => trashMedia(deps, actor, ref));
