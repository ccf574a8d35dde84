import { z } from "zod";
import { ENTITY_FIELDS } from "../media/attachments.js";
import { DUPLICATE_SCOPES, duplicatesOf, duplicatesOfEntity, RESOLVED_AT_ONCE } from "../media/duplicates.js";
import { mediaOutSchema } from "../media/model.js";
import { DUPLICATE_TIERS } from "../media/near-duplicates.js";
import { resolveDuplicates } from "../media/resolve-duplicates.js";
import { toMediaOut } from "../media/view.js";
import { entityTypeSchema, refSchema } from "./inputs.js";
import { procedure } from "./trpc.js";

/** Those of the `media` group that are about pictures that look alike. */
export const duplicateProcedures = {
  duplicates: procedure({
    audience: "public",
    summary:
      "What looks like this item within its entity, or for moderators everywhere: exact, same and similar, nearest first",
    rest: [{ method: "GET", path: "/v1/media/{id}/duplicates" }],
  })
    .input(z.object({ id: refSchema, scope: z.enum(DUPLICATE_SCOPES).default("entity") }))
    .output(
      z.object({
        items: z.array(z.object({ publicId: z.string(), distance: z.number().int(), tier: z.enum(DUPLICATE_TIERS) })),
      }),
    )
    .query(async ({ ctx: { deps, actor }, input }) => ({ items: await duplicatesOf(deps, actor, input) })),

  duplicatesOfEntity: procedure({
    audience: "manager",
    summary:
      "Groups of like items within each gallery of an entity, the one to keep first: what duplicates/resolve takes",
    rest: [{ method: "GET", path: "/v1/media/entity/{type}/{id}/duplicates" }],
  })
    .input(
      z.object({
        type: entityTypeSchema,
        id: refSchema,
        field: z.enum(ENTITY_FIELDS).optional(),
        tier: z.enum(DUPLICATE_TIERS).optional().describe("One of the three alone"),
        limit: z.number().int().min(1).max(50).default(20),
        cursor: z.string().max(1000).optional().describe("nextCursor of the page before"),
      }),
    )
    .output(
      z.object({
        items: z.array(
          z.object({
            tier: z.enum(DUPLICATE_TIERS),
            distance: z.number().int().describe("The greatest from the first to another, of 64"),
            count: z.number().int().describe("All of them; media has the first 101 at most"),
            media: z.array(mediaOutSchema),
          }),
        ),
        nextCursor: z.string().nullable(),
      }),
    )
    .query(async ({ ctx: { deps, actor }, input }) => {
      const { items, nextCursor } = await duplicatesOfEntity(deps, actor, input);
      const views = items.map(async ({ media, ...group }) => ({
        ...group,
        media: await Promise.all(media.map((item) => toMediaOut(deps, item))),
      }));
      return { items: await Promise.all(views), nextCursor };
    }),

  resolveDuplicates: procedure({
    audience: "manager",
    summary:
      "Keep one of several like items of a gallery, with the place, tags and texts of all; the others go to the trash",
    rest: [{ method: "POST", path: "/v1/media/{id}/duplicates/resolve" }],
  })
    .input(
      z.object({
        id: refSchema.describe("The item to keep"),
        mediaIds: z.array(refSchema).min(1).max(RESOLVED_AT_ONCE),
      }),
    )
    .output(mediaOutSchema)
    .mutation(async ({ ctx: { deps, actor }, input }) => toMediaOut(deps, await resolveDuplicates(deps, actor, input))),
};
