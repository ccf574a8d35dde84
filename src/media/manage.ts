import { authoriseWrite, findEntity, requirePrincipal } from "./access.js";
import type { Actor } from "./actor.js";
import type { EntityField } from "./attachments.js";
import { getMedia } from "./browse.js";
import { MediaError, mediaNotFound } from "./errors.js";
import type { Media } from "./model.js";
import type { Deps, Entity, Ref, Stores } from "./ports.js";

export type ManageDeps = Pick<Deps, "database" | "clock">;

/** An item under the lock of its entity, by someone who may manage it. */
export type Managed = { stores: Stores; media: Media; entity: Entity; now: Date };

/**
 * Runs one change of an item in a transaction that holds its entity's lock, so that changes of one gallery come one
 * after the other. Throws UNAUTHENTICATED, then MEDIA_NOT_FOUND for what the actor cannot see, then FORBIDDEN.
 */
export async function manageMedia<T>(
  deps: ManageDeps,
  actor: Actor,
  ref: Ref,
  work: (managed: Managed) => Promise<T>,
): Promise<T> {
  requirePrincipal(actor);
  const { id } = await getMedia(deps, actor, ref);
  return inEntityOf(deps, actor, id, work);
}

/** The same for an item in the trash, or for either. Who may not manage the entity learns nothing of its trash. */
export async function manageTrashed<T>(
  deps: ManageDeps,
  actor: Actor,
  ref: Ref,
  work: (managed: Managed) => Promise<T>,
): Promise<T> {
  requirePrincipal(actor);
  const media = await deps.database.media.find(ref);
  if (!media) throw mediaNotFound(ref);
  try {
    return await inEntityOf(deps, actor, media.id, work);
  } catch (error) {
    if (error instanceof MediaError && ["FORBIDDEN", "ENTITY_NOT_FOUND"].includes(error.failure.code))
      throw mediaNotFound(ref);
    throw error;
  }
}

async function inEntityOf<T>(
  deps: ManageDeps,
  actor: Actor,
  id: number,
  work: (managed: Managed) => Promise<T>,
): Promise<T> {
  return deps.database.transact(async (stores) => {
    const before = await stores.media.find(id);
    if (!before) throw mediaNotFound(id);
    const entity = await findEntity(stores.entities, { type: before.entityType, ref: before.entityId });
    await stores.entities.lock(entity);
    // Under the lock, so that the times of changes follow their order.
    const now = deps.clock.now();
    await authoriseWrite(stores.entities, actor, { entity, right: "manage" }, now);
    const media = await stores.media.find(id);
    if (!media) throw mediaNotFound(id);
    return work({ stores, media, entity, now });
  });
}

/** The item as it is after a change. */
export async function reread({ media }: Stores, id: number): Promise<Media> {
  const found = await media.find(id);
  if (!found) throw mediaNotFound(id);
  return found;
}

/** At most one item of a field is primary; the database refuses a second, so the others step back first. */
export async function clearPrimary(
  { media }: Stores,
  of: Pick<Media, "entityType" | "entityId" | "entityField">,
  now: Date,
): Promise<void> {
  const current = await media.current({ type: of.entityType, id: of.entityId }, of.entityField);
  for (const item of current) if (item.isPrimary) await media.update(item.id, { isPrimary: false }, now);
}

/** What a slot holds goes to the trash, in the transaction that brings its successor. */
export async function emptySlot(
  { media }: Stores,
  { entity, field }: { entity: Entity; field: EntityField },
  now: Date,
): Promise<void> {
  for (const item of await media.current(entity, field)) await media.update(item.id, { deletedAt: now }, now);
}
