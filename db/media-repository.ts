import { and, asc, count, eq, inArray, lte, or, type SQL } from "drizzle-orm";
import { MediaError } from "../src/media/errors.js";
import type { Media } from "../src/media/model.js";
import type { KeyOwner, MediaRepository } from "../src/media/ports.js";
import { galleryOrder, isBehind, isCurrent, isCurrentIn, isListed, lastFirst } from "./media-filters.js";
import { type MediaRow, toChangedColumns, toMedia, toMediaRow, toVariantRows, type VariantRow } from "./media-row.js";
import { chooseByRef, matchesRef } from "./refs.js";
import type { Scope } from "./scope.js";

export const createMediaRepository = (scope: Scope): MediaRepository => ({
  ...finders(scope),
  ...galleries(scope),
  ...writers(scope),
});

/** Rows become items, with one more query for the variants of them all. */
async function withVariants({ db, schema }: Scope, rows: readonly MediaRow[]): Promise<Media[]> {
  if (rows.length === 0) return [];
  const { mediaVariants } = schema;
  const ids = rows.map((row) => row.id);
  const byItem = new Map<number, VariantRow[]>(ids.map((id) => [id, []]));
  const variants = await db.select().from(mediaVariants).where(inArray(mediaVariants.mediaId, ids));
  for (const variant of variants) byItem.get(variant.mediaId)?.push(variant);
  return rows.map((row) => toMedia(row, byItem.get(row.id) ?? []));
}

function finders(scope: Scope): Pick<MediaRepository, "find" | "findByKey"> {
  const { db, schema } = scope;
  const { media, mediaVariants } = schema;
  return {
    async find(ref) {
      const rows = await db.select().from(media).where(matchesRef(media, ref));
      const row = chooseByRef(rows, ref);
      return row && (await withVariants(scope, [row]))[0];
    },

    async findByKey(key) {
      const [variant] = await db.select().from(mediaVariants).where(eq(mediaVariants.objectKey, key));
      const isOwner = variant
        ? eq(media.id, variant.mediaId)
        : or(eq(media.storagePath, key), eq(media.videoProcessedUrl, key));
      const [item] = await withVariants(scope, await db.select().from(media).where(isOwner));
      return item && describeKey(item, key);
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

type Galleries = Pick<MediaRepository, "list" | "current" | "currentOfEntity" | "lastPlace" | "fingerprints">;

function galleries(scope: Scope): Galleries {
  const { db, schema } = scope;
  const { media } = schema;
  const inOrder = (where: SQL | undefined) =>
    db
      .select()
      .from(media)
      .where(where)
      .orderBy(...galleryOrder(media));

  return {
    async list(query) {
      const filter = isListed(scope, query);
      const page = and(filter, query.after ? isBehind(media, query.after) : undefined);
      const rows = await inOrder(page).limit(query.limit);
      const [counted] = await db.select({ total: count() }).from(media).where(filter);
      return { items: await withVariants(scope, rows), total: counted?.total ?? 0 };
    },

    current: async (entity, field) => withVariants(scope, await inOrder(isCurrentIn(media, entity, field))),
    currentOfEntity: async (entity) => withVariants(scope, await inOrder(isCurrent(media, entity))),

    async lastPlace(entity, field, upTo) {
      const isBefore = upTo === undefined ? undefined : lte(media.sortOrder, upTo);
      const [place] = await db
        .select({ sortOrder: media.sortOrder, orderKey: media.orderKey, id: media.id })
        .from(media)
        .where(and(isCurrentIn(media, entity, field), isBefore))
        .orderBy(...lastFirst(media))
        .limit(1);
      return place ?? null;
    },

    fingerprints: (entity, mediaType) =>
      db
        .select({ publicId: media.publicId, contentSha256: media.contentSha256, imageHash: media.imageHash })
        .from(media)
        .where(and(isCurrent(media, entity), eq(media.mediaType, mediaType)))
        .orderBy(asc(media.id)),
  };
}

function writers({ schema, dialect, atomically }: Scope): Pick<MediaRepository, "insert" | "update"> {
  const { media, mediaVariants } = schema;
  return {
    insert: (item) =>
      atomically(async ({ db }) => {
        await db.insert(media).values(toMediaRow(item));
        // MySQL answers no rows to an insert.
        const [row] = await db.select().from(media).where(eq(media.publicId, item.publicId));
        if (!row) throw new Error(`The item ${item.publicId} is not there after its insertion.`);
        const variants = toVariantRows(row.id, item.variants);
        if (variants.length > 0) await db.insert(mediaVariants).values(variants);
        return toMedia(row, variants);
      }),

    update: (id, change, now) =>
      atomically(async ({ db }) => {
        const [row] = await dialect.locking(db.select().from(media).where(eq(media.id, id)));
        if (!row) throw new MediaError({ code: "MEDIA_NOT_FOUND", mediaId: String(id) });
        await db
          .update(media)
          .set(toChangedColumns(row, change, now))
          .where(eq(media.id, id));
      }),
  };
}
