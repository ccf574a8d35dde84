import { ENTITY_FIELDS, ENTITY_TYPE_NAMES } from "../../src/media/attachments.js";
import { DIRECT_UPLOAD_STATES } from "../../src/media/direct-ports.js";
import type { MediaFailure } from "../../src/media/errors.js";
import type { UploadOutcome } from "../../src/media/lifecycle-ports.js";
import { STORAGE_TYPES, TEXT_LIMITS } from "../../src/media/model.js";
import type { UploadFields } from "../../src/media/upload-fields.js";
import type { Kit } from "../kit.sqlite.js";

/** Tickets of clients that put their bytes into a store themselves. */
export function directTables(k: Kit) {
  const directUploads = k.table(
    "direct_uploads",
    {
      id: k.asciiKey("id", 36).primaryKey(),
      principal: k.key("principal", TEXT_LIMITS.publicId).notNull(),
      entityType: k.oneOf("entity_type", ENTITY_TYPE_NAMES).notNull(),
      entityId: k.integer("entity_id").notNull(),
      entityField: k.oneOf("entity_field", ENTITY_FIELDS).notNull(),
      filename: k.line("filename", TEXT_LIMITS.filename).notNull(),
      contentType: k.line("content_type", 100),
      fileSize: k.bigInteger("file_size").notNull(),
      sha256: k.asciiKey("sha256", 64),
      fields: k.json<UploadFields>("fields").notNull(),
      objectKey: k.key("object_key", 64).notNull(),
      storageType: k.oneOf("storage_type", STORAGE_TYPES).notNull(),
      state: k.oneOf("state", DIRECT_UPLOAD_STATES).notNull(),
      failure: k.json<MediaFailure>("failure"),
      outcome: k.json<UploadOutcome>("outcome"),
      /** Nothing can arrive any more, and what had arrived is gone or promised to the outbox. */
      isCleared: k.boolean("is_cleared").notNull(),
      createdAt: k.time("created_at").notNull(),
      expiresAt: k.time("expires_at").notNull(),
    },
    (t) => [
      k.index("direct_uploads_principal_index").on(t.principal, t.state, t.expiresAt),
      k.index("direct_uploads_expires_at_index").on(t.isCleared, t.expiresAt, t.id),
      k.uniqueIndex("direct_uploads_object_key_unique").on(t.objectKey),
    ],
  );
  return { directUploads };
}
