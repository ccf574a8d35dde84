import type { Actor } from "./actor.js";
import { mediaNotFound } from "./errors.js";
import { clearPrimary, type ManageDeps, manageMedia, reread } from "./manage.js";
import type { Media } from "./model.js";
import type { MediaChange, Ref } from "./ports.js";

/** Absent leaves, null clears. */
export type MediaEdit = {
  altText?: string | null | undefined;
  caption?: string | null | undefined;
  tags?: readonly string[] | null | undefined;
  isPublic?: boolean | undefined;
  isPrimary?: boolean | undefined;
  /** From the left and the top, 0 to 1. */
  focalPoint?: { x: number; y: number } | null | undefined;
};

/** Changes what people say of an item. Throws UNAUTHENTICATED, MEDIA_NOT_FOUND, FORBIDDEN. */
export async function updateMedia(deps: ManageDeps, actor: Actor, ref: Ref, edit: MediaEdit): Promise<Media> {
  const change = toChange(edit);
  return manageMedia(deps, actor, ref, async ({ stores, media, now }) => {
    if (media.deletedAt) throw mediaNotFound(ref);
    if (Object.keys(change).length === 0) return media;
    if (change.isPrimary && !media.isPrimary) await clearPrimary(stores, media, now);
    await stores.media.update(media.id, change, now);
    return reread(stores, media.id);
  });
}

function toChange({ tags, ...edit }: MediaEdit): MediaChange {
  const given = Object.entries(edit).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(given), ...(tags === undefined ? {} : { tags: [...(tags ?? [])] }) };
}
