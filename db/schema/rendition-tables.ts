import { RENDITION_STATES, RENDITION_TYPES } from "../../src/media/rendition-ports.js";
import type { Kit } from "../kit.sqlite.js";
import { type mediaTables, OBJECT_KEY_LENGTH } from "./media-tables.js";

/** Pictures made on demand; none of them is missed where it is gone. */
export function renditionTables(k: Kit, { media }: Pick<ReturnType<typeof mediaTables>, "media">) {
  const mediaRenditions = k.table(
    "media_renditions",
    {
      mediaId: k
        .integer("media_id")
        .notNull()
        .references(() => media.id, { onDelete: "cascade" }),
      spec: k.asciiKey("spec", 64).notNull(),
      state: k.oneOf("state", RENDITION_STATES).notNull(),
      /** NULL, like the four that describe the object, while there is none. */
      objectKey: k.key("object_key", OBJECT_KEY_LENGTH),
      width: k.integer("width"),
      height: k.integer("height"),
      contentType: k.oneOf("content_type", RENDITION_TYPES),
      fileSize: k.bigInteger("file_size"),
      claim: k.asciiKey("claim", 36).notNull(),
      instanceId: k.asciiKey("instance_id", 64).notNull(),
      /** When its state became what it is. */
      createdAt: k.time("created_at").notNull(),
    },
    (t) => [
      k.primaryKey({ name: "media_renditions_primary", columns: [t.mediaId, t.spec] }),
      k.uniqueIndex("media_renditions_object_key_unique").on(t.objectKey),
    ],
  );
  return { mediaRenditions };
}
