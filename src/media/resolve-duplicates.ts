import type { Actor } from "./actor.js";
import { mediaNotFound, validationFailed } from "./errors.js";
import { clearPrimary, type ManageDeps, type Managed, manageMedia, reread } from "./manage.js";
import { type Media, TEXT_LIMITS } from "./model.js";
import { findDuplicates } from "./near-duplicates.js";
import type { MediaChange, Ref } from "./ports.js";

/**
 * Keeps one of several items of a gallery that show the same picture and sends the others to the trash, in one
 * transaction. The kept one takes the foremost of their places, is primary where one of them was, gets the tags of all
 * as far as they fit, its own first, and alt text and caption of the foremost that has some where it has none. Each of
 * the others can be restored. Answers the kept item. Throws UNAUTHENTICATED, MEDIA_NOT_FOUND, FORBIDDEN, and VALIDATION
 * where one of the others is no duplicate of the kept one in the same gallery; then nothing is changed.
 */
export async function resolveDuplicates(
  deps: ManageDeps,
  actor: Actor,
  { id, mediaIds }: { id: Ref; mediaIds: readonly Ref[] },
): Promise<Media> {
  return manageMedia(deps, actor, id, async (managed) => {
    const { stores, media: kept, now } = managed;
    if (kept.deletedAt) throw mediaNotFound(id);
    const others = await findOthers(managed, mediaIds);
    const isPrimary = [kept, ...others].some((item) => item.isPrimary);
    if (isPrimary && !kept.isPrimary) await clearPrimary(stores, kept, now);
    for (const other of others) await stores.media.update(other.id, { deletedAt: now }, now);
    await stores.media.update(kept.id, { ...merge(kept, others), isPrimary }, now);
    return reread(stores, kept.id);
  });
}

/** In gallery order. */
async function findOthers({ stores, media: kept, entity }: Managed, refs: readonly Ref[]): Promise<Media[]> {
  const current = await stores.media.current(entity, kept.entityField);
  const chosen = refs.map((ref, at) => {
    const other = current.find((item) => item.id === ref || item.publicId === ref || String(item.id) === ref);
    const path = `mediaIds.${at}`;
    if (!other) throw validationFailed(path, `${ref} is no item of this gallery`);
    if (other.id === kept.id) throw validationFailed(path, "names the item that is to be kept");
    if (findDuplicates(kept, [other], "similar").length === 0)
      throw validationFailed(path, `${ref} is no duplicate of ${kept.publicId}`);
    return other;
  });
  if (new Set(chosen).size !== chosen.length) throw validationFailed("mediaIds", "names an item more than once");
  return current.filter((item) => chosen.includes(item));
}

/** `others` are in gallery order. */
function merge(kept: Media, others: readonly Media[]): MediaChange {
  const [foremost = kept] = [...others, kept].sort(byPlace);
  const tags = [...new Set([kept, ...others].flatMap((item) => item.tags))];
  return {
    sortOrder: foremost.sortOrder,
    orderKey: foremost.orderKey,
    tags: tags.slice(0, TEXT_LIMITS.tags),
    altText: kept.altText ?? others.find((item) => item.altText !== null)?.altText ?? null,
    caption: kept.caption ?? others.find((item) => item.caption !== null)?.caption ?? null,
  };
}

const byPlace = (a: Media, b: Media): number =>
  a.sortOrder - b.sortOrder || (a.orderKey < b.orderKey ? -1 : Number(a.orderKey > b.orderKey)) || a.id - b.id;
