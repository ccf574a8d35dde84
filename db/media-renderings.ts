import { and, asc, count, eq, gt, gte, isNull, lte, type SQL } from "drizzle-orm";
import type { MediaRenderings, PictureFilter, SeenItem } from "../src/media/rendering-ports.js";
import { addToBands, removeFromBands } from "./hash-bands.js";
import { type MediaRow, toVariantRows, type VariantRow, variantKeys } from "./media-row.js";
import type { Scope } from "./scope.js";
import { recount } from "./usage-counters.js";

export const renderings = (scope: Scope): MediaRenderings => ({ ...finders(scope), ...writers(scope) });

type Finders = Pick<MediaRenderings, "renderings" | "rendered" | "countRendered">;

function finders({ db, schema: { media } }: Scope): Finders {
  const { id, publicId, renderedAs } = media;
  const isPicture = eq(media.mediaType, "IMAGE");
  const select = (where: SQL | undefined) =>
    db.select({ id, publicId, renderedAs }).from(media).where(and(isPicture, where));
  const isWanted = (filter: PictureFilter) =>
    and(
      filter.entityType && eq(media.entityType, filter.entityType),
      filter.entityId === undefined ? undefined : eq(media.entityId, filter.entityId),
      filter.entityField && eq(media.entityField, filter.entityField),
      filter.contentType === undefined ? undefined : eq(media.contentType, filter.contentType),
      filter.from && gte(media.createdAt, filter.from),
      filter.to && lte(media.createdAt, filter.to),
      filter.withTrash ? undefined : isNull(media.deletedAt),
    );
  const isMadeBy = (word: string | null | undefined) =>
    word === undefined ? undefined : word === null ? isNull(renderedAs) : eq(renderedAs, word);

  return {
    // From word to word: each is one seek, however many items have it.
    async renderings() {
      const [unknown] = await select(isNull(renderedAs)).limit(1);
      const found: (string | null)[] = unknown ? [null] : [];
      for (let last = ""; ; ) {
        const [next] = await select(gt(renderedAs, last)).orderBy(asc(renderedAs)).limit(1);
        if (!next || next.renderedAs === null) return found;
        last = next.renderedAs;
        found.push(last);
      }
    },

    rendered: ({ renderedAs: word, afterId, limit, ...filter }) =>
      select(and(isMadeBy(word), gt(id, afterId), isWanted(filter)))
        .orderBy(asc(id))
        .limit(limit),

    async countRendered({ renderedAs: word, ...filter }) {
      const [counted] = await db
        .select({ items: count() })
        .from(media)
        .where(and(isPicture, isMadeBy(word), isWanted(filter)));
      return counted?.items ?? 0;
    },
  };
}

function writers({
  db: outer,
  schema,
  dialect,
  atomically,
}: Scope): Pick<MediaRenderings, "replaceVariants" | "noteRendering"> {
  const { media, mediaVariants } = schema;
  return {
    replaceVariants: (seen, { variants, renderedAs, picture }, now) =>
      atomically(async (scope) => {
        const { db } = scope;
        const before = await holdRow(scope, seen);
        if (!before) return false;
        // Taken off and added again: what it counts to stays, how many bytes its variants have does not.
        await recount(scope, { before, after: null });
        await db
          .update(media)
          .set({ ...picture, ...variantKeys(variants), renderedAs, updatedAt: now })
          .where(eq(media.id, seen.id));
        await db.delete(mediaVariants).where(eq(mediaVariants.mediaId, seen.id));
        if (variants.length > 0) await db.insert(mediaVariants).values(toVariantRows(seen.id, variants));
        const after: MediaRow = { ...before, ...picture };
        await recount(scope, { before: null, after });
        if (after.imageHash !== before.imageHash) {
          await removeFromBands(scope, before);
          await addToBands(scope, after);
        }
        return true;
      }),

    async noteRendering(id, { from, to }) {
      const isStill = from === null ? isNull(media.renderedAs) : eq(media.renderedAs, from);
      await outer
        .update(media)
        .set({ renderedAs: to })
        .where(and(eq(media.id, id), isStill));
    },
  };

  /** The row, held, where it and its variants are as they were seen. */
  async function holdRow({ db }: Scope, seen: SeenItem): Promise<MediaRow | null> {
    const [row] = await dialect.locking(db.select().from(media).where(eq(media.id, seen.id)));
    if (!row || row.storageType !== seen.storageType || row.storagePath !== seen.storagePath) return null;
    if (row.focalX !== (seen.focalPoint?.x ?? null) || row.focalY !== (seen.focalPoint?.y ?? null)) return null;
    const variants = await db.select().from(mediaVariants).where(eq(mediaVariants.mediaId, seen.id));
    return hasKeys(variants, seen) ? row : null;
  }
}

function hasKeys(rows: readonly VariantRow[], { variants }: SeenItem): boolean {
  const keys = new Set(rows.map((row) => row.objectKey));
  return keys.size === variants.length && variants.every(({ key }) => keys.has(key));
}
