import type { Actor } from "./actor.js";
import { mediaNotFound } from "./errors.js";
import { clearPrimary, type ManageDeps, manageMedia, reread } from "./manage.js";
import type { Media } from "./model.js";
import type { MediaChange, Ref, Stores } from "./ports.js";
import { CROPPED_VARIANTS, withoutFocus } from "./rendering.js";
import { isCropSpec } from "./rendition-order.js";

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
    const changed = await reread(stores, media.id);
    if (change.focalPoint !== undefined) await dropCrops(stores, changed, now);
    return changed;
  });
}

/** A crop that keeps another point is made later, where there are pixels: the row says that it waits for it. */
function unfocused({ focalPoint, renderedAs, variants }: Media, edit: MediaEdit): Pick<MediaChange, "renderedAs"> {
  if (edit.focalPoint === undefined || !variants.some(({ name }) => name in CROPPED_VARIANTS)) return {};
  const isSame = edit.focalPoint?.x === focalPoint?.x && edit.focalPoint?.y === focalPoint?.y;
  return isSame ? {} : { renderedAs: withoutFocus(renderedAs) };
}

/** Crops show another part from now on. Those under way look at the focal point again before they are kept. */
async function dropCrops({ renditions, deletions }: Stores, { id, storageType }: Media, now: Date): Promise<void> {
  const specs = (await renditions.madeOf([id])).map(({ spec }) => spec).filter(isCropSpec);
  const keys = await renditions.takeAway(id, specs);
  await deletions.add(
    keys.map((key) => ({ key, storageType })),
    now,
  );
}

function toChange({ tags, ...edit }: MediaEdit): MediaChange {
  const given = Object.entries(edit).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(given), ...(tags === undefined ? {} : { tags: [...(tags ?? [])] }) };
}
