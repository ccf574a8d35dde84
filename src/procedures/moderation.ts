import { z } from "zod";
import { findVisible } from "../media/browse.js";
import { MODERATION_STATUSES, mediaOutSchema } from "../media/model.js";
import {
  approveMany,
  DECISIONS,
  type Decision,
  decide,
  moderationHistory,
  moderationQueue,
} from "../media/moderate.js";
import type { Ref } from "../media/ports.js";
import { toMediaOut } from "../media/view.js";
import { isoDateOut, perItemFailures, refSchema, refsSchema } from "./inputs.js";
import { type ProcedureContext, procedure, router } from "./trpc.js";

const decisionInput = z.object({ id: refSchema, reason: z.string().trim().max(1000).nullish() });
type DecisionInput = { id: Ref; reason?: string | null | undefined };

type Call = { ctx: ProcedureContext; input: DecisionInput };

const apply =
  (decision: "approve" | "reject") =>
  async ({ ctx: { deps, actor }, input: { id, reason } }: Call) =>
    toMediaOut(deps, await decide(deps, actor, id, { decision, reason: reason || null }));

/** Whoever flags an item that is not his sees it no longer: the addresses he gets back do not work. */
async function flag({ ctx: { deps, actor }, input: { id, reason } }: Call) {
  const flagged = await decide(deps, actor, id, { decision: "flag", reason: reason || null });
  const seen = await findVisible(deps, actor, flagged.id);
  return toMediaOut(deps, flagged, { isSigned: seen !== undefined });
}

export const moderationRouter = router({
  queue: procedure({
    audience: "overseer",
    summary: "What waits for a decision, oldest first: pending and flagged items, or those of one status",
    rest: [{ method: "GET", path: "/v1/media/moderation/queue" }],
  })
    .input(
      z.object({
        status: z.enum(MODERATION_STATUSES).optional(),
        limit: z.number().int().min(1).max(100).default(50),
        cursor: z.string().max(1000).optional(),
      }),
    )
    .output(z.object({ items: z.array(mediaOutSchema), nextCursor: z.string().nullable() }))
    .query(async ({ ctx: { deps, actor }, input }) => {
      const { items, nextCursor } = await moderationQueue(deps, actor, input);
      return { items: await Promise.all(items.map((media) => toMediaOut(deps, media))), nextCursor };
    }),

  approve: procedure({ audience: "moderator", summary: "Show a pending or flagged item" })
    .input(decisionInput)
    .output(mediaOutSchema)
    .mutation(apply("approve")),

  reject: procedure({ audience: "moderator", summary: "Take a pending or flagged item out of service" })
    .input(decisionInput)
    .output(mediaOutSchema)
    .mutation(apply("reject")),

  flag: procedure({ audience: "signed-in", summary: "Report an approved item, for anyone who sees it" })
    .input(decisionInput)
    .output(mediaOutSchema)
    .mutation(flag),

  decide: procedure({
    audience: "signed-in",
    summary: "Approve, reject or flag; approving and rejecting is the moderators'",
    rest: [{ method: "POST", path: "/v1/media/{id}/moderation" }],
  })
    .input(decisionInput.extend({ decision: z.enum(Object.keys(DECISIONS) as [Decision, ...Decision[]]) }))
    .output(mediaOutSchema)
    .mutation((call) => (call.input.decision === "flag" ? flag(call) : apply(call.input.decision)(call))),

  batchApprove: procedure({
    audience: "moderator",
    summary: "Approve up to 100 items, each for itself",
    rest: [{ method: "POST", path: "/v1/media/batch/approve", arrayInput: "mediaIds" }],
  })
    .input(z.object({ mediaIds: refsSchema }))
    .output(perItemFailures.extend({ approved: z.array(refSchema), approvedCount: z.number().int() }))
    .mutation(async ({ ctx: { deps, actor }, input }) => {
      const { done, failed } = await approveMany(deps, actor, input.mediaIds);
      const message = `${done.length} of ${input.mediaIds.length} items were approved.`;
      return { approved: done, approvedCount: done.length, failed, failedCount: failed.length, message };
    }),

  history: procedure({
    audience: "overseer",
    summary: "Every decision on an item, oldest first",
    rest: [
      { method: "GET", path: "/v1/media/{id}/moderation/history" },
      { method: "GET", path: "/v1/media/{id}/history" },
    ],
  })
    .input(z.object({ id: refSchema }))
    .output(
      z.object({
        items: z.array(
          z.object({
            actorId: z.string().nullable().describe("Public id of who decided; null for a service"),
            from: z.enum(MODERATION_STATUSES),
            to: z.enum(MODERATION_STATUSES),
            reason: z.string().nullable(),
            createdAt: isoDateOut,
          }),
        ),
      }),
    )
    .query(async ({ ctx: { deps, actor }, input }) => {
      const events = await moderationHistory(deps, actor, input.id);
      const toOut = ({ actorId, from, to, reason, createdAt }: (typeof events)[number]) => ({
        actorId,
        from,
        to,
        reason,
        createdAt: createdAt.toISOString(),
      });
      return { items: events.map(toOut) };
    }),
});
