import { z } from "zod";
import { audienceOf, findEntity, isVisible } from "./access.js";
import type { Actor } from "./actor.js";
import type { EntityField, EntityType } from "./attachments.js";
import { decodeCursor, encodeCursor } from "./cursor.js";
import { mediaNotFound } from "./errors.js";
import type { Media, ModerationStatus } from "./model.js";
import type { Deps, GalleryPlace, Ref } from "./ports.js";

export type BrowseDeps = Pick<Deps, "database" | "clock">;

export type GalleryQuery = {
  type: EntityType;
  id: Ref;
  field?: EntityField | undefined;
  tag?: string | undefined;
  status?: ModerationStatus | undefined;
  limit: number;
  /** What an earlier page answered as `nextCursor`. */
  cursor?: string | undefined;
};

export type GalleryPage = { items: Media[]; total: number; nextCursor: string | null };

/** One page of an entity's media in gallery order, as far as the actor may see them. Throws ENTITY_NOT_FOUND. */
export async function listGallery(deps: BrowseDeps, actor: Actor, query: GalleryQuery): Promise<GalleryPage> {
  const { entities, media } = deps.database;
  const entity = await findEntity(entities, { type: query.type, ref: query.id });
  const audience = await audienceOf(entities, actor, entity, deps.clock.now());
  const { field, tag, status, limit, cursor } = query;
  const after = cursor === undefined ? null : toPlace(cursor);
  const { items, total } = await media.list({ entity, field, tag, status, audience, limit: limit + 1, after });
  const page = items.slice(0, limit);
  const last = page.at(-1);
  return {
    items: page,
    total,
    nextCursor: items.length > limit && last ? encodeCursor([last.sortOrder, last.orderKey, last.id]) : null,
  };
}

/** The item, or MEDIA_NOT_FOUND where there is none or the actor may not see it. */
export async function getMedia(deps: BrowseDeps, actor: Actor, ref: Ref): Promise<Media> {
  const media = await findVisible(deps, actor, ref);
  if (media) return media;
  throw mediaNotFound(ref);
}

/** The item, or undefined where there is none or the actor may not see it. */
export async function findVisible(deps: BrowseDeps, actor: Actor, ref: Ref): Promise<Media | undefined> {
  const media = await deps.database.media.find(ref);
  return media && (await mayView(deps, actor, media)) ? media : undefined;
}

async function mayView(deps: BrowseDeps, actor: Actor, media: Media): Promise<boolean> {
  if (isVisible(media, { sees: "public", andOwn: null })) return true;
  const { entities } = deps.database;
  const entity = await entities.find(media.entityType, media.entityId);
  return entity !== undefined && isVisible(media, await audienceOf(entities, actor, entity, deps.clock.now()));
}

const placeSchema = z.tuple([z.number().int(), z.string().regex(/^[0-9A-Za-z]{1,256}$/), z.number().int()]);

function toPlace(cursor: string): GalleryPlace {
  const [sortOrder, orderKey, id] = decodeCursor(cursor, placeSchema);
  return { sortOrder, orderKey, id };
}
