import { z } from "zod";
import { ACTIONS } from "../media/access.js";
import { checkPermission, grantUpload, listGrants, revokeUpload } from "../media/directory.js";
import type { Grant } from "../media/ports.js";
import { entityTypeSchema, isoDateOut, refSchema } from "./inputs.js";
import { procedure, router } from "./trpc.js";

const grantOut = z.object({
  userId: z.string(),
  right: z.literal("upload"),
  expiresAt: isoDateOut.nullable(),
  createdAt: isoDateOut,
});

const toGrantOut = ({ expiresAt, createdAt, ...grant }: Grant): z.infer<typeof grantOut> => ({
  ...grant,
  expiresAt: expiresAt?.toISOString() ?? null,
  createdAt: createdAt.toISOString(),
});

const at = z.object({ type: entityTypeSchema, publicId: refSchema });
const atUser = at.extend({ userId: z.string().min(1).max(64) });

export const permissionsRouter = router({
  check: procedure({
    audience: "public",
    summary: "Whether the caller may do this, and why",
    rest: [{ method: "GET", path: "/v1/permissions/check" }],
  })
    .input(z.object({ action: z.enum(ACTIONS), type: entityTypeSchema, id: refSchema }))
    .output(z.object({ allowed: z.boolean(), right: z.enum(ACTIONS), reason: z.string() }))
    .query(({ ctx: { deps, actor }, input: { action, type, id } }) =>
      checkPermission(deps, actor, { type, ref: id, action }),
    ),

  grant: procedure({
    audience: "manager",
    summary: "Let a user upload to one entity, until a time",
    rest: [{ method: "PUT", path: "/v1/entities/{type}/{publicId}/grants/{userId}" }],
  })
    .input(
      atUser.extend({
        right: z.literal("upload"),
        expiresAt: z.iso.datetime({ offset: true }).nullable().optional(),
      }),
    )
    .output(grantOut)
    .mutation(async ({ ctx: { deps, actor }, input: { type, publicId, userId, expiresAt } }) => {
      const until = expiresAt ? new Date(expiresAt) : null;
      return toGrantOut(await grantUpload(deps, actor, { type, ref: publicId, userId, expiresAt: until }));
    }),

  revoke: procedure({
    audience: "manager",
    summary: "Take a grant back",
    rest: [{ method: "DELETE", path: "/v1/entities/{type}/{publicId}/grants/{userId}" }],
  })
    .input(atUser)
    .output(z.object({ message: z.string() }))
    .mutation(async ({ ctx: { deps, actor }, input: { type, publicId, userId } }) => {
      await revokeUpload(deps, actor, { type, ref: publicId, userId });
      return { message: "The grant was taken back." };
    }),

  list: procedure({
    audience: "manager",
    summary: "All grants of an entity, expired ones included",
    rest: [{ method: "GET", path: "/v1/entities/{type}/{publicId}/grants" }],
  })
    .input(at)
    .output(z.object({ items: z.array(grantOut) }))
    .query(async ({ ctx: { deps, actor }, input: { type, publicId } }) => ({
      items: (await listGrants(deps, actor, { type, ref: publicId })).map(toGrantOut),
    })),
});
