import { and, asc, eq, gt, inArray, isNull, or, type SQL } from "drizzle-orm";
import { alias, type SQLiteColumn } from "drizzle-orm/sqlite-core";
import type { EntityDirectory, EntityTies } from "../src/media/ports.js";
import { type EntityKey, isEntity } from "./entity-row.js";
import type { Scope } from "./scope.js";

/** One query for all facts; a deleted entity, or parent, ties nobody. */
export async function selectTies(scope: Scope, entity: EntityKey, userId: string, now: Date): Promise<EntityTies> {
  const [facts] = await selectFacts(scope, userId).where(isEntity(scope.schema.entities, entity));
  return toTies(facts, userId, now);
}

/** Entities with what may tie the user to each. */
function selectFacts({ db, schema }: Scope, userId: string) {
  const { entities, entityMembers, entityGrants } = schema;
  const parent = alias(entities, "parent");
  const parentMembers = alias(entityMembers, "parent_members");
  const isOf = (member: { entityRowId: SQLiteColumn; userId: SQLiteColumn }, rowId: SQLiteColumn) =>
    and(eq(member.entityRowId, rowId), eq(member.userId, userId));
  return db
    .select({
      entity: { type: entities.type, id: entities.entityId },
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
    .$dynamic();
}

type Facts = Awaited<ReturnType<typeof selectFacts>>[number];

/** Ids are compared once more, because MySQL ignores trailing spaces. */
function toTies(facts: Facts | undefined, userId: string, now: Date): EntityTies {
  const grant = facts?.grant;
  return {
    isOwner: facts?.ownerId === userId,
    isAdmin: facts?.admin === userId,
    isParentOwner: facts?.parentOwnerId === userId,
    isParentAdmin: facts?.parentAdmin === userId,
    hasGrant: grant?.userId === userId && (grant.expiresAt === null || grant.expiresAt > now),
  };
}

type Tied = Awaited<ReturnType<EntityDirectory["tied"]>>;

/**
 * All entities with a tie of the user, by their rows. First the rows that name the user, each found by an index, then
 * these and the children of those the user holds.
 */
export async function selectTied(scope: Scope, userId: string, now: Date, limit: number): Promise<Tied> {
  const { entities } = scope.schema;
  const held = await selectHeld(scope, userId, limit);
  const named = [...held, ...(await selectGranted(scope, { userId, now, limit }))];
  if (named.length === 0) return [];
  const isTied = or(inArray(entities.rowId, named), held.length > 0 ? inArray(entities.parentRowId, held) : undefined);
  const rows = await selectFacts(scope, userId)
    .where(and(isTied, isNull(entities.deletedAt)))
    .orderBy(asc(entities.rowId))
    .limit(limit);
  return rows
    .map((facts) => ({ entity: facts.entity, ties: toTies(facts, userId, now) }))
    .filter(({ ties }) => Object.values(ties).includes(true));
}

/** Rows of entities the user owns or administers. */
async function selectHeld({ db, schema }: Scope, userId: string, limit: number): Promise<number[]> {
  const { entities, entityMembers } = schema;
  const rows = (where: SQL | undefined) =>
    db
      .select({ rowId: entities.rowId })
      .from(entities)
      .where(and(where, isNull(entities.deletedAt)))
      .orderBy(asc(entities.rowId))
      .limit(limit);
  const administered = db
    .select({ rowId: entityMembers.entityRowId })
    .from(entityMembers)
    .where(eq(entityMembers.userId, userId));
  const held = [...(await rows(eq(entities.ownerId, userId))), ...(await rows(inArray(entities.rowId, administered)))];
  return held.map((row) => row.rowId);
}

async function selectGranted({ db, schema }: Scope, query: { userId: string; now: Date; limit: number }) {
  const { entityGrants } = schema;
  const rows = await db
    .select({ rowId: entityGrants.entityRowId })
    .from(entityGrants)
    .where(
      and(
        eq(entityGrants.userId, query.userId),
        or(isNull(entityGrants.expiresAt), gt(entityGrants.expiresAt, query.now)),
      ),
    )
    .orderBy(asc(entityGrants.entityRowId))
    .limit(query.limit);
  return rows.map((row) => row.rowId);
}
