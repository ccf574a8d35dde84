import { isPublished } from "./access.js";
import type { Actor } from "./actor.js";
import { type BrowseDeps, getMedia } from "./browse.js";
import { ACCEPTED_IMAGE_TYPES } from "./content-type.js";
import { MediaError, mediaNotFound } from "./errors.js";
import type { Media, Variant } from "./model.js";
import { type RenditionOrder, wholeVariants } from "./rendition-order.js";
import type { RenditionType } from "./rendition-ports.js";
import type { StoredFile } from "./stored-file.js";

/**
 * The picture of this public id, as far as the actor may see it. Throws MEDIA_NOT_FOUND, also for what is rejected,
 * whoever asks, and UNSUPPORTED_TYPE for a video.
 */
export async function findPicture(deps: BrowseDeps, actor: Actor, publicId: string): Promise<Media> {
  const media = await getMedia(deps, actor, publicId);
  if (media.publicId !== publicId || media.moderationStatus === "rejected") throw mediaNotFound(publicId);
  if (media.mediaType === "IMAGE") return media;
  throw new MediaError({ code: "UNSUPPORTED_TYPE", detected: media.contentType, accepted: ACCEPTED_IMAGE_TYPES });
}

/** Types whose pictures may be transparent or move, where the item has no variants to tell. */
const PERHAPS_TRANSPARENT: readonly string[] = ["image/png", "image/gif", "image/webp", "image/avif"];

/** What everybody is given who names nothing better: as the item's variants are, WebP where JPEG would lose something. */
export function commonTypeOf({ variants, contentType }: Media): RenditionType {
  const [variant] = variants;
  const mayBeTransparent = variant ? variant.contentType === "image/webp" : PERHAPS_TRANSPARENT.includes(contentType);
  return mayBeTransparent ? "image/webp" : "image/jpeg";
}

/** The stored variant that is just what is ordered. Not of WebP, which may move: by size a picture stands still. */
export const variantAsOrdered = (media: Media, order: RenditionOrder): Variant | undefined =>
  order.contentType === "image/jpeg" && !order.isCropped
    ? wholeVariants(media).find(
        ({ contentType, width, height }) =>
          contentType === order.contentType && width === order.width && height === order.height,
      )
    : undefined;

/** What is stored of the picture and comes nearest to this width: the smallest that is no narrower, else the widest. */
export function nearestStored(media: Media, width: number): StoredFile {
  const whole = wholeVariants(media);
  const nearest = whole.find((variant) => variant.width >= width) ?? whole.at(-1);
  if (nearest) return variantFile(media, nearest);
  const { storagePath: key, contentType, fileSize } = media;
  return { media, key, contentType, fileSize, isPublic: isPublished(media) };
}

export const variantFile = (media: Media, { key, contentType, fileSize }: Variant): StoredFile => ({
  media,
  key,
  contentType,
  fileSize,
  isPublic: isPublished(media),
});
