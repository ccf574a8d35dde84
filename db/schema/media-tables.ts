import { sql } from "drizzle-orm";
import { ENTITY_FIELDS, ENTITY_TYPE_NAMES } from "../../src/media/attachments.js";
import {
  MEDIA_TYPES,
  MODERATION_STATUSES,
  PROCESSING_STATUSES,
  STORAGE_TYPES,
  TEXT_LIMITS,
} from "../../src/media/model.js";
import { VARIANT_NAMES } from "../../src/media/variants.js";
import type { Kit } from "../kit.sqlite.js";

export const OBJECT_KEY_LENGTH = 512;

function mediaColumns(k: Kit) {
  return {
    id: k.serial("id"),
    publicId: k.key("public_id", 30).notNull(),
    filename: k.line("filename", TEXT_LIMITS.filename).notNull(),
    originalFilename: k.line("original_filename", TEXT_LIMITS.filename).notNull(),
    mediaType: k.oneOf("media_type", MEDIA_TYPES).notNull(),
    contentType: k.line("content_type", 127).notNull(),
    fileSize: k.bigInteger("file_size").notNull(),
    width: k.integer("width"),
    height: k.integer("height"),
    duration: k.real("duration"),
    imageHash: k.asciiKey("image_hash", 64),
    contentSha256: k.asciiKey("content_sha256", 64).notNull(),
    storageType: k.oneOf("storage_type", STORAGE_TYPES).notNull(),
    bucketName: k.line("bucket_name", 255),
    storagePath: k.key("storage_path", OBJECT_KEY_LENGTH).notNull(),
    // The `_url` columns hold object keys, for other tools that read this table; `media_variants` is the source.
    originalUrl: k.key("original_url", OBJECT_KEY_LENGTH).notNull(),
    thumbnailUrl: k.key("thumbnail_url", OBJECT_KEY_LENGTH),
    mediumUrl: k.key("medium_url", OBJECT_KEY_LENGTH),
    largeUrl: k.key("large_url", OBJECT_KEY_LENGTH),
    videoProcessedUrl: k.key("video_processed_url", OBJECT_KEY_LENGTH),
    videoProcessedSize: k.bigInteger("video_processed_size"),
    entityType: k.oneOf("entity_type", ENTITY_TYPE_NAMES).notNull(),
    entityId: k.integer("entity_id").notNull(),
    entityPublicId: k.key("entity_public_id", TEXT_LIMITS.publicId).notNull(),
    entityField: k.oneOf("entity_field", ENTITY_FIELDS).notNull(),
    altText: k.line("alt_text", TEXT_LIMITS.altText),
    caption: k.prose("caption"),
    sortOrder: k.integer("sort_order").notNull(),
    orderKey: k.asciiKey("order_key", 255).notNull(),
    isPrimary: k.boolean("is_primary").notNull(),
    sourceUrl: k.prose("source_url"),
    isImported: k.condition("is_imported", sql`source_url is not null`),
    tags: k.json<string[]>("tags").notNull(),
    metadata: k.json<Record<string, unknown>>("metadata").notNull(),
    placeholder: k.asciiKey("placeholder", 64),
    dominantColor: k.asciiKey("dominant_color", 7),
    focalX: k.real("focal_x"),
    focalY: k.real("focal_y"),
    uploadedBy: k.key("uploaded_by", TEXT_LIMITS.publicId),
    isPublic: k.boolean("is_public").notNull(),
    isApproved: k.boolean("is_approved").notNull(),
    moderationStatus: k.oneOf("moderation_status", MODERATION_STATUSES).notNull(),
    processingStatus: k.oneOf("processing_status", PROCESSING_STATUSES).notNull(),
    createdAt: k.time("created_at").notNull(),
    updatedAt: k.time("updated_at").notNull(),
    deletedAt: k.time("deleted_at"),
    missingSince: k.time("missing_since"),
    /** What the variants were made by; NULL for rows of versions that did not say. */
    renderedAs: k.asciiKey("rendered_as", 32),
    /** `type:entityId:field` while the row is a slot's current item, else NULL: uniqueness makes a slot hold one. */
    slotKey: k.asciiKey("slot_key", 100),
    /** The same while the row is primary and not in the trash. */
    primaryOf: k.asciiKey("primary_of", 100),
  };
}

