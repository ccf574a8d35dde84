import { asc, eq, gt, or } from "drizzle-orm";
import type { Media } from "../src/media/model.js";
import type { KeyOwner, MediaRepository } from "../src/media/ports.js";
import { selectVariants, withVariants } from "./media-items.js";
import type { Scope } from "./scope.js";

/** Items seen from the store: by the keys of their objects. */
export function objectKeys(scope: Scope): Pick<MediaRepository, "findByKey" | "namesKey" | "storedKeys"> {
  const { db, schema } = scope;
  const { media, mediaVariants } = schema;

  async function findByKey(key: string): Promise<KeyOwner | undefined> {
    const [variant] = await db.select().from(mediaVariants).where(eq(mediaVariants.objectKey, key));
    const isOwner = variant
      ? eq(media.id, variant.mediaId)
      : or(eq(media.storagePath, key), eq(media.videoProcessedUrl, key));
    const [item] = await withVariants(scope, await db.select().from(media).where(isOwner));
    return item && describeKey(item, key);
  }

  return {
    findByKey,

    async namesKey(key) {
      const isVariant = eq(mediaVariants.objectKey, key);
      const isItsKey = or(eq(media.storagePath, key), eq(media.videoProcessedUrl, key));
      const rows = [
        ...(await db.select({ key: mediaVariants.objectKey }).from(mediaVariants).where(isVariant)),
        ...(await db
          .select({ key: media.storagePath, processed: media.videoProcessedUrl })
          .from(media)
          .where(isItsKey)),
      ];
      // Compared once more, because MySQL ignores trailing spaces.
      return rows.some((row) => row.key === key || ("processed" in row && row.processed === key));
    },

    async storedKeys({ afterId, limit }) {
      const { id, storageType, storagePath, videoProcessedUrl, missingSince } = media;
      const rows = await db
        .select({ id, storageType, storagePath, videoProcessedUrl, missingSince })
        .from(media)
        .where(gt(media.id, afterId))
        .orderBy(asc(media.id))
        .limit(limit);
      const variants = await selectVariants(
        scope,
        rows.map((row) => row.id),
      );
      return rows.map(({ storagePath: original, videoProcessedUrl: processed, ...row }) => ({
        ...row,
        keys: [
          original,
          ...(variants.get(row.id) ?? []).map((variant) => variant.objectKey),
          ...(processed === null ? [] : [processed]),
        ],
      }));
    },
  };
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
