import type { Actor } from "./actor.js";
import { mediaNotFound } from "./errors.js";
import { clearPrimary, type ManageDeps, manageMedia, reread } from "./manage.js";
import type { Media } from "./model.js";
import type { MediaChange, Ref } from "./ports.js";
import { CROPPED_VARIANTS, withoutFocus } from "./rendering.js";

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
    await stores.media.update(media.id, { ...change, ...unfocused(media, edit) }, now);
    return reread(stores, media.id);
  });
}

/** A crop that keeps another point is made later, where there are pixels: the row says that it waits for it. */
function unfocused({ focalPoint, renderedAs, variants }: Media, edit: MediaEdit): Pick<MediaChange, "renderedAs"> {
  if (edit.focalPoint === undefined || !variants.some(({ name }) => name in CROPPED_VARIANTS)) return {};
  const isSame = edit.focalPoint?.x === focalPoint?.x && edit.focalPoint?.y === focalPoint?.y;
  return isSame ? {} : { renderedAs: withoutFocus(renderedAs) };
}

function toChange({ tags, ...edit }: MediaEdit): MediaChange {
  const given = Object.entries(edit).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(given), ...(tags === undefined ? {} : { tags: [...(tags ?? [])] }) };
}
