import { and, asc, desc, eq, gt, isNull, or, type SQL } from "drizzle-orm";
import type { EntityField } from "../src/media/attachments.js";
import type { Audience, Entity, GalleryPlace, MediaListQuery } from "../src/media/ports.js";
import type { Schema } from "./schema/factory.js";
import type { Scope } from "./scope.js";

type MediaTable = Schema["media"];
type EntityKey = Pick<Entity, "type" | "id">;

const isOf = (media: MediaTable, { type, id }: EntityKey) => and(eq(media.entityType, type), eq(media.entityId, id));

export const isCurrent = (media: MediaTable, entity: EntityKey) => and(isOf(media, entity), isNull(media.deletedAt));

export const isCurrentIn = (media: MediaTable, entity: EntityKey, field: EntityField) =>
  and(isOf(media, entity), eq(media.entityField, field), isNull(media.deletedAt));

/** The whole filter of a list but the page. */
export function isListed({ schema: { media }, dialect }: Scope, query: MediaListQuery): SQL | undefined {
  return and(
    query.field ? isCurrentIn(media, query.entity, query.field) : isCurrent(media, query.entity),
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
export const isBehind = (media: MediaTable, { sortOrder, orderKey, id }: GalleryPlace) =>
  or(
    gt(media.sortOrder, sortOrder),
    and(eq(media.sortOrder, sortOrder), gt(media.orderKey, orderKey)),
    and(eq(media.sortOrder, sortOrder), eq(media.orderKey, orderKey), gt(media.id, id)),
  );

export const galleryOrder = (media: MediaTable) => [asc(media.sortOrder), asc(media.orderKey), asc(media.id)];

export const lastFirst = (media: MediaTable) => [desc(media.sortOrder), desc(media.orderKey), desc(media.id)];
