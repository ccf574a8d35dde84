import { type EntityField, type EntityType, findAttachment } from "../src/media/attachments.js";
import type { Media, ModerationStatus, Variant } from "../src/media/model.js";
import type { MediaChange, NewMedia } from "../src/media/ports.js";
import type { Schema } from "./schema/factory.js";

export type MediaRow = Schema["media"]["$inferSelect"];
export type NewMediaRow = Schema["media"]["$inferInsert"];
export type VariantRow = Schema["mediaVariants"]["$inferSelect"];

type Place = { entityType: EntityType; entityId: number; entityField: EntityField };
type Standing = { isPrimary: boolean; deletedAt: Date | null };

/**
 * The two columns whose uniqueness guards a field: both name it, `type:entityId:field`, while the row is its slot's
 * current item, or its primary one; NULL otherwise, and always in the trash.
 */
function guards(place: Place, { isPrimary, deletedAt }: Standing): Pick<MediaRow, "slotKey" | "primaryOf"> {
  if (deletedAt !== null) return { slotKey: null, primaryOf: null };
  const field = `${place.entityType}:${place.entityId}:${place.entityField}`;
  const isSlot = findAttachment(place.entityType, place.entityField)?.kind === "slot";
  return { slotKey: isSlot ? field : null, primaryOf: isPrimary ? field : null };
}

const approval = (moderationStatus: ModerationStatus) => ({
  moderationStatus,
  isApproved: moderationStatus === "approved",
});

const focus = (point: Media["focalPoint"]) => ({ focalX: point?.x ?? null, focalY: point?.y ?? null });

/** The columns that repeat keys of variants. */
export function variantKeys(variants: readonly Variant[]): Pick<MediaRow, "thumbnailUrl" | "mediumUrl" | "largeUrl"> {
  const keyOf = (name: Variant["name"]) => variants.find((variant) => variant.name === name)?.key ?? null;
  return { thumbnailUrl: keyOf("thumbnail"), mediumUrl: keyOf("medium"), largeUrl: keyOf("large") };
}

/** Throws TypeError where a processed video has a key or a size and not both. */
export function toMediaRow(media: NewMedia): NewMediaRow {
  const { variants, focalPoint, videoProcessedKey, videoProcessedSize, moderationStatus, tags, ...columns } = media;
  if ((videoProcessedKey === null) !== (videoProcessedSize === undefined))
    throw new TypeError("A processed video has a key and a size.");
  return {
    ...columns,
    ...approval(moderationStatus),
    ...focus(focalPoint),
    ...guards(media, { isPrimary: media.isPrimary, deletedAt: null }),
    tags: [...tags],
    originalUrl: media.storagePath,
    ...variantKeys(variants),
    videoProcessedUrl: videoProcessedKey,
    videoProcessedSize: videoProcessedSize ?? null,
  };
}

export const toVariantRows = (mediaId: number, variants: readonly Variant[]): VariantRow[] =>
  variants.map(({ key, ...variant }) => ({ ...variant, mediaId, objectKey: key }));

/** `variants` are those of this row, in any order; the item carries them largest first. */
export function toMedia(row: MediaRow, variants: readonly VariantRow[]): Media {
  const { focalX, focalY, videoProcessedUrl, originalUrl, thumbnailUrl, mediumUrl, largeUrl, ...rest } = row;
  const { isApproved, isImported, slotKey, primaryOf, videoProcessedSize, ...columns } = rest;
  return {
    ...columns,
    videoProcessedKey: videoProcessedUrl,
    ...(videoProcessedSize !== null && { videoProcessedSize }),
    focalPoint: focalX === null || focalY === null ? null : { x: focalX, y: focalY },
    variants: variants.map(toVariant).sort((a, b) => b.width * b.height - a.width * a.height),
  };
}

const toVariant = ({ mediaId, objectKey, ...variant }: VariantRow): Variant => ({ ...variant, key: objectKey });

/** The columns a change touches. `current` is the row as it stands, for the guards. */
export function toChangedColumns(current: MediaRow, change: MediaChange, now: Date): Partial<NewMediaRow> {
  const { focalPoint, moderationStatus, tags, ...columns } = change;
  return {
    ...columns,
    ...(tags && { tags: [...tags] }),
    ...(focalPoint !== undefined && focus(focalPoint)),
    ...(moderationStatus && approval(moderationStatus)),
    ...guards(current, {
      isPrimary: change.isPrimary ?? current.isPrimary,
      deletedAt: change.deletedAt === undefined ? current.deletedAt : change.deletedAt,
    }),
    updatedAt: now,
  };
}
