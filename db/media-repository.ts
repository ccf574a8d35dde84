import { and, asc, count, desc, eq, gt, inArray, isNull, lte, or, type SQL } from "drizzle-orm";
import { MediaError } from "../src/media/errors.js";
import type { Media } from "../src/media/model.js";
import type { Audience, Entity, GalleryPlace, KeyOwner, MediaListQuery, MediaRepository } from "../src/media/ports.js";
import { type MediaRow, toChangedColumns, toMedia, toMediaRow, toVariantRows, type VariantRow } from "./media-row.js";
import { chooseByRef, matchesRef } from "./refs.js";
import type { Schema } from "./schema/factory.js";
import type { Scope } from "./scope.js";

type EntityKey = Pick<Entity, "type" | "id">;

export function createMediaRepository(scope: Scope): MediaRepository {
  const { db, schema, dialect } = scope;
  const { media, mediaVariants } = schema;
  const isCurrent = (entity: EntityKey) => and(isOf(media, entity), isNull(media.deletedAt));
  const isCurrentIn = (entity: EntityKey, field: Media["entityField"]) =>
    and(isOf(media, entity), eq(media.entityField, field), isNull(media.deletedAt));
  const inGalleryOrder = [asc(media.sortOrder), asc(media.orderKey), asc(media.id)];

  /** Rows become items, with one more query for the variants of them all. */
  async function withVariants(rows: readonly MediaRow[]): Promise<Media[]> {
    if (rows.length === 0) return [];
    const ids = rows.map((row) => row.id);
    const variants = await db.select().from(mediaVariants).where(inArray(mediaVariants.mediaId, ids));
    const byItem = new Map<number, VariantRow[]>(ids.map((id) => [id, []]));
    for (const variant of variants) byItem.get(variant.mediaId)?.push(variant);
    return rows.map((row) => toMedia(row, byItem.get(row.id) ?? []));
  }

  const current = async (where: SQL | undefined) =>
    withVariants(await db.select().from(media).where(where).orderBy(...inGalleryOrder));

  return {
    async find(ref) {
      const rows = await db.select().from(media).where(matchesRef(media, ref));
      const row = chooseByRef(rows, ref);
      return row && (await withVariants([row]))[0];
    },

    async findByKey(key) {
      const [variant] = await db.select().from(mediaVariants).where(eq(mediaVariants.objectKey, key));
      const isOwner = variant
        ? eq(media.id, variant.mediaId)
        : or(eq(media.storagePath, key), eq(media.videoProcessedUrl, key));
      const [item] = await withVariants(await db.select().from(media).where(isOwner));
      return item && describeKey(item, key);
    },

    async list(query) {
      const filter = matches(scope, query);
      const page = and(filter, query.after ? isBehind(media, query.after) : undefined);
      const rows = await db
        .select()
        .from(media)
        .where(page)
        .orderBy(...inGalleryOrder)
        .limit(query.limit);
      const [counted] = await db.select({ total: count() }).from(media).where(filter);
      return { items: await withVariants(rows), total: counted?.total ?? 0 };
    },

    insert: (item) =>
      scope.atomically(async ({ db: tx }) => {
        await tx.insert(media).values(toMediaRow(item));
        // MySQL answers no rows to an insert.
        const [row] = await tx.select().from(media).where(eq(media.publicId, item.publicId));
        if (!row) throw new Error(`The item ${item.publicId} is not there after its insertion.`);
        const variants: VariantRow[] = toVariantRows(row.id, item.variants);
        if (variants.length > 0) await tx.insert(mediaVariants).values(variants);
        return toMedia(row, variants);
      }),

    update: (id, change, now) =>
      scope.atomically(async ({ db: tx }) => {
        const [row] = await dialect.locking(tx.select().from(media).where(eq(media.id, id)));
        if (!row) throw new MediaError({ code: "MEDIA_NOT_FOUND", mediaId: String(id) });
        await tx.update(media).set(toChangedColumns(row, change, now)).where(eq(media.id, id));
      }),

    current: (entity, field) => current(isCurrentIn(entity, field)),
    currentOfEntity: (entity) => current(isCurrent(entity)),

    async lastPlace(entity, field, upTo) {
      const [place] = await db
        .select({ sortOrder: media.sortOrder, orderKey: media.orderKey, id: media.id })
        .from(media)
        .where(and(isCurrentIn(entity, field), upTo === undefined ? undefined : lte(media.sortOrder, upTo)))
        .orderBy(desc(media.sortOrder), desc(media.orderKey), desc(media.id))
        .limit(1);
      return place ?? null;
    },

    fingerprints: (entity, mediaType) =>
      db
        .select({ publicId: media.publicId, contentSha256: media.contentSha256, imageHash: media.imageHash })
        .from(media)
        .where(and(isCurrent(entity), eq(media.mediaType, mediaType)))
        .orderBy(asc(media.id)),
  };
}

type MediaTable = Schema["media"];

const isOf = (media: MediaTable, { type, id }: EntityKey) => and(eq(media.entityType, type), eq(media.entityId, id));

/** The whole filter of a list but the page. */
function matches({ schema: { media }, dialect }: Scope, query: MediaListQuery): SQL | undefined {
  return and(
    isOf(media, query.entity),
    query.field ? eq(media.entityField, query.field) : undefined,
    isNull(media.deletedAt),
    query.status ? eq(media.moderationStatus, query.status) : undefined,
    query.tag === undefined ? undefined : dialect.hasElement(media.tags, query.tag),
    isSeenBy(media, query.audience),
  );
}

function isSeenBy(media: MediaTable, audience: Audience): SQL | undefined {
  if (audience.sees === "everything") return undefined;
  return or(
    and(eq(media.isPublic, true), eq(media.isApproved, true), eq(media.processingStatus, "ready")),
    audience.andOwn === null ? undefined : eq(media.uploadedBy, audience.andOwn),
  );
}

/** (sortOrder, orderKey, id) > place, in the form both databases can use an index for. */
const isBehind = (media: MediaTable, { sortOrder, orderKey, id }: GalleryPlace) =>
  or(
    gt(media.sortOrder, sortOrder),
    and(eq(media.sortOrder, sortOrder), gt(media.orderKey, orderKey)),
    and(eq(media.sortOrder, sortOrder), eq(media.orderKey, orderKey), gt(media.id, id)),
  );

const PROCESSED_VIDEO = "video/mp4";

/** What the item knows of the object; undefined where MySQL matched a key that differs in trailing spaces. */
function describeKey(item: Media, key: string): KeyOwner | undefined {
  const variant = item.variants.find((candidate) => candidate.key === key);
  if (variant) return { media: item, contentType: variant.contentType, fileSize: variant.fileSize };
  if (item.storagePath === key) return { media: item, contentType: item.contentType, fileSize: item.fileSize };
  if (item.videoProcessedKey !== key || item.videoProcessedSize === undefined) return undefined;
  return { media: item, contentType: PROCESSED_VIDEO, fileSize: item.videoProcessedSize };
}
