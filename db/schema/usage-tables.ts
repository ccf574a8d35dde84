import { ENTITY_FIELDS, ENTITY_TYPE_NAMES } from "../../src/media/attachments.js";
import { MEDIA_TYPES, MODERATION_STATUSES, TEXT_LIMITS } from "../../src/media/model.js";
import type { Kit } from "../kit.sqlite.js";

/**
 * Running totals over `media`. The dimensions are the primary keys: counting up a row then locks that row alone on
 * MySQL, where a second unique index would lock the gap beside it too.
 */
export function usageTables(k: Kit) {
  const usageCounters = k.table(
    "usage_counters",
    {
      entityType: k.oneOf("entity_type", ENTITY_TYPE_NAMES).notNull(),
      entityField: k.oneOf("entity_field", ENTITY_FIELDS).notNull(),
      mediaType: k.oneOf("media_type", MEDIA_TYPES).notNull(),
      moderationStatus: k.oneOf("moderation_status", MODERATION_STATUSES).notNull(),
      /** Empty for what services uploaded: NULL is never equal to NULL in a key. */
      uploadedBy: k.key("uploaded_by", TEXT_LIMITS.publicId).notNull(),
      isTrashed: k.boolean("is_trashed").notNull(),
      items: k.bigInteger("items").notNull(),
      originalBytes: k.bigInteger("original_bytes").notNull(),
      variants: k.bigInteger("variants").notNull(),
      variantBytes: k.bigInteger("variant_bytes").notNull(),
    },
    (t) => [
      k.primaryKey({
        name: "usage_counters_primary",
        columns: [t.entityType, t.entityField, t.mediaType, t.moderationStatus, t.uploadedBy, t.isTrashed],
      }),
    ],
  );
  const uploadDays = k.table(
    "upload_days",
    {
      /** `YYYY-MM-DD`, UTC. */
      day: k.asciiKey("day", 10).notNull(),
      entityType: k.oneOf("entity_type", ENTITY_TYPE_NAMES).notNull(),
      mediaType: k.oneOf("media_type", MEDIA_TYPES).notNull(),
      items: k.bigInteger("items").notNull(),
      bytes: k.bigInteger("bytes").notNull(),
    },
    (t) => [k.primaryKey({ name: "upload_days_primary", columns: [t.day, t.entityType, t.mediaType] })],
  );
  return { usageCounters, uploadDays };
}
