import type { EntityType } from "../../src/media/attachments.js";
import type { Variant } from "../../src/media/model.js";
import type { Database, Entity, EntityUpsert, NewMedia } from "../../src/media/ports.js";

export const NOW = new Date("2026-03-04T05:06:07.089Z");
export const LATER = new Date("2026-03-05T00:00:00.001Z");

let counter = 0;
/** A number no other row of this process has. */
const unique = () => ++counter;

export const variant = (name: Variant["name"], side: number, key = `k/${unique()}_${name}.jpg`): Variant => ({
  name,
  key,
  width: side,
  height: side,
  contentType: "image/jpeg",
  fileSize: side * 10,
});

/** A public, approved, ready picture of the entity's gallery, whose key orders it behind those made before. */
export function newMedia(entity: Pick<Entity, "type" | "id" | "publicId">, over: Partial<NewMedia> = {}): NewMedia {
  const n = unique();
  return {
    publicId: `MED-${n}`,
    filename: `photo-${n}.jpg`,
    originalFilename: "IMG_0001.JPG",
    mediaType: "IMAGE",
    contentType: "image/jpeg",
    fileSize: 1_000,
    width: 640,
    height: 480,
    duration: null,
    imageHash: "01".repeat(32),
    contentSha256: String(n).padStart(64, "0"),
    storageType: "local",
    bucketName: null,
    storagePath: `originals/${n}.jpg`,
    videoProcessedKey: null,
    variants: [],
    renderedAs: null,
    entityType: entity.type,
    entityId: entity.id,
    entityPublicId: entity.publicId,
    entityField: "gallery",
    altText: null,
    caption: null,
    sortOrder: 0,
    orderKey: `a${String(n).padStart(8, "0")}`,
    isPrimary: false,
    sourceUrl: null,
    tags: [],
    metadata: {},
    placeholder: null,
    dominantColor: null,
    focalPoint: null,
    uploadedBy: null,
    isPublic: true,
    moderationStatus: "approved",
    processingStatus: "ready",
    createdAt: NOW,
    updatedAt: NOW,
    ...over,
  };
}

/** An entity nothing hangs on yet. */
export function newEntity(
  { entities }: Pick<Database, "entities">,
  type: EntityType,
  over: Partial<EntityUpsert> = {},
): Promise<Entity> {
  return entities.upsert({ type, publicId: `${type}-${unique()}`, ...over }, NOW);
}