/**
 * Four rows an item that has a perceptual hash, one for each bucket of `bucketsOf`; in the trash too. The key holds
 * whole hashes, so that those that are too far away are told without a look at the item. No reference to the item: the
 * index a reference needs would double the table, and a row is found by its key.
 */
function hashBandTable(k: Kit) {
  return k.table(
    "media_hash_bands",
    {
      bucket: k.integer("bucket").notNull(),
      hashHigh: k.word("hash_high").notNull(),
      hashLow: k.word("hash_low").notNull(),
      mediaId: k.integer("media_id").notNull(),
    },
    (t) => [k.primaryKey({ name: "media_hash_bands_primary", columns: [t.bucket, t.hashHigh, t.hashLow, t.mediaId] })],
  );
}

/**
 * `media`, one row an item; `media_variants`, one row a rendition; `media_search` and `media_hash_bands`, what an item is
 * found by.
 */
export function mediaTables(k: Kit) {
  const media = k.table("media", mediaColumns(k), (t) => [
    k.uniqueIndex("media_public_id_unique").on(t.publicId),
    k.uniqueIndex("media_storage_path_unique").on(t.storagePath),
    k.uniqueIndex("media_video_processed_url_unique").on(t.videoProcessedUrl),
    k.uniqueIndex("media_slot_key_unique").on(t.slotKey),
    k.uniqueIndex("media_primary_of_unique").on(t.primaryOf),
    // Equality on the first four, then gallery order: a page of a gallery is read without sorting.
    k
      .index("media_gallery_index")
      .on(t.entityType, t.entityId, t.entityField, t.deletedAt, t.sortOrder, t.orderKey, t.id),
    // The same over all fields of an entity.
    k.index("media_entity_index").on(t.entityType, t.entityId, t.deletedAt, t.sortOrder, t.orderKey, t.id),
    // The digest first: copies are looked for in one entity, and everywhere.
    k.index("media_content_index").on(t.contentSha256, t.entityType, t.entityId),
    k.index("media_is_primary_index").on(t.isPrimary, t.entityType, t.entityId),
    k.index("media_uploaded_by_index").on(t.uploadedBy, t.id),
    k.index("media_created_at_index").on(t.createdAt, t.id),
    k.index("media_moderation_status_index").on(t.moderationStatus, t.deletedAt, t.createdAt, t.id),
    k.index("media_is_imported_index").on(t.isImported, t.moderationStatus, t.createdAt, t.id),
    k.index("media_storage_type_index").on(t.storageType, t.id),
    k.index("media_deleted_at_index").on(t.deletedAt, t.id),
    // The type last: what is no picture is told apart without a look at the row.
    k.index("media_rendered_as_index").on(t.renderedAs, t.deletedAt, t.id, t.mediaType),
  ]);
  const mediaVariants = k.table(
    "media_variants",
    {
      mediaId: k
        .integer("media_id")
        .notNull()
        .references(() => media.id, { onDelete: "cascade" }),
      name: k.oneOf("name", VARIANT_NAMES).notNull(),
      objectKey: k.key("object_key", OBJECT_KEY_LENGTH).notNull(),
      width: k.integer("width").notNull(),
      height: k.integer("height").notNull(),
      contentType: k.line("content_type", 127).notNull(),
      fileSize: k.bigInteger("file_size").notNull(),
    },
    (t) => [
      k.primaryKey({ name: "media_variants_primary", columns: [t.mediaId, t.name] }),
      k.uniqueIndex("media_variants_object_key_unique").on(t.objectKey),
    ],
  );
  // Its full-text index is hand-written, in the migrations `search_index`: the schema has no word for it.
  const mediaSearch = k.table("media_search", {
    /** No reference: rows that a cascade removes are a sore point of full-text indexes on MySQL. */
    mediaId: k.integer("media_id").primaryKey(),
    words: k.asciiProse("words").notNull(),
  });
  return { media, mediaVariants, mediaSearch, mediaHashBands: hashBandTable(k) };
}
