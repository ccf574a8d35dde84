import { and, asc, eq, gt, isNull, sql } from "drizzle-orm";
import { MediaError } from "../src/media/errors.js";
import type { EntityDirectory } from "../src/media/ports.js";
import { type EntityKey, isEntity, selectEntities, toEntity } from "./entity-row.js";
import { selectTied, selectTies } from "./entity-ties.js";
import { upsertEntity } from "./entity-upsert.js";
import { chooseByRef, matchesRef } from "./refs.js";
import type { Scope } from "./scope.js";

export function createEntityDirectory(scope: Scope): EntityDirectory {
  const { db, schema, dialect } = scope;
  const { entities } = schema;

  return {
    async find(type, ref) {
      const isMeant = matchesRef({ id: entities.entityId, publicId: entities.publicId }, ref);
      const rows = await selectEntities(scope).where(and(eq(entities.type, type), isNull(entities.deletedAt), isMeant));
      return chooseByRef(rows.map(toEntity), ref);
    },

    ties: (entity, userId, now) => selectTies(scope, entity, userId, now),
    tied: (userId, now, limit) => selectTied(scope, userId, now, limit),

    async lock(entity) {
      if (!scope.inTransaction) throw new TypeError("lock holds until the transaction ends: call it inside transact.");
      const locked = await db
        .update(entities)
        .set({ version: sql`${entities.version} + 1` })
        .where(isEntity(entities, entity));
      return dialect.affected(locked) === 1;
    },

    upsert: (entity, now) =>
      scope.atomically(async (inner) => {
        await upsertEntity(inner, entity, now);
        const stored = await createEntityDirectory(inner).find(entity.type, entity.publicId);
        if (!stored) throw new Error(`${entity.type} "${entity.publicId}" is not there after its upsert.`);
        return stored;
      }),

    async children(entity) {
      const rows = await selectEntities(scope)
        .where(and(eq(entities.parentRowId, rowIdOf(scope, entity)), isNull(entities.deletedAt)))
        .orderBy(asc(entities.type), asc(entities.entityId));
      return rows.map(toEntity);
    },

    async list({ type, limit, after }) {
      const isBehind = after === null ? undefined : gt(entities.entityId, after);
      const rows = await selectEntities(scope)
        .where(and(eq(entities.type, type), isNull(entities.deletedAt), isBehind))
        .orderBy(asc(entities.entityId))
        .limit(limit + 1);
      const items = rows.slice(0, limit).map(toEntity);
      return { items, nextAfter: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
    },

    async delete(entity, now) {
      await db.update(entities).set({ deletedAt: now, updatedAt: now }).where(isEntity(entities, entity));
    },

    ...rights(scope),
  };
}

type Rights = Pick<EntityDirectory, "adminIds" | "grant" | "revoke" | "grants">;

/** Who is set beside the owner: administrators, and users with a grant. */
function rights(scope: Scope): Rights {
  const { db, schema, dialect } = scope;
  const { entityMembers, entityGrants } = schema;

  return {
    async adminIds(entity) {
      const rows = await db
        .select({ userId: entityMembers.userId })
        .from(entityMembers)
        .where(eq(entityMembers.entityRowId, rowIdOf(scope, entity)))
        .orderBy(asc(entityMembers.userId));
      return rows.map((row) => row.userId);
    },

    grant: (entity, { userId, right, expiresAt }, now) =>
      scope.atomically(async (inner) => {
        const entityRowId = await requireRowId(inner, entity);
        const row = { entityRowId, userId, right, expiresAt, createdAt: now };
        const key = [entityGrants.entityRowId, entityGrants.userId, entityGrants.right];
        await dialect.upsert(inner.db.insert(entityGrants).values(row), key, { expiresAt, createdAt: now });
        return { userId, right, expiresAt, createdAt: now };
      }),

    async revoke(entity, userId) {
      const isGrant = and(eq(entityGrants.entityRowId, rowIdOf(scope, entity)), eq(entityGrants.userId, userId));
      return dialect.affected(await db.delete(entityGrants).where(isGrant)) > 0;
    },

    grants: (entity) =>
      db
        .select({
          userId: entityGrants.userId,
          right: entityGrants.right,
          expiresAt: entityGrants.expiresAt,
          createdAt: entityGrants.createdAt,
        })
        .from(entityGrants)
        .where(eq(entityGrants.entityRowId, rowIdOf(scope, entity)))
        .orderBy(asc(entityGrants.createdAt), asc(entityGrants.userId)),
  };
}

/** The entity's row as a subquery; no row where it is deleted. */
const rowIdOf = ({ db, schema: { entities } }: Scope, entity: EntityKey) =>
  sql`(${db.select({ rowId: entities.rowId }).from(entities).where(isEntity(entities, entity))})`;

async function requireRowId({ db, schema: { entities } }: Scope, entity: EntityKey): Promise<number> {
  const [row] = await db.select({ rowId: entities.rowId }).from(entities).where(isEntity(entities, entity));
  if (!row) throw new MediaError({ code: "ENTITY_NOT_FOUND", entityType: entity.type, entityId: String(entity.id) });
  return row.rowId;
}
