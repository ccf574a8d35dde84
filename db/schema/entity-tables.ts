import type { AnySQLiteColumn } from "drizzle-orm/sqlite-core";
import { ENTITY_TYPE_NAMES } from "../../src/media/attachments.js";
import { TEXT_LIMITS } from "../../src/media/model.js";
import type { Kit } from "../kit.sqlite.js";

/** The directory of what media hangs on, and who stands how to it. `entities` also carries the lock of its galleries. */
export function entityTables(k: Kit) {
  const publicId = (name: string) => k.key(name, TEXT_LIMITS.publicId);
  const entities = k.table(
    "entities",
    {
      rowId: k.serial("row_id"),
      type: k.oneOf("type", ENTITY_TYPE_NAMES).notNull(),
      entityId: k.integer("entity_id").notNull(),
      publicId: publicId("public_id").notNull(),
      ownerId: publicId("owner_id"),
      parentRowId: k.integer("parent_row_id").references((): AnySQLiteColumn => entities.rowId),
      name: k.line("name", 255),
      /** Counted up by every `lock`; the write is what serialises. */
      version: k.integer("version").notNull(),
      createdAt: k.time("created_at").notNull(),
      updatedAt: k.time("updated_at").notNull(),
      deletedAt: k.time("deleted_at"),
    },
    (t) => [
      k.uniqueIndex("entities_type_entity_id_unique").on(t.type, t.entityId),
      k.uniqueIndex("entities_type_public_id_unique").on(t.type, t.publicId),
      k.index("entities_parent_row_id_index").on(t.parentRowId),
      k.index("entities_owner_id_index").on(t.ownerId),
    ],
  );
  const entityRowId = () =>
    k
      .integer("entity_row_id")
      .notNull()
      .references(() => entities.rowId, { onDelete: "cascade" });
  const entityMembers = k.table(
    "entity_members",
    {
      entityRowId: entityRowId(),
      userId: publicId("user_id").notNull(),
      role: k.oneOf("role", ["admin"]).notNull(),
    },
    (t) => [
      k.primaryKey({ name: "entity_members_primary", columns: [t.entityRowId, t.userId] }),
      k.index("entity_members_user_id_index").on(t.userId),
    ],
  );
  const entityGrants = k.table(
    "entity_grants",
    {
      entityRowId: entityRowId(),
      userId: publicId("user_id").notNull(),
      right: k.oneOf("right", ["upload"]).notNull(),
      expiresAt: k.time("expires_at"),
      createdAt: k.time("created_at").notNull(),
    },
    (t) => [
      k.primaryKey({ name: "entity_grants_primary", columns: [t.entityRowId, t.userId, t.right] }),
      k.index("entity_grants_user_id_index").on(t.userId),
    ],
  );
  return { entities, entityMembers, entityGrants };
}
