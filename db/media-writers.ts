import { and, eq } from "drizzle-orm";
import { MediaError } from "../src/media/errors.js";
import type { MediaChange, MediaRepository } from "../src/media/ports.js";
import { addToBands, removeFromBands } from "./hash-bands.js";
import { type MediaRow, toChangedColumns, toMedia, toMediaRow, toVariantRows } from "./media-row.js";
import { documentOf } from "./media-words.js";
import type { Scope } from "./scope.js";
import { countUpload, recount } from "./usage-counters.js";

type Writers = Pick<MediaRepository, "insert" | "update" | "remove" | "markMissing" | "switchStorage">;

/** Every change of rows, together with the counters it moves: the row is written first, then what it counts to. */
export function writers({ db: outer, schema, dialect, atomically }: Scope): Writers {
  const { media, mediaVariants, mediaSearch, storageFindings } = schema;
  return {
    insert: (item) =>
      atomically(async (scope) => {
        const { db } = scope;
        await db.insert(media).values(toMediaRow(item));
        // MySQL answers no rows to an insert.
        const [row] = await db.select().from(media).where(eq(media.publicId, item.publicId));
        if (!row) throw new Error(`The item ${item.publicId} is not there after its insertion.`);
        const variants = toVariantRows(row.id, item.variants);
        if (variants.length > 0) await db.insert(mediaVariants).values(variants);
        await db.insert(mediaSearch).values({ mediaId: row.id, words: await documentOf(row) });
        await addToBands(scope, row);
        await recount(scope, { before: null, after: row });
        await countUpload(scope, row);
        return toMedia(row, variants);
      }),

    update: (id, change, now) =>
      atomically(async (scope) => {
        const row = await lockRow(scope, id);
        const { moderationStatus = row.moderationStatus, deletedAt = row.deletedAt } = change;
        await scope.db
          .update(media)
          .set(toChangedColumns(row, change, now))
          .where(eq(media.id, id));
        await setWords(scope, row, change);
        await recount(scope, { before: row, after: { ...row, moderationStatus, deletedAt } });
      }),

    remove: (id) =>
      atomically(async (scope) => {
        const row = await lockRow(scope, id);
        // Before the row, because its variants count and go with it.
        await recount(scope, { before: row, after: null });
        await scope.db.delete(media).where(eq(media.id, id));
        await scope.db.delete(mediaSearch).where(eq(mediaSearch.mediaId, id));
        await removeFromBands(scope, row);
        // That its objects are missing means nothing any more.
        await scope.db.delete(storageFindings).where(eq(storageFindings.mediaId, id));
      }),

    async switchStorage(id, { from, to, bucketName }) {
      const isThere = and(eq(media.id, id), eq(media.storageType, from));
      const moved = await outer.update(media).set({ storageType: to, bucketName }).where(isThere);
      return dialect.affected(moved) === 1;
    },

    async markMissing(id, since) {
      await outer.update(media).set({ missingSince: since }).where(eq(media.id, id));
    },
  };
}

/** The row as it stands, held until the transaction ends. */
async function lockRow({ db, schema: { media }, dialect }: Scope, id: number): Promise<MediaRow> {
  const [row] = await dialect.locking(db.select().from(media).where(eq(media.id, id)));
  if (!row) throw new MediaError({ code: "MEDIA_NOT_FOUND", mediaId: String(id) });
  return row;
}

/** What a locked row is found by once it is changed; the row may have no words yet. */
async function setWords({ db, schema: { mediaSearch }, dialect }: Scope, row: MediaRow, change: MediaChange) {
  const { altText = row.altText, caption = row.caption, tags = row.tags } = change;
  if (altText === row.altText && caption === row.caption && tags === row.tags) return;
  const words = await documentOf({ ...row, altText, caption, tags });
  const updated = await db.update(mediaSearch).set({ words }).where(eq(mediaSearch.mediaId, row.id));
  if (dialect.affected(updated) === 0) await db.insert(mediaSearch).values({ mediaId: row.id, words });
}
