import { z } from "zod";
import { findEntity, requireFlagger, requireModerator, requireOverseer, requirePrincipal } from "./access.js";
import { type Actor, actorUserId } from "./actor.js";
import { eachOf, type PerItem } from "./batch.js";
import { getMedia } from "./browse.js";
import { decodeCursor, encodeCursor } from "./cursor.js";
import { MediaError, mediaNotFound } from "./errors.js";
import type { ModerationEvent } from "./lifecycle-ports.js";
import { type ManageDeps, reread } from "./manage.js";
import type { Media, ModerationStatus } from "./model.js";
import type { Ref } from "./ports.js";

/** The state machine: which status may follow which. What is rejected stays rejected. */
const TRANSITIONS = {
  pending: ["approved", "rejected"],
  approved: ["flagged"],
  flagged: ["approved", "rejected"],
  rejected: [],
} as const satisfies Record<ModerationStatus, readonly ModerationStatus[]>;

export const DECISIONS = { approve: "approved", reject: "rejected", flag: "flagged" } as const satisfies Record<
  string,
  ModerationStatus
>;
export type Decision = keyof typeof DECISIONS;

/**
 * Decides on an item and writes the decision into its history. Approving and rejecting is the moderators' and admins',
 * never an uploader's approval of his own; flagging is for every user who sees the item, and tokens that moderate.
 * Throws CONFLICT where the decision cannot follow the item's status.
 */
export async function decide(
  deps: ManageDeps,
  actor: Actor,
  ref: Ref,
  { decision, reason }: { decision: Decision; reason: string | null },
): Promise<Media> {
  requirePrincipal(actor);
  if (decision !== "flag") requireModerator(actor);
  const seen = await getMedia(deps, actor, ref);
  if (decision === "flag") requireFlagger(actor);
  if (decision === "approve") refuseOwn(actor, seen);
  return deps.database.transact(async (stores) => {
    const entity = await findEntity(stores.entities, { type: seen.entityType, ref: seen.entityId });
    await stores.entities.lock(entity);
    const media = await reread(stores, seen.id);
    if (media.deletedAt) throw mediaNotFound(ref);
    const now = deps.clock.now();
    const [from, to] = [media.moderationStatus, DECISIONS[decision]];
    requireTransition(from, to);
    await stores.media.update(media.id, { moderationStatus: to }, now);
    await stores.moderation.add({ mediaId: media.id, actorId: actorUserId(actor), from, to, reason, createdAt: now });
    return reread(stores, media.id);
  });
}

function refuseOwn(actor: Actor, media: Media): void {
  if (actorUserId(actor) === null || actorUserId(actor) !== media.uploadedBy) return;
  const reason = "an uploader never approves his own";
  throw new MediaError({ code: "FORBIDDEN", right: "moderate", subject: `media ${media.publicId}`, reason });
}

function requireTransition(from: ModerationStatus, to: ModerationStatus): void {
  const next: readonly ModerationStatus[] = TRANSITIONS[from];
  if (next.includes(to)) return;
  const allowed = next.length === 0 ? "nothing" : next.join(" or ");
  throw new MediaError({ code: "CONFLICT", reason: `An item that is ${from} cannot become ${to}, only ${allowed}.` });
}

export const approveMany = (deps: ManageDeps, actor: Actor, refs: readonly Ref[]): Promise<PerItem> =>
  eachOf(refs, (ref) => decide(deps, actor, ref, { decision: "approve", reason: null }));

const queueCursor = z.tuple([z.iso.datetime(), z.number().int()]);

export type QueueQuery = { status?: ModerationStatus | undefined; limit: number; cursor?: string | undefined };

/** What waits for a decision, oldest first: pending and flagged items, or those of one status. */
export async function moderationQueue(deps: ManageDeps, actor: Actor, { status, limit, cursor }: QueueQuery) {
  requireOverseer(actor);
  const place = cursor === undefined ? null : decodeCursor(cursor, queueCursor);
  const after = place && { createdAt: new Date(place[0]), id: place[1] };
  const statuses = status ? [status] : (["pending", "flagged"] as const);
  const found = await deps.database.media.queue({ statuses, limit: limit + 1, after });
  const items = found.slice(0, limit);
  const last = items.at(-1);
  const nextCursor = found.length > limit && last ? encodeCursor([last.createdAt.toISOString(), last.id]) : null;
  return { items, nextCursor };
}

/** All decisions on an item, oldest first; also of one in the trash. */
export async function moderationHistory(deps: ManageDeps, actor: Actor, ref: Ref): Promise<ModerationEvent[]> {
  requireOverseer(actor);
  const media = await deps.database.media.find(ref);
  if (!media) throw mediaNotFound(ref);
  return deps.database.moderation.history(media.id);
}
