import { type Attachment, ENTITY_TYPES, type MediaType } from "./attachments.js";
import { CONTENT_TYPES, isContentType } from "./content-type.js";

export type KeyParts = {
  attachment: Attachment;
  entityPublicId: string;
  mediaType: MediaType;
  contentType: string;
  at: Date;
  /** From `RandomIds.keyPart`: at least 64 bits, so that the key can't be guessed. */
  random: string;
};

/**
 * `{entity folder}/{media folder}/{entity public id}/{YYYY-MM}/{prefix}-{YYYYMMDDHHMMSS}-{random}.{ext}`, times in
 * UTC. The extension follows from the content type; throws `TypeError` for a type that is not stored.
 */
export function originalKey({ attachment, entityPublicId, mediaType, contentType, at, random }: KeyParts): string {
  const isVideo = mediaType === "VIDEO";
  const stamp = at.toISOString();
  const name = `${isVideo ? "video" : attachment.prefix}-${stamp.slice(0, 19).replace(/\D/g, "")}-${random}`;
  return [
    ENTITY_TYPES[attachment.entityType].folder,
    isVideo ? "videos" : attachment.folder,
    safeSegment(entityPublicId),
    stamp.slice(0, 7),
    `${name}.${extensionOf(contentType)}`,
  ].join("/");
}

/** The original's key with `suffix` before the extension, which is the variant's own. */
export function variantKey(originalKey: string, suffix: string, contentType: string): string {
  return `${originalKey.replace(/\.[^./]*$/, "")}${suffix}.${extensionOf(contentType)}`;
}

function extensionOf(contentType: string): string {
  if (!isContentType(contentType)) throw new TypeError(`No object is stored as ${contentType}.`);
  return CONTENT_TYPES[contentType].extension;
}

/**
 * A public id as one visible segment of a key: public ids are the platform's and may hold anything. Two ids may come
 * out alike; the random part keeps their objects apart.
 */
const safeSegment = (publicId: string): string => publicId.replace(/[^A-Za-z0-9._-]/gu, "-").replace(/^\.+|^$/, "-");
