import { z } from "zod";
import { decideWrite } from "./access.js";
import { type Actor, actorUserId, holds } from "./actor.js";
import { decodeCursor, encodeCursor } from "./cursor.js";
import type { ManageDeps } from "./manage.js";
import type { Media } from "./model.js";
import type { Audience, MediaSearchQuery } from "./ports.js";

export type Search = Omit<MediaSearchQuery, "audience" | "beforeId"> & { cursor?: string | undefined };

const idCursor = z.tuple([z.number().int()]);

/** Items the actor may see, newest first. */
export async function searchMedia(
  deps: ManageDeps,
  actor: Actor,
  { cursor, limit, ...query }: Search,
): Promise<{ items: Media[]; nextCursor: string | null }> {
  const beforeId = cursor === undefined ? null : decodeCursor(cursor, idCursor)[0];
  const audience = await audienceEverywhere(deps, actor);
  const found = await deps.database.media.search({ ...query, audience, limit: limit + 1, beforeId });
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: found.length > limit && last ? encodeCursor([last.id]) : null };
}

/** A user with ties to more entities than this finds those he made first; the platform has its own directory. */
const MAX_TIED = 1000;

/** The rule of `audienceOf` over all entities at once. */
async function audienceEverywhere({ database, clock }: ManageDeps, actor: Actor): Promise<Audience> {
  if (holds(actor, "oversee") || holds(actor, "manage")) return { sees: "everything" };
  const andOwn = actorUserId(actor);
  if (andOwn === null) return { sees: "public", andOwn };
  const tied = await database.entities.tied(andOwn, clock.now(), MAX_TIED);
  const andOf = tied
    .filter(({ entity, ties }) => decideWrite(actor, "manage", entity.type, ties).allowed)
    .map(({ entity }) => entity);
  return { sees: "public", andOwn, andOf };
}
