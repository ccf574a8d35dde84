import { STORAGE_TYPES } from "../../src/media/model.js";
import type { Kit } from "../kit.sqlite.js";

/** Uploads under way, and the processes they belong to. */
export function intentTables(k: Kit) {
  const uploadIntents = k.table(
    "upload_intents",
    {
      id: k.asciiKey("id", 36).primaryKey(),
      mediaPublicId: k.key("media_public_id", 30).notNull(),
      storageType: k.oneOf("storage_type", STORAGE_TYPES).notNull(),
      keys: k.json<string[]>("keys").notNull(),
      instanceId: k.asciiKey("instance_id", 64).notNull(),
      /** Its keys may be removed: the upload failed, or its process is dead. It can't be closed any more. */
      isClaimed: k.boolean("is_claimed").notNull(),
      createdAt: k.time("created_at").notNull(),
    },
    (t) => [k.index("upload_intents_storage_type_index").on(t.storageType, t.createdAt, t.id)],
  );
  const instances = k.table("instances", {
    id: k.asciiKey("id", 64).primaryKey(),
    host: k.line("host", 255).notNull(),
    pid: k.integer("pid").notNull(),
    startedAt: k.time("started_at").notNull(),
    heartbeatAt: k.time("heartbeat_at").notNull(),
  });
  return { uploadIntents, instances };
}
