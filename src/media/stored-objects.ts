import { storageUnavailable } from "./errors.js";
import type { InspectedFile } from "./inspect.js";
import type { Variant } from "./model.js";
import { originalKey, variantKey } from "./object-key.js";
import {
  type ByteSource,
  type Deps,
  type ObjectStorage,
  type RenderedImage,
  type RenderedVariant,
  StorageUnavailableError,
  type UploadIntent,
} from "./ports.js";
import { settleAll } from "./settle-all.js";
import type { UploadTarget } from "./upload-request.js";
import { VARIANTS } from "./variants.js";

export type PlannedObject = { key: string; source: ByteSource; contentType: string };

/** Every object of a new item with its key, before the first byte is stored. */
export type PlannedObjects = {
  mediaPublicId: string;
  original: PlannedObject;
  variants: NamedVariant[];
};

type NamedVariant = { variant: Variant; source: ByteSource };
type MeasuredVariant = { rendered: Omit<RenderedVariant, "path">; source: ByteSource };

/** The bytes of a new item, measured and not yet named. */
export type MeasuredObjects = { inspected: InspectedFile; original: ByteSource; variants: MeasuredVariant[] };

/** Reads what changed or was made here once, for its size and digest. */
export async function measureObjects(
  { spool }: Pick<Deps, "spool">,
  inspected: InspectedFile,
  picture: RenderedImage,
): Promise<MeasuredObjects> {
  const { file } = inspected;
  const original = picture.originalChanged ? await spool.source(file.path) : file;
  return { inspected, original, variants: await measureVariants({ spool }, picture) };
}

export function measureVariants(
  { spool }: Pick<Deps, "spool">,
  { variants }: Pick<RenderedImage, "variants">,
): Promise<MeasuredVariant[]> {
  return Promise.all(variants.map(async ({ path, ...rendered }) => ({ rendered, source: await spool.source(path) })));
}

/** `key` is an original's, or as one would be: each variant's is told from it. */
export const nameVariants = (key: string, variants: readonly MeasuredVariant[]): NamedVariant[] =>
  variants.map(({ rendered, source }) => {
    const rendition = variantKey(key, VARIANTS[rendered.name].suffix, rendered.contentType);
    return { source, variant: { ...rendered, key: rendition, fileSize: source.size } };
  });

export const plannedOf = ({ variant, source }: NamedVariant): PlannedObject => ({
  key: variant.key,
  source,
  contentType: variant.contentType,
});

/** Names the item and its objects; each time anew. */
export function nameObjects(
  deps: Pick<Deps, "ids" | "clock">,
  { attachment, entity }: UploadTarget,
  { inspected: { contentType, mediaType }, original, variants }: MeasuredObjects,
): PlannedObjects {
  const name = { at: deps.clock.now(), random: deps.ids.keyPart(), entityPublicId: entity.publicId };
  const key = originalKey({ attachment, mediaType, contentType, ...name });
  return {
    mediaPublicId: deps.ids.mediaId(),
    original: { key, source: original, contentType },
    variants: nameVariants(key, variants),
  };
}

type StoreDeps = Pick<Deps, "database" | "objects" | "clock" | "log">;

/** Objects whose bytes are in `storage`, under an intent that is still open. */
export type StoredObjects = {
  objects: PlannedObjects;
  intent: UploadIntent;
  storage: Pick<ObjectStorage, "type" | "bucketName">;
};

/**
 * Opens an intent, then puts every object; where the primary store does not answer, the same again into the fallback
 * store under an intent and keys of its own, so that what the first may have taken can go without a look at the second.
 * Nothing is left behind when a put fails, or an intent that the sweeper clears. Throws STORAGE_UNAVAILABLE when no
 * store answers.
 */
export async function storeObjects(
  deps: StoreDeps,
  plan: () => PlannedObjects,
  isPublic: boolean,
): Promise<StoredObjects> {
  const { primary, fallback } = deps.objects;
  let attempt = await attemptIn(deps, primary, plan(), isPublic);
  if (fallback && attempt.failure instanceof StorageUnavailableError) {
    deps.log.warn({ err: attempt.failure, store: primary.type }, "an upload goes to the fallback store");
    // Left to the sweeper: a store that took no bytes would not remove them now either.
    await deps.database.intents.abandon(attempt.intent.id);
    attempt = await attemptIn(deps, fallback, plan(), isPublic);
  }
  const { failure, ...stored } = attempt;
  if (failure === undefined) return stored;
  await removeObjects(deps, stored.intent);
  throw toMediaError(failure);
}

/** `failure` is undefined where every object is stored. */
async function attemptIn(
  deps: StoreDeps,
  storage: ObjectStorage,
  objects: PlannedObjects,
  isPublic: boolean,
): Promise<StoredObjects & { failure: unknown }> {
  const planned = [objects.original, ...objects.variants.map(plannedOf)];
  const { mediaPublicId } = objects;
  const put = await putUnderIntent(deps, storage, { id: mediaPublicId, mediaPublicId, objects: planned, isPublic });
  return { objects, storage, ...put };
}

/** `id` names the intent: no other may have it. */
type IntendedObjects = { id: string; mediaPublicId: string; objects: readonly PlannedObject[]; isPublic: boolean };

/**
 * Opens an intent over exactly these keys, then puts every object. `failure` says why not all of them are there, and is
 * undefined where they are; the intent is the caller's to close or to give up either way.
 */
export async function putUnderIntent(
  deps: Pick<Deps, "database" | "clock">,
  storage: ObjectStorage,
  { id, mediaPublicId, objects, isPublic }: IntendedObjects,
): Promise<{ intent: UploadIntent; failure: unknown }> {
  const intent: UploadIntent = { id, mediaPublicId, storageType: storage.type, keys: objects.map(({ key }) => key) };
  await deps.database.intents.open(intent, deps.clock.now());
  try {
    // All puts are over when this settles, so that removing them afterwards misses none.
    await settleAll(objects.map(({ key, source, contentType }) => storage.put(key, source, { contentType, isPublic })));
    return { intent, failure: undefined };
  } catch (failure) {
    return { intent, failure };
  }
}

export const toMediaError = (error: unknown): unknown =>
  error instanceof StorageUnavailableError ? storageUnavailable(error) : error;

/**
 * Gives an intent up and removes its keys, unless its item was committed after all. What cannot be removed now stays
 * claimed for the sweeper, so a failure here is logged and does not replace the failure that led here.
 */
export async function removeObjects({ database, objects, log }: StoreDeps, intent: UploadIntent): Promise<void> {
  try {
    if (!(await database.intents.abandon(intent.id))) return;
    const [left] = await objects.of(intent.storageType).deleteMany(intent.keys);
    if (left) throw left.error;
    await database.intents.forget(intent.id);
  } catch (error) {
    log.warn({ err: error, intent: intent.id }, "objects of a failed upload are left to the sweeper");
  }
}
