import { and, eq, max } from "drizzle-orm";
import { MediaError } from "../src/media/errors.js";
import type { EntityUpsert } from "../src/media/ports.js";
import { violatedUniqueIndex } from "./driver-errors.js";
import type { EntityRow } from "./entity-row.js";
import type { Scope } from "./scope.js";

/** Others may take the next integer between our reading it and using it; each time one of us all succeeds. */
const ATTEMPTS = 100;

/** Creates, updates or revives the row and, where they are given, replaces its administrators. */
export async function upsertEntity(scope: Scope, entity: EntityUpsert, now: Date): Promise<void> {
  const parentRowId = await parentOf(scope, entity);
  const rowId = await upsertRow(scope, entity, { parentRowId, now });
  if (entity.adminIds) await replaceAdmins(scope, rowId, entity.adminIds);
}

type Resolved = { parentRowId: number | null | undefined; now: Date };

async function upsertRow(scope: Scope, entity: EntityUpsert, resolved: Resolved): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const stored = await findRow(scope, entity);
    try {
      if (stored) await updateRow(scope, stored, entity, resolved);
      else await insertRow(scope, entity, resolved);
      return stored?.rowId ?? (await findRow(scope, entity))?.rowId ?? notThere(entity);
    } catch (error) {
      if (attempt >= ATTEMPTS || !isLostRace(error, entity)) throw error;
    }
  }
}

/** An integer id the caller asked for stays taken; one we counted out, or a public id, is looked up anew. */
function isLostRace(error: unknown, entity: EntityUpsert): boolean {
  const index = violatedUniqueIndex(error);
  if (index === "entities_type_entity_id_unique") return entity.id === undefined;
  return index === "entities_type_public_id_unique";
}

/** Deleted ones too. */
async function findRow({ db, schema }: Scope, { type, publicId }: Pick<EntityUpsert, "type" | "publicId">) {
  const { entities } = schema;
  const rows = await db
    .select()
    .from(entities)
    .where(and(eq(entities.type, type), eq(entities.publicId, publicId)));
  return rows.find((row) => row.publicId === publicId);
}

/** Undefined where the caller says nothing of a parent. */
async function parentOf(scope: Scope, { parent }: EntityUpsert): Promise<number | null | undefined> {
  if (!parent) return parent;
  const row = await findRow(scope, parent);
  return row && row.deletedAt === null ? row.rowId : notThere(parent);
}

function notThere({ type, publicId }: Pick<EntityUpsert, "type" | "publicId">): never {
  throw new MediaError({ code: "ENTITY_NOT_FOUND", entityType: type, entityId: publicId });
}

async function updateRow({ db, schema }: Scope, stored: EntityRow, entity: EntityUpsert, resolved: Resolved) {
  if (entity.id !== undefined && entity.id !== stored.entityId) {
    const reason = `${entity.type} "${entity.publicId}" has the integer id ${stored.entityId}, which cannot change.`;
    throw new MediaError({ code: "CONFLICT", reason });
  }
  const { parentRowId, now } = resolved;
  // drizzle leaves out what is undefined, which is what absent means.
  const given = { ownerId: entity.ownerId, name: entity.name, parentRowId };
  await db
    .update(schema.entities)
    .set({ ...given, updatedAt: now, deletedAt: null })
    .where(eq(schema.entities.rowId, stored.rowId));
}

async function insertRow(scope: Scope, entity: EntityUpsert, { parentRowId, now }: Resolved): Promise<void> {
  await scope.db.insert(scope.schema.entities).values({
    type: entity.type,
    publicId: entity.publicId,
    entityId: entity.id ?? (await nextId(scope, entity.type)),
    ownerId: entity.ownerId ?? null,
    parentRowId: parentRowId ?? null,
    name: entity.name ?? null,
    version: 0,
    createdAt: now,
    updatedAt: now,
    deletedAt: null,
  });
}

async function nextId({ db, schema: { entities } }: Scope, type: EntityUpsert["type"]): Promise<number> {
  const [row] = await db
    .select({ last: max(entities.entityId) })
    .from(entities)
    .where(eq(entities.type, type));
  return (row?.last ?? 0) + 1;
}

async function replaceAdmins({ db, schema }: Scope, entityRowId: number, userIds: readonly string[]): Promise<void> {
  const { entityMembers } = schema;
  await db.delete(entityMembers).where(eq(entityMembers.entityRowId, entityRowId));
  const members = [...new Set(userIds)].map((userId) => ({ entityRowId, userId, role: "admin" as const }));
  if (members.length > 0) await db.insert(entityMembers).values(members);
}
