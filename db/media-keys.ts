import { and, asc, count, eq, gt, or } from "drizzle-orm";
import type { StoredItem } from "../src/media/lifecycle-ports.js";
import type { Media } from "../src/media/model.js";
import type { KeyOwner, MediaRepository } from "../src/media/ports.js";
import { selectVariants, withVariants } from "./media-items.js";
import type { VariantRow } from "./media-row.js";
import type { Scope } from "./scope.js";

type Keys = Pick<MediaRepository, "findByKey" | "namesKey" | "storedItems" | "countStored">;

/** Items seen from the store: by the keys of their objects. */
export function objectKeys(scope: Scope): Keys {
  const { db, schema } = scope;
  const { media, mediaVariants, mediaRenditions } = schema;

  async function findByKey(key: string): Promise<KeyOwner | undefined> {
    const [variant] = await db.select().from(mediaVariants).where(eq(mediaVariants.objectKey, key));
    const isOwner = variant
      ? eq(media.id, variant.mediaId)
      : or(eq(media.storagePath, key), eq(media.videoProcessedUrl, key));
    const [item] = await withVariants(scope, await db.select().from(media).where(isOwner));
    return item ? describeKey(item, key) : findRendition(key);
  }

  async function findRendition(key: string): Promise<KeyOwner | undefined> {
    const [made] = await db.select().from(mediaRenditions).where(eq(mediaRenditions.objectKey, key));
    // Compared once more, because MySQL ignores trailing spaces.
    if (made?.objectKey !== key || made.contentType === null || made.fileSize === null) return undefined;
    const [item] = await withVariants(scope, await db.select().from(media).where(eq(media.id, made.mediaId)));
    return item && { media: item, contentType: made.contentType, fileSize: made.fileSize };
  }

  return {
    findByKey,

    async namesKey(key, storageType) {
      const owners = await selectOwners(scope, key);
      // Compared once more, because MySQL ignores trailing spaces.
      return owners.some((owner) => owner.key === key && owner.storageType === storageType);
    },

    async storedItems({ afterId, limit, storageType }) {
      const isIn = storageType && eq(media.storageType, storageType);
      const page = selectStored(scope).where(and(isIn, gt(media.id, afterId)));
      const rows = await page.orderBy(asc(media.id)).limit(limit);
      const ids = rows.map((row) => row.id);
      const variants = await selectVariants(scope, ids);
      return rows.map((row) => toStoredItem(row, variants.get(row.id) ?? []));
    },

    async countStored(storageType) {
      const [counted] = await db.select({ items: count() }).from(media).where(eq(media.storageType, storageType));
      return counted?.items ?? 0;
    },
  };
}

/**
 * The rows that may name a key, each found by a unique index. Inside a transaction they are held: one statement an
 * index, because for a choice of two the database may read, and hold, the whole table.
 */
async function selectOwners({ db, schema, dialect, inTransaction }: Scope, key: string) {
  const { media, mediaVariants, mediaRenditions } = schema;
  const { storageType } = media;
  const held = <Q>(select: Q) => (inTransaction ? dialect.locking(select) : select);
  const original = db.select({ key: media.storagePath, storageType }).from(media).where(eq(media.storagePath, key));
  const video = db
    .select({ key: media.videoProcessedUrl, storageType })
    .from(media)
    .where(eq(media.videoProcessedUrl, key));
  const variant = db
    .select({ key: mediaVariants.objectKey, storageType })
    .from(mediaVariants)
    .innerJoin(media, eq(media.id, mediaVariants.mediaId))
    .where(eq(mediaVariants.objectKey, key));
  const rendition = db
    .select({ key: mediaRenditions.objectKey, storageType })
    .from(mediaRenditions)
    .innerJoin(media, eq(media.id, mediaRenditions.mediaId))
    .where(eq(mediaRenditions.objectKey, key));
  return [...(await held(original)), ...(await held(video)), ...(await held(variant)), ...(await held(rendition))];
}

const PROCESSED_VIDEO = "video/mp4";

/** What the item knows of the object; undefined where MySQL matched a key that differs in trailing spaces. */
function describeKey(item: Media, key: string): KeyOwner | undefined {
  const variant = item.variants.find((candidate) => candidate.key === key);
  if (variant) return { media: item, contentType: variant.contentType, fileSize: variant.fileSize };
  if (item.storagePath === key) return { media: item, contentType: item.contentType, fileSize: item.fileSize };
  if (item.videoProcessedKey !== key || item.videoProcessedSize === undefined) return undefined;
  return { media: item, contentType: PROCESSED_VIDEO, fileSize: item.videoProcessedSize };
}

/** What a `StoredItem` is made of; the rest of a row would be most of its bytes. */
function selectStored({ db, schema: { media } }: Scope) {
  const { id, publicId, storageType, isPublic, missingSince } = media;
  const original = { key: media.storagePath, contentType: media.contentType, fileSize: media.fileSize };
  const video = { key: media.videoProcessedUrl, fileSize: media.videoProcessedSize };
  return db.select({ id, publicId, storageType, isPublic, missingSince, original, video }).from(media);
}

type StoredRow = Awaited<ReturnType<typeof selectStored>>[number];

function toStoredItem({ original, video, ...item }: StoredRow, variants: readonly VariantRow[]): StoredItem {
  const objects = [original];
  for (const { objectKey, contentType, fileSize } of variants) objects.push({ key: objectKey, contentType, fileSize });
  if (video.key !== null && video.fileSize !== null)
    objects.push({ key: video.key, contentType: PROCESSED_VIDEO, fileSize: video.fileSize });
  return { ...item, objects };
}
