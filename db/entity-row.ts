import { and, eq, isNull, type SQL } from "drizzle-orm";
import { alias, type SQLiteColumn } from "drizzle-orm/sqlite-core";
import type { Entity, EntityTies } from "../src/media/ports.js";
import type { Scope } from "./scope.js";

export type EntityKey = Pick<Entity, "type" | "id">;
export type EntityRow = Scope["schema"]["entities"]["$inferSelect"];

/** Selects entities together with their parents. */
export function selectEntities({ db, schema: { entities } }: Scope) {
  const parent = alias(entities, "parent");
  const selected = {
    rowId: entities.rowId,
    id: entities.entityId,
    type: entities.type,
    publicId: entities.publicId,
    name: entities.name,
    ownerId: entities.ownerId,
    createdAt: entities.createdAt,
    updatedAt: entities.updatedAt,
    parent: { id: parent.entityId, type: parent.type, publicId: parent.publicId },
  };
  return db.select(selected).from(entities).leftJoin(parent, eq(parent.rowId, entities.parentRowId)).$dynamic();
}

type Selected = Awaited<ReturnType<typeof selectEntities>>[number];

export const toEntity = ({ rowId, ...entity }: Selected): Entity => entity;

/** Row of an entity that is not deleted. */
export const isEntity = (entities: Scope["schema"]["entities"], { type, id }: EntityKey): SQL | undefined =>
  and(eq(entities.type, type), eq(entities.entityId, id), isNull(entities.deletedAt));

/** One query for all facts; a deleted entity, or parent, ties nobody. */
export async function selectTies(scope: Scope, entity: EntityKey, userId: string, now: Date): Promise<EntityTies> {
  const { db, schema } = scope;
  const { entities, entityMembers, entityGrants } = schema;
  const parent = alias(entities, "parent");
  const parentMembers = alias(entityMembers, "parent_members");
  const isOf = (member: { entityRowId: SQLiteColumn; userId: SQLiteColumn }, rowId: SQLiteColumn) =>
    and(eq(member.entityRowId, rowId), eq(member.userId, userId));
  const [facts] = await db
    .select({
      ownerId: entities.ownerId,
      parentOwnerId: parent.ownerId,
      admin: entityMembers.userId,
      parentAdmin: parentMembers.userId,
      grant: { userId: entityGrants.userId, expiresAt: entityGrants.expiresAt },
    })
    .from(entities)
    .leftJoin(parent, and(eq(parent.rowId, entities.parentRowId), isNull(parent.deletedAt)))
    .leftJoin(entityMembers, isOf(entityMembers, entities.rowId))
    .leftJoin(parentMembers, isOf(parentMembers, parent.rowId))
    .leftJoin(entityGrants, and(isOf(entityGrants, entities.rowId), eq(entityGrants.right, "upload")))
    .where(isEntity(entities, entity));
  const grant = facts?.grant;
  return {
    isOwner: facts?.ownerId === userId,
    isAdmin: facts?.admin === userId,
    isParentOwner: facts?.parentOwnerId === userId,
    isParentAdmin: facts?.parentAdmin === userId,
    hasGrant: grant?.userId === userId && (grant.expiresAt === null || grant.expiresAt > now),
  };
}
