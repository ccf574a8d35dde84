import { and, asc, desc, eq, gt, gte, inArray, isNull, lt, lte, or, type SQL } from "drizzle-orm";
import type { EntityField, EntityType } from "../src/media/attachments.js";
import type { Audience, Entity, GalleryPlace, MediaListQuery, MediaSearchQuery } from "../src/media/ports.js";
import type { Schema } from "./schema/factory.js";
import type { Scope } from "./scope.js";

type MediaTable = Schema["media"];
type EntityKey = Pick<Entity, "type" | "id">;

const isOf = (media: MediaTable, { type, id }: EntityKey) => and(eq(media.entityType, type), eq(media.entityId, id));

export const isCurrent = (media: MediaTable, entity: EntityKey) => and(isOf(media, entity), isNull(media.deletedAt));

export const isCurrentIn = (media: MediaTable, entity: EntityKey, field: EntityField) =>
  and(isOf(media, entity), eq(media.entityField, field), isNull(media.deletedAt));

/** Whose objects are not known to be gone from the store. */
export const isUnmarked = (media: MediaTable) => isNull(media.missingSince);

/** The whole filter of a list but the page. */
export function isListed({ schema: { media }, dialect }: Scope, query: MediaListQuery): SQL | undefined {
  return and(
    query.field ? isCurrentIn(media, query.entity, query.field) : isCurrent(media, query.entity),
    isUnmarked(media),
    query.status ? eq(media.moderationStatus, query.status) : undefined,
    query.tag === undefined ? undefined : dialect.hasElement(media.tags, query.tag),
    isSeenBy(media, query.audience),
  );
}

/** The filter of a search by facts: all but its words and tag. `from` and `to` belong to the time they bound. */
export function isFound({ schema: { media } }: Pick<Scope, "schema">, query: MediaSearchQuery): SQL | undefined {
  const { mediaType, status, uploadedBy, from, to, beforeId } = query;
  return and(
    isNull(media.deletedAt),
    isUnmarked(media),
    status && eq(media.moderationStatus, status),
    mediaType && eq(media.mediaType, mediaType),
    uploadedBy === undefined ? undefined : eq(media.uploadedBy, uploadedBy),
    from && gte(media.createdAt, from),
    to && lte(media.createdAt, to),
    beforeId === null ? undefined : lt(media.id, beforeId),
    isSeenBy(media, query.audience),
  );
}

function isSeenBy(media: MediaTable, audience: Audience): SQL | undefined {
  if (audience.sees === "everything") return undefined;
  return or(
    and(eq(media.isPublic, true), eq(media.isApproved, true), eq(media.processingStatus, "ready")),
    audience.andOwn === null ? undefined : eq(media.uploadedBy, audience.andOwn),
    ...isOfAny(media, audience.andOf ?? []),
  );
}

/** One condition a type, however many entities. */
function isOfAny(media: MediaTable, entities: readonly EntityKey[]) {
  const idsByType = new Map<EntityType, number[]>();
  for (const { type } of entities) idsByType.set(type, []);
  for (const { type, id } of entities) idsByType.get(type)?.push(id);
  return [...idsByType].map(([type, ids]) => and(eq(media.entityType, type), inArray(media.entityId, ids)));
}

/** (sortOrder, orderKey, id) > place, in the form both databases can use an index for. */
export const isBehind = (media: MediaTable, { sortOrder, orderKey, id }: GalleryPlace) =>
  or(
    gt(media.sortOrder, sortOrder),
    and(eq(media.sortOrder, sortOrder), gt(media.orderKey, orderKey)),
    and(eq(media.sortOrder, sortOrder), eq(media.orderKey, orderKey), gt(media.id, id)),
  );

/** (sortOrder, orderKey, id) < place. */
export const isAhead = (media: MediaTable, { sortOrder, orderKey, id }: GalleryPlace) =>
  or(
    lt(media.sortOrder, sortOrder),
    and(eq(media.sortOrder, sortOrder), lt(media.orderKey, orderKey)),
    and(eq(media.sortOrder, sortOrder), eq(media.orderKey, orderKey), lt(media.id, id)),
  );

export const galleryOrder = (media: MediaTable) => [asc(media.sortOrder), asc(media.orderKey), asc(media.id)];

export const lastFirst = (media: MediaTable) => [desc(media.sortOrder), desc(media.orderKey), desc(media.id)];
