import { z } from "zod";
import { findEntity } from "../media/access.js";
import { deleteEntity, upsertEntity } from "../media/directory.js";
import type { Entity, EntityDirectory } from "../media/ports.js";
import { entityTypeSchema, isoDateOut, newPublicIdSchema, refSchema } from "./inputs.js";
import { procedure, router } from "./trpc.js";

const userIdSchema = z.string().min(1).max(64).describe("Public id of a user");

const entityOut = z.object({
  id: z.number().int(),
  type: entityTypeSchema,
  publicId: z.string(),
  name: z.string().nullable(),
  ownerId: z.string().nullable(),
  parentId: z.string().nullable().describe("Public id of the parent"),
  adminIds: z.array(z.string()),
  createdAt: isoDateOut,
  updatedAt: isoDateOut,
});

async function toEntityOut(entities: EntityDirectory, entity: Entity): Promise<z.infer<typeof entityOut>> {
  const { parent, createdAt, updatedAt, ...rest } = entity;
  return {
    ...rest,
    parentId: parent?.publicId ?? null,
    adminIds: await entities.adminIds(entity),
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
}

const at = z.object({ type: entityTypeSchema, publicId: refSchema });

export const entitiesRouter = router({
  upsert: procedure({
    audience: "service",
    summary: "Create or update an entity of the platform; absent fields are left, null clears",
    rest: [{ method: "PUT", path: "/v1/entities/{type}/{publicId}" }],
  })
    .input(
      z.object({
        type: entityTypeSchema,
        publicId: newPublicIdSchema,
        id: z.number().int().positive().max(2_147_483_647).optional(),
        ownerId: userIdSchema.nullable().optional(),
        parentId: z.string().min(1).max(64).nullable().optional(),
        name: z.string().max(255).nullable().optional(),
        adminIds: z.array(userIdSchema).max(1000).optional(),
      }),
    )
    .output(entityOut)
    .mutation(async ({ ctx: { deps }, input }) => toEntityOut(deps.database.entities, await upsertEntity(deps, input))),

  get: procedure({
    audience: "signed-in",
    summary: "One entity, by either id",
    rest: [{ method: "GET", path: "/v1/entities/{type}/{publicId}" }],
  })
    .input(at)
    .output(entityOut)
    .query(async ({ ctx: { deps }, input }) => {
      const { entities } = deps.database;
      return toEntityOut(entities, await findEntity(entities, { type: input.type, ref: input.publicId }));
    }),

  list: procedure({
    audience: "service",
    summary: "Entities of one type, by integer id",
    rest: [{ method: "GET", path: "/v1/entities/{type}" }],
  })
    .input(
      z.object({
        type: entityTypeSchema,
        limit: z.number().int().min(1).max(100).default(50),
        cursor: z.number().int().nonnegative().optional(),
      }),
    )
    .output(z.object({ items: z.array(entityOut), nextCursor: z.number().int().nullable() }))
    .query(async ({ ctx: { deps }, input: { type, limit, cursor } }) => {
      const { entities } = deps.database;
      const { items, nextAfter } = await entities.list({ type, limit, after: cursor ?? null });
      return { items: await Promise.all(items.map((e) => toEntityOut(entities, e))), nextCursor: nextAfter };
    }),

  setMembers: procedure({
    audience: "service",
    summary: "Replace the admins of an entity",
    rest: [{ method: "PUT", path: "/v1/entities/{type}/{publicId}/members" }],
  })
    .input(at.extend({ adminIds: z.array(userIdSchema).max(1000) }))
    .output(entityOut)
    .mutation(async ({ ctx: { deps }, input: { type, publicId, adminIds } }) => {
      const { entities } = deps.database;
      const entity = await findEntity(entities, { type, ref: publicId });
      return toEntityOut(entities, await upsertEntity(deps, { type, publicId: entity.publicId, adminIds }));
    }),

  delete: procedure({
    audience: "service",
    summary: "Remove an entity and what hangs below it; their media go to the trash",
    rest: [{ method: "DELETE", path: "/v1/entities/{type}/{publicId}" }],
  })
    .input(at)
    .output(z.object({ message: z.string(), deletedId: z.string() }))
    .mutation(async ({ ctx: { deps }, input }) => {
      const entity = await deleteEntity(deps, { type: input.type, ref: input.publicId });
      return { message: "The entity was removed; its media are in the trash.", deletedId: entity.publicId };
    }),
});
