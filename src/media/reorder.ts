import { authoriseWrite, findEntity, requirePrincipal } from "./access.js";
import type { Actor } from "./actor.js";
import { type EntityField, type EntityType, findAttachment } from "./attachments.js";
import { validationFailed } from "./errors.js";
import { placeAtEnd, placeBeside } from "./gallery-order.js";
import { type ManageDeps, type Managed, manageMedia, reread } from "./manage.js";
import type { Media } from "./model.js";
import type { GalleryPlace, Ref } from "./ports.js";

export type Reorder = { type: EntityType; id: Ref; field: EntityField; mediaIds: readonly Ref[] };

/**
 * Puts a whole gallery into the order given. All its items must be named, each once; anything else is refused whole.
 * Under the entity's lock: of two at once one comes after the other. Answers the items in their new order.
 */
export async function reorderGallery(
  deps: ManageDeps,
  actor: Actor,
  { type, id, field, mediaIds }: Reorder,
): Promise<Media[]> {
  requirePrincipal(actor);
  if (!findAttachment(type, field)) throw validationFailed("field", `a ${type} has no ${field}`);
  return deps.database.transact(async ({ entities, media }) => {
    const entity = await findEntity(entities, { type, ref: id });
    await entities.lock(entity);
    const now = deps.clock.now();
    await authoriseWrite(entities, actor, { entity, right: "manage" }, now);
    const ordered = arrange(await media.current(entity, field), mediaIds);
    const { orderKey } = placeAtEnd(null);
    await media.setPlaces(
      ordered.map((item, sortOrder) => ({ id: item.id, sortOrder, orderKey })),
      now,
    );
    return (await media.current(entity, field)).filter((item) => item.missingSince === null);
  });
}

/** The items in the order of their ids; those whose bytes are lost are in no list and keep to the end. */
function arrange(current: readonly Media[], refs: readonly Ref[]): Media[] {
  const byRef = new Map<string, Media>(
    current.flatMap((item) => [
      [String(item.id), item],
      [item.publicId, item],
    ]),
  );
  const named = refs.map((ref, at) => {
    const item = byRef.get(String(ref));
    if (!item) throw validationFailed(`mediaIds.${at}`, `${ref} is no item of this gallery`);
    return item;
  });
  const distinct = new Set(named);
  if (distinct.size !== named.length) throw validationFailed("mediaIds", "names an item more than once");
  const rest = current.filter((item) => !distinct.has(item));
  const forgotten = rest.find((item) => item.missingSince === null);
  if (forgotten) throw validationFailed("mediaIds", `leaves out ${forgotten.publicId}`);
  return [...named, ...rest];
}

/** Where to put an item: right before or right after another of the same gallery. */
export type MoveTarget = { before: Ref } | { after: Ref };

/** Moves one item, writing one row. Throws VALIDATION where the other is not of the same gallery. */
export async function moveMedia(deps: ManageDeps, actor: Actor, ref: Ref, target: MoveTarget): Promise<Media> {
  return manageMedia(deps, actor, ref, async (managed) => {
    const { stores, media, now } = managed;
    const side = "before" in target ? "before" : "after";
    const other = await findBeside(managed, "before" in target ? target.before : target.after, side);
    const place = await findPlace(managed, other, side);
    if (place) await stores.media.update(media.id, place, now);
    else await spreadOut(managed, other, side);
    return reread(stores, media.id);
  });
}

async function findBeside({ stores, media }: Managed, ref: Ref, side: string): Promise<Media> {
  const other = await stores.media.find(ref);
  const isBeside =
    other?.deletedAt === null &&
    other.entityType === media.entityType &&
    other.entityId === media.entityId &&
    other.entityField === media.entityField;
  if (!isBeside) throw validationFailed(side, `${ref} is no item of the same gallery`);
  if (other.id === media.id) throw validationFailed(side, "an item cannot be moved beside itself");
  return other;
}

async function findPlace({ stores, media, entity }: Managed, other: Media, side: "before" | "after") {
  const from: GalleryPlace = other;
  const at = { entity, field: media.entityField, from, except: media.id };
  return placeBeside(from, await stores.media.neighbour(at, side), side);
}

/** Two neighbours share a place, or keys grew too long: the gallery is numbered anew, once, with the item moved. */
async function spreadOut(
  { stores, media, entity, now }: Managed,
  other: Media,
  side: "before" | "after",
): Promise<void> {
  const others = (await stores.media.current(entity, media.entityField)).filter((item) => item.id !== media.id);
  const at = others.findIndex((item) => item.id === other.id) + (side === "after" ? 1 : 0);
  const ordered = [...others.slice(0, at), media, ...others.slice(at)];
  const { orderKey } = placeAtEnd(null);
  await stores.media.setPlaces(
    ordered.map((item, sortOrder) => ({ id: item.id, sortOrder, orderKey })),
    now,
  );
}
