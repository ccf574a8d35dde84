import { and, eq, isNull, type SQL } from "drizzle-orm";
import { alias } from "drizzle-orm/sqlite-core";
import type { Entity } from "../src/media/ports.js";
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
