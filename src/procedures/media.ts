import { z } from "zod";
import { ENTITY_FIELDS } from "../media/attachments.js";
import { getMedia, listGallery } from "../media/browse.js";
import { MODERATION_STATUSES, mediaOutSchema } from "../media/model.js";
import { toMediaOut } from "../media/view.js";
import { entityTypeSchema, refSchema } from "./inputs.js";
import { procedure, router } from "./trpc.js";

const listInput = z.object({
  type: entityTypeSchema,
  id: refSchema,
  field: z.enum(ENTITY_FIELDS).optional(),
  tag: z.string().min(1).max(50).optional(),
  status: z.enum(MODERATION_STATUSES).optional(),
  limit: z.number().int().min(1).max(100).default(50),
  cursor: z.string().max(1000).optional().describe("nextCursor of the page before"),
});

const page = z.object({ items: z.array(mediaOutSchema), total: z.number().int(), nextCursor: z.string().nullable() });

export const mediaRouter = router({
  list: procedure({
    audience: "public",
    summary: "One page of an entity's media, in gallery order",
    rest: [{ method: "GET", path: "/v1/media/entity/{type}/{id}" }],
  })
    .input(listInput)
    .output(page)
    .query(async ({ ctx: { deps, actor }, input }) => {
      const { items, ...rest } = await listGallery(deps, actor, input);
      return { items: await Promise.all(items.map((media) => toMediaOut(deps, media))), ...rest };
    }),

  get: procedure({
    audience: "public",
    summary: "One item, by either id",
    rest: [{ method: "GET", path: "/v1/media/{id}" }],
  })
    .input(z.object({ id: refSchema }))
    .output(mediaOutSchema)
    .query(async ({ ctx: { deps, actor }, input }) => toMediaOut(deps, await getMedia(deps, actor, input.id))),

  getByPublicId: procedure({
    audience: "public",
    summary: "One item, by its public id",
    rest: [{ method: "GET", path: "/v1/media/public/{publicId}" }],
  })
    .input(z.object({ publicId: z.string().min(1).max(64) }))
    .output(mediaOutSchema)
    .query(async ({ ctx: { deps, actor }, input }) => toMediaOut(deps, await getMedia(deps, actor, input.publicId))),
});
