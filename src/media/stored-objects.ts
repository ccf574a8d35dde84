import { storageUnavailable } from "./errors.js";
import type { InspectedFile } from "./inspect.js";
import type { Variant } from "./model.js";
import { originalKey, variantKey } from "./object-key.js";
import {
  type ByteSource,
  type Deps,
  type ObjectStorage,
  type RenderedImage,
  StorageUnavailableError,
  type UploadIntent,
} from "./ports.js";
import type { UploadTarget } from "./upload-request.js";
import { VARIANTS } from "./variants.js";

type PlannedObject = { key: string; source: ByteSource; contentType: string };

/** Every object of a new item with its key, before the first byte is stored. */
export type PlannedObjects = {
  mediaPublicId: string;
  original: PlannedObject;
  variants: { variant: Variant; source: ByteSource }[];
};

/** Names the objects and measures their bytes. */
export async function planObjects(
  deps: Pick<Deps, "spool" | "ids" | "clock">,
  { attachment, entity }: UploadTarget,
  { inspected, picture }: { inspected: InspectedFile; picture: RenderedImage },
): Promise<PlannedObjects> {
  const { file, contentType, mediaType } = inspected;
  const name = { at: deps.clock.now(), random: deps.ids.keyPart(), entityPublicId: entity.publicId };
  const key = originalKey({ attachment, mediaType, contentType, ...name });
  const source = picture.originalChanged ? await deps.spool.source(file.path) : file;
  const variants = picture.variants.map(async ({ path, ...rendered }) => {
    const bytes = await deps.spool.source(path);
    const rendition = variantKey(key, VARIANTS[rendered.name].suffix, rendered.contentType);
    return { source: bytes, variant: { ...rendered, key: rendition, fileSize: bytes.size } };
  });
  return {
    mediaPublicId: deps.ids.mediaId(),
    original: { key, source, contentType },
    variants: await Promise.all(variants),
  };
}

type StoreDeps = Pick<Deps, "database" | "objects" | "clock" | "log">;

/**
 * Opens the intent, then puts every object. Nothing is left behind when a put fails, or an intent that the sweeper
 * clears. Throws STORAGE_UNAVAILABLE when the store does not answer.
 */
export async function storeObjects(deps: StoreDeps, planned: PlannedObjects, isPublic: boolean): Promise<UploadIntent> {
  const objects = [
    planned.original,
    ...planned.variants.map(({ variant, source }) => ({ key: variant.key, source, contentType: variant.contentType })),
  ];
  const intent: UploadIntent = {
    id: planned.mediaPublicId,
    mediaPublicId: planned.mediaPublicId,
    storageType: deps.objects.type,
    keys: objects.map((object) => object.key),
  };
  await deps.database.intents.open(intent, deps.clock.now());
  try {
    await putAll(deps.objects, objects, isPublic);
    return intent;
  } catch (error) {
    await removeObjects(deps, intent);
    throw toMediaError(error);
  }
}

/** All puts are over when this settles, so that removing them afterwards misses none. */
async function putAll(storage: ObjectStorage, objects: readonly PlannedObject[], isPublic: boolean): Promise<void> {
  const puts = objects.map(({ key, source, contentType }) => storage.put(key, source, { contentType, isPublic }));
  const failed = (await Promise.allSettled(puts)).find((result) => result.status === "rejected");
  if (failed) throw failed.reason;
}

const toMediaError = (error: unknown): unknown =>
  error instanceof StorageUnavailableError ? storageUnavailable(error) : error;

/**
 * Gives an intent up and removes its keys, unless its item was committed after all. What cannot be removed now stays claimed for the sweeper, so a failure
 * here is logged and does not replace the failure that led here.
 */
export async function removeObjects(deps: StoreDeps, intent: UploadIntent): Promise<void> {
  try {
    if (await deps.database.intents.abandon(intent.id)) await removeKeys(deps, intent);
  } catch (error) {
    deps.log.warn({ err: error, intent: intent.id }, "objects of a failed upload are left to the sweeper");
  }
}

/** Removes exactly the intent's keys, then the intent. */
export async function removeKeys(deps: Pick<Deps, "database" | "objects">, intent: UploadIntent): Promise<void> {
  for (const key of intent.keys) await deps.objects.delete(key);
  await deps.database.intents.forget(intent.id);
}
