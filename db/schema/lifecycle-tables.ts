import type { UploadOutcome } from "../../src/media/lifecycle-ports.js";
import { MODERATION_STATUSES, STORAGE_TYPES, TEXT_LIMITS } from "../../src/media/model.js";
import type { Kit } from "../kit.sqlite.js";

/** What happens to items after, and around, their upload: decisions, deletions, and uploads that may come twice. */
export function lifecycleTables(k: Kit) {
  const moderationEvents = k.table(
    "moderation_events",
    {
      id: k.serial("id"),
      /** No reference: what was decided stays on record when the item is gone. */
      mediaId: k.integer("media_id").notNull(),
      actorId: k.key("actor_id", TEXT_LIMITS.publicId),
      fromStatus: k.oneOf("from_status", MODERATION_STATUSES).notNull(),
      toStatus: k.oneOf("to_status", MODERATION_STATUSES).notNull(),
      reason: k.prose("reason"),
      createdAt: k.time("created_at").notNull(),
    },
    (t) => [k.index("moderation_events_media_id_index").on(t.mediaId, t.id)],
  );
  const objectDeletions = k.table(
    "object_deletions",
    {
      id: k.serial("id"),
      objectKey: k.prose("object_key").notNull(),
      /** SHA-256 of the key, hex. A stray object's key may be longer than an index takes. */
      keyDigest: k.asciiKey("key_digest", 64).notNull(),
      storageType: k.oneOf("storage_type", STORAGE_TYPES).notNull(),
      attempts: k.integer("attempts").notNull(),
      runAfter: k.time("run_after").notNull(),
      createdAt: k.time("created_at").notNull(),
      /** These three where the object is served until its time comes: the item it belonged to, and what it is. */
      mediaId: k.integer("media_id"),
      contentType: k.line("content_type", 127),
      fileSize: k.bigInteger("file_size"),
    },
    (t) => [
      k.index("object_deletions_due_index").on(t.storageType, t.runAfter, t.id),
      k.index("object_deletions_media_id_index").on(t.mediaId),
      k.index("object_deletions_key_digest_index").on(t.keyDigest, t.storageType),
    ],
  );
  const idempotencyKeys = k.table(
    "idempotency_keys",
    {
      principal: k.key("principal", TEXT_LIMITS.publicId).notNull(),
      key: k.key("idempotency_key", 255).notNull(),
      fingerprint: k.asciiKey("fingerprint", 64).notNull(),
      /** NULL until the upload is committed. */
      outcome: k.json<UploadOutcome>("outcome"),
      instanceId: k.asciiKey("instance_id", 64).notNull(),
      /** Counted up by every request after the first; the write is what serialises them. */
      repeats: k.integer("repeats").notNull(),
      createdAt: k.time("created_at").notNull(),
    },
    (t) => [
      k.primaryKey({ name: "idempotency_keys_primary", columns: [t.principal, t.key] }),
      k.index("idempotency_keys_created_at_index").on(t.createdAt),
    ],
  );
  return { moderationEvents, objectDeletions, idempotencyKeys };
}
