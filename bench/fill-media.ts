import { VARIANT_NAMES } from "../src/media/variants.js";

/**
 * Fills a migrated, empty MariaDB: so many items with all their renditions, every `gallery` of them of one property.
 * Ids count from 1.
 */
export function fillMedia({ items, gallery }: { items: number; gallery: number }): string[] {
  const columns = {
    id: "seq",
    public_id: "concat('MED-', seq)",
    filename: "'photo.jpg'",
    original_filename: "'IMG_0001.JPG'",
    media_type: "'IMAGE'",
    content_type: "'image/jpeg'",
    file_size: "1000",
    content_sha256: "sha2(seq, 256)",
    storage_type: "'local'",
    storage_path: "concat('properties/photos/', seq, '.jpg')",
    original_url: "concat('properties/photos/', seq, '.jpg')",
    entity_type: "'property'",
    entity_id: `1 + (seq - 1) div ${gallery}`,
    entity_public_id: `concat('PRP-', 1 + (seq - 1) div ${gallery})`,
    entity_field: "'gallery'",
    image_hash: "repeat('01', 32)",
    caption: "repeat('word ', 20)",
    sort_order: `seq % ${gallery}`,
    order_key: "'a0'",
    is_primary: "0",
    tags: `'["house", "garden"]'`,
    metadata: "'{}'",
    uploaded_by: "concat('USR-', seq % 1000)",
    is_public: "1",
    is_approved: "1",
    moderation_status: "'approved'",
    processing_status: "'ready'",
    created_at: "'2026-01-01' + interval seq second",
    updated_at: "'2026-01-01' + interval seq second",
  };
  const variants = VARIANT_NAMES.map(
    (name) =>
      "insert into media_variants (media_id, name, object_key, width, height, content_type, file_size) select " +
      `seq, '${name}', concat('properties/photos/', seq, '_${name}.jpg'), 400, 300, 'image/jpeg', 100 from seq_1_to_${items}`,
  );
  return [
    "set unique_checks = 0",
    "set foreign_key_checks = 0",
    "insert into entities (type, entity_id, public_id, version, created_at, updated_at) select 'property', seq, " +
      `concat('PRP-', seq), 0, now(), now() from seq_1_to_${Math.ceil(items / gallery)}`,
    `insert into media (${Object.keys(columns).join(", ")}) select ${Object.values(columns).join(", ")} from seq_1_to_${items}`,
    ...variants,
    "analyze table media, media_variants, entities",
  ];
}
