import { z } from "zod";
import { authoriseWrite, findEntity, requireModerator, requirePrincipal } from "./access.js";
import type { Actor } from "./actor.js";
import type { EntityField, EntityType } from "./attachments.js";
import { findVisible, getMedia } from "./browse.js";
import { decodeCursor, encodeCursor } from "./cursor.js";
import { type DuplicateGroup, groupDuplicates } from "./duplicate-groups.js";
import type { DuplicateTier } from "./errors.js";
import type { ManageDeps } from "./manage.js";
import type { Media } from "./model.js";
import { type Duplicate, findDuplicates, TIER_DISTANCE, TIER_RANK } from "./near-duplicates.js";
import type { PlacedFingerprint, Ref } from "./ports.js";

export const DUPLICATE_SCOPES = ["entity", "everywhere"] as const;
export type DuplicateScope = (typeof DUPLICATE_SCOPES)[number];

/** A picture can be on the platform any number of times; whoever looks for it everywhere gets the nearest. */
const FOUND_EVERYWHERE = 100;

/**
 * What looks like this item, all tiers, nearest first: within its entity as far as the actor may see it, or everywhere,
 * the nearest `FOUND_EVERYWHERE`. Throws MEDIA_NOT_FOUND, and for everywhere UNAUTHENTICATED or FORBIDDEN unless the
 * actor may moderate.
 */
export async function duplicatesOf(
  deps: ManageDeps,
  actor: Actor,
  { id, scope }: { id: Ref; scope: DuplicateScope },
): Promise<Duplicate[]> {
  if (scope === "everywhere") requireModerator(actor);
  const media = await getMedia(deps, actor, id);
  const reach =
    scope === "everywhere"
      ? // One more than wanted: the item is found too.
        { within: scope, limit: FOUND_EVERYWHERE + 1 }
      : { within: { type: media.entityType, id: media.entityId } };
  const alike = await deps.database.media.lookAlikes({ of: media, maxDistance: TIER_DISTANCE.similar, ...reach });
  const others = alike.filter((other) => other.publicId !== media.publicId);
  const found = findDuplicates(media, others, "similar");
  // Who looks everywhere may see everything.
  if (scope === "everywhere") return found.slice(0, FOUND_EVERYWHERE);
  const visible = await Promise.all(found.map((duplicate) => findVisible(deps, actor, duplicate.publicId)));
  return found.filter((_, at) => visible[at] !== undefined);
}

export type DuplicateQuery = {
  type: EntityType;
  id: Ref;
  field?: EntityField | undefined;
  tier?: DuplicateTier | undefined;
  limit: number;
  cursor?: string | undefined;
};

/** `count` is how many there are; `media` the first, the one to keep, and as many others as one call resolves. */
export type FoundGroup = Omit<DuplicateGroup<never>, "items"> & { count: number; media: Media[] };

export const RESOLVED_AT_ONCE = 100;

/**
 * Groups of duplicates within each field of an entity, `exact` ones first, of one tier or of all, for those who manage
 * it: what `resolveDuplicates` takes, whose others are duplicates of the kept one in the same field. Throws
 * UNAUTHENTICATED, ENTITY_NOT_FOUND and FORBIDDEN, and VALIDATION for a cursor this server did not give.
 */
export async function duplicatesOfEntity(
  deps: ManageDeps,
  actor: Actor,
  { type, id, field, tier, limit, cursor }: DuplicateQuery,
): Promise<{ items: FoundGroup[]; nextCursor: string | null }> {
  requirePrincipal(actor);
  const { entities, media } = deps.database;
  const entity = await findEntity(entities, { type, ref: id });
  await authoriseWrite(entities, actor, { entity, right: "manage" }, deps.clock.now());
  const after = cursor === undefined ? null : decodeCursor(cursor, placeSchema);
  const groups = groupsOf(await media.fingerprints(entity, field)).filter(
    (group) =>
      (tier === undefined || group.tier === tier) && (after === null || comparePlaces(placeOf(group), after) > 0),
  );
  const page = groups.slice(0, limit);
  const last = page.at(-1);
  const shown = page.map(({ items }) => items.slice(0, 1 + RESOLVED_AT_ONCE).map((item) => item.id));
  const found = new Map((await media.findMany(shown.flat())).map((item) => [item.id, item]));
  return {
    items: page.map(({ items, ...group }, at) => ({
      ...group,
      count: items.length,
      media: (shown[at] ?? []).flatMap((itemId) => found.get(itemId) ?? []),
    })),
    nextCursor: groups.length > limit && last ? encodeCursor(placeOf(last)) : null,
  };
}

/** Only what is in one field, and of one type, can be resolved. In the order of the pages. */
function groupsOf(items: readonly PlacedFingerprint[]): DuplicateGroup<PlacedFingerprint>[] {
  const kinds = new Map<string, PlacedFingerprint[]>();
  for (const item of items) {
    const kind = `${item.entityField} ${item.mediaType}`;
    const others = kinds.get(kind);
    if (others) others.push(item);
    else kinds.set(kind, [item]);
  }
  return [...kinds.values()].flatMap(groupDuplicates).sort((a, b) => comparePlaces(placeOf(a), placeOf(b)));
}

/** Tier and id of the first: what is resolved between two pages moves nothing else. */
const placeSchema = z.tuple([z.number().int(), z.number().int()]);
type Place = z.infer<typeof placeSchema>;
const placeOf = ({ tier, items: [first] }: DuplicateGroup<PlacedFingerprint>): Place => [TIER_RANK[tier], first.id];
const comparePlaces = (a: Place, b: Place): number => a[0] - b[0] || a[1] - b[1];
