import { z } from "zod";
import { ENTITY_FIELDS } from "../media/attachments.js";
import { getMedia, listGallery } from "../media/browse.js";
import { updateMedia } from "../media/edit.js";
import {
  isWithoutNul,
  MEDIA_TYPES,
  MODERATION_STATUSES,
  mediaOutSchema,
  NUL_REFUSED,
  TEXT_LIMITS,
} from "../media/model.js";
import { deleteForEver, restoreMedia, trashMany, trashMedia } from "../media/remove.js";
import { moveMedia, reorderGallery } from "../media/reorder.js";
import { searchMedia } from "../media/search.js";
import { tagsSchema } from "../media/upload-fields.js";
import { toMediaOut } from "../media/view.js";
import { duplicateProcedures } from "./duplicates.js";
import { entityTypeSchema, perItemFailures, refSchema, refsSchema, timeSchema } from "./inputs.js";
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

const toDate = (time: string | undefined): Date | undefined => (time === undefined ? undefined : new Date(time));

/** A day without a time is meant to its end. */
const toEnd = (time: string | undefined): Date | undefined =>
  toDate(time?.length === "YYYY-MM-DD".length ? `${time}T23:59:59.999Z` : time);

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

  update: procedure({
    audience: "manager",
    summary: "Change what is said of an item; null clears, absent leaves",
    rest: [{ method: "PATCH", path: "/v1/media/{id}" }],
  })
    .input(
      z.strictObject({
        id: refSchema,
        altText: z.string().max(TEXT_LIMITS.altText).refine(isWithoutNul, NUL_REFUSED).nullable().optional(),
        caption: z.string().max(TEXT_LIMITS.caption).refine(isWithoutNul, NUL_REFUSED).nullable().optional(),
        tags: tagsSchema.nullable().optional(),
        isPublic: z.boolean().optional(),
        isPrimary: z.boolean().optional(),
        focalPoint: z
          .object({ x: z.number().min(0).max(1), y: z.number().min(0).max(1) })
          .nullable()
          .optional(),
      }),
    )
    .output(mediaOutSchema)
    .mutation(async ({ ctx: { deps, actor }, input: { id, ...edit } }) =>
      toMediaOut(deps, await updateMedia(deps, actor, id, edit)),
    ),

  setPrimary: procedure({ audience: "manager", summary: "Make an item the primary one of its field" })
    .input(z.object({ id: refSchema }))
    .output(mediaOutSchema)
    .mutation(async ({ ctx: { deps, actor }, input }) =>
      toMediaOut(deps, await updateMedia(deps, actor, input.id, { isPrimary: true })),
    ),

  reorder: procedure({
    audience: "manager",
    summary: "Put a whole gallery into the order given; every item must be named once",
    rest: [{ method: "POST", path: "/v1/media/entity/{type}/{id}/reorder" }],
  })
    .input(
      z.object({
        type: entityTypeSchema,
        id: refSchema,
        field: z.enum(ENTITY_FIELDS),
        mediaIds: z.array(refSchema).max(10_000),
      }),
    )
    .output(z.object({ items: z.array(mediaOutSchema) }))
    .mutation(async ({ ctx: { deps, actor }, input }) => {
      const ordered = await reorderGallery(deps, actor, input);
      return { items: await Promise.all(ordered.map((media) => toMediaOut(deps, media))) };
    }),

  move: procedure({
    audience: "manager",
    summary: "Move one item right before or right after another of its gallery",
    rest: [{ method: "POST", path: "/v1/media/{id}/move" }],
  })
    .input(
      z
        .object({ id: refSchema, before: refSchema.optional(), after: refSchema.optional() })
        .refine(({ before, after }) => (before === undefined) !== (after === undefined), "give either before or after"),
    )
    .output(mediaOutSchema)
    .mutation(async ({ ctx: { deps, actor }, input: { id, before, after } }) => {
      const target = before === undefined ? { after: after ?? "" } : { before };
      return toMediaOut(deps, await moveMedia(deps, actor, id, target));
    }),

  delete: procedure({
    audience: "manager",
    summary: "Send an item to the trash; with permanent, for administrators, remove it for good",
    rest: [{ method: "DELETE", path: "/v1/media/{id}" }],
  })
    .input(z.object({ id: refSchema, permanent: z.boolean().optional() }))
    .output(z.object({ message: z.string(), deletedId: z.number().int() }))
    .mutation(async ({ ctx: { deps, actor }, input: { id, permanent } }) => {
      const media = await (permanent ? deleteForEver : trashMedia)(deps, actor, id);
      const message = permanent ? "The item was removed for good." : "The item is in the trash.";
      return { message, deletedId: media.id };
    }),

  restore: procedure({
    audience: "manager",
    summary: "Take an item out of the trash to its old place",
    rest: [{ method: "POST", path: "/v1/media/{id}/restore" }],
  })
    .input(z.object({ id: refSchema }))
    .output(mediaOutSchema)
    .mutation(async ({ ctx: { deps, actor }, input }) => toMediaOut(deps, await restoreMedia(deps, actor, input.id))),

  batchDelete: procedure({
    audience: "manager",
    summary: "Send up to 100 items to the trash, each for itself",
    rest: [{ method: "POST", path: "/v1/media/batch/delete", arrayInput: "mediaIds" }],
  })
    .input(z.object({ mediaIds: refsSchema }))
    .output(perItemFailures.extend({ deleted: z.array(refSchema), deletedCount: z.number().int() }))
    .mutation(async ({ ctx: { deps, actor }, input }) => {
      const { done, failed } = await trashMany(deps, actor, input.mediaIds);
      const message = `${done.length} of ${input.mediaIds.length} items are in the trash.`;
      return { deleted: done, deletedCount: done.length, failed, failedCount: failed.length, message };
    }),

  search: procedure({
    audience: "public",
    summary: "Items by words, tag, type, status, uploader and date, newest first, as far as the caller may see them",
    rest: [{ method: "GET", path: "/v1/media/search" }],
  })
    .input(
      z.object({
        q: z
          .string()
          .max(200)
          .optional()
          .describe(
            "Words of alt text, caption or file name. All must be there; each may be the beginning of one, in either case, with or without its accents",
          ),
        tag: z.string().min(1).max(TEXT_LIMITS.tag).optional(),
        type: z.enum(MEDIA_TYPES).optional(),
        status: z.enum(MODERATION_STATUSES).optional(),
        uploader: z.string().min(1).max(TEXT_LIMITS.publicId).optional().describe("Public id of a user"),
        from: timeSchema.optional(),
        to: timeSchema.optional(),
        limit: z.number().int().min(1).max(100).default(50),
        cursor: z.string().max(1000).optional(),
      }),
    )
    .output(z.object({ items: z.array(mediaOutSchema), nextCursor: z.string().nullable() }))
    .query(async ({ ctx: { deps, actor }, input: { q, type, uploader, from, to, ...rest } }) => {
      const when = { from: toDate(from), to: toEnd(to) };
      const query = { ...rest, ...when, text: q?.trim() || undefined, mediaType: type, uploadedBy: uploader };
      const { items, nextCursor } = await searchMedia(deps, actor, query);
      return { items: await Promise.all(items.map((media) => toMediaOut(deps, media))), nextCursor };
    }),

  ...duplicateProcedures,
});
