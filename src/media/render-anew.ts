import { findAttachment } from "./attachments.js";
import { sniffContentType } from "./content-type.js";
import { withObject } from "./copy-object.js";
import { MediaError, type MediaErrorCode } from "./errors.js";
import type { Media } from "./model.js";
import { originalKey } from "./object-key.js";
import {
  type Deps,
  type RenderedImage,
  type SpooledFile,
  StorageUnavailableError,
  type Stores,
  type UploadIntent,
} from "./ports.js";
import { CROPPED_VARIANTS, RENDERING, withFocus } from "./rendering.js";
import type { Replacement, RetiredObject } from "./rendering-ports.js";
import { isSpecOf } from "./rendition-order.js";
import {
  measureVariants,
  nameVariants,
  plannedOf,
  putUnderIntent,
  removeObjects,
  toMediaError,
} from "./stored-objects.js";
import { VARIANTS, type VariantName } from "./variants.js";

export type RenderDeps = Pick<Deps, "database" | "objects" | "spool" | "images" | "clock" | "ids" | "log" | "keepGps">;

export type RenderOptions = {
  /** `crops`: those that follow the focal point; the others, and what they were made by, stay. */
  extent: "everything" | "crops";
  /** Leave what was made by this process's table and pipeline meanwhile. */
  onlyStale?: boolean;
  /** For how long who holds an address of a variant that was replaced can still load it. */
  graceMs?: number;
};

const GRACE_MS = 60 * 60_000;

export type ItemRendered =
  /** `hasPosition`: the original tells where it was taken, although positions are not kept here. It stays as it is. */
  | { outcome: "made"; hasPosition: boolean }
  /** It was removed, moved to another store, changed or made anew by somebody else meanwhile. */
  | { outcome: "gone" }
  /** The item is as it was. `isOutage`: because a store did not answer. `mayPass`: it may succeed as it is, later. */
  | { outcome: "failed"; reason: string; isOutage: boolean; mayPass: boolean; cause: unknown };

/**
 * Makes an item's variants anew from its stored original, which is read and never written. Order of effects: pixels in
 * the spool; a durable intent names every new key; bytes; then, in one transaction, the rows change, the intent ends,
 * and the old objects are promised to the outbox, to be served until their time comes. A crash before leaves the old
 * variants and litter for the sweeper; after, the new ones and entries of the outbox. Of several that make the same
 * item anew one replaces its variants. Rejects only where the database does.
 */
export async function renderAnew(deps: RenderDeps, id: number, options: RenderOptions): Promise<ItemRendered> {
  const [media] = await deps.database.media.findMany([id]);
  if (media?.mediaType !== "IMAGE") return { outcome: "gone" };
  if (options.onlyStale && media.renderedAs === RENDERING) return { outcome: "gone" };
  const source = { store: deps.objects.of(media.storageType), key: media.storagePath };
  try {
    return await withObject(deps, source, (original) => renderFrom(deps, media, original, options));
  } catch (cause) {
    if (codeOf(cause) === "DATABASE_UNAVAILABLE") throw cause;
    return explain(cause);
  }
}

async function renderFrom(
  deps: RenderDeps,
  media: Media,
  original: SpooledFile,
  options: RenderOptions,
): Promise<ItemRendered> {
  requireOriginal(media, original);
  const workspace = await deps.spool.folder();
  try {
    const { focalPoint, contentType } = media;
    const { heldPixels } = await deps.images.inspect(original.path, contentType);
    const variants = options.extent === "crops" ? CROPPED_VARIANTS : VARIANTS;
    const terms = { heldPixels, priority: "demand" } as const;
    const job = { path: original.path, outputFolder: workspace.path, variants, focalPoint, keepGps: deps.keepGps };
    const picture = await deps.images.render({ ...job, ...terms });
    if (!(await storeAndReplace(deps, media, picture, options))) return { outcome: "gone" };
    return { outcome: "made", hasPosition: picture.originalChanged };
  } finally {
    await workspace.remove();
  }
}

/** The digest in the row is of the bytes as received, which may have lost their position since: size and type it is. */
function requireOriginal({ storagePath, fileSize, contentType }: Media, { size, head }: SpooledFile): void {
  if (size !== fileSize) throw new Error(`${storagePath} holds ${size} bytes where its row says ${fileSize}.`);
  const found = sniffContentType(head);
  if (found !== contentType) throw new Error(`${storagePath} holds ${found} where its row says ${contentType}.`);
}

/** False where the item is not as it was seen any more; nothing is left behind then. */
async function storeAndReplace(
  deps: RenderDeps,
  media: Media,
  picture: RenderedImage,
  options: RenderOptions,
): Promise<boolean> {
  const made = nameVariants(newKey(deps, media), await measureVariants(deps, picture));
  const { publicId: mediaPublicId, isPublic } = media;
  const planned = { id: deps.ids.mediaId(), mediaPublicId, objects: made.map(plannedOf), isPublic };
  const { intent, failure } = await putUnderIntent(deps, deps.objects.of(media.storageType), planned);
  try {
    if (failure !== undefined) throw toMediaError(failure);
    const replacement = replacementOf(
      media,
      made.map(({ variant }) => variant),
      { picture, ...options },
    );
    const isReplaced = await deps.database.transact((stores) =>
      replace(deps, stores, { media, replacement, intent, ...options }),
    );
    if (!isReplaced) await removeObjects(deps, intent);
    return isReplaced;
  } catch (error) {
    await removeObjects(deps, intent);
    throw error;
  }
}

/** Where an original of now would lie: keys of variants are told from it, and no key is used twice. */
function newKey({ clock, ids }: RenderDeps, media: Media): string {
  const { entityType, entityField, entityPublicId, mediaType, contentType } = media;
  const attachment = findAttachment(entityType, entityField);
  if (!attachment) throw new Error(`There is no place ${entityType}.${entityField}.`);
  return originalKey({ attachment, entityPublicId, mediaType, contentType, at: clock.now(), random: ids.keyPart() });
}

function replacementOf(
  media: Media,
  made: Media["variants"],
  { picture, extent }: { picture: RenderedImage; extent: RenderOptions["extent"] },
): Replacement {
  if (extent === "crops") {
    const kept = media.variants.filter(({ name }) => !(name in CROPPED_VARIANTS));
    return { variants: [...kept, ...made], renderedAs: withFocus(media.renderedAs) };
  }
  const { width, height, perceptualHash: imageHash, placeholder, dominantColor } = picture;
  return {
    variants: made,
    renderedAs: RENDERING,
    picture: { width, height, imageHash, placeholder, dominantColor },
  };
}

type Replacing = { media: Media; replacement: Replacement; intent: UploadIntent } & RenderOptions;

/** The row is held from the first look on. */
async function replace(
  { clock }: Pick<Deps, "clock">,
  stores: Stores,
  { media, replacement, intent, extent, graceMs = GRACE_MS }: Replacing,
): Promise<boolean> {
  const now = clock.now();
  if (!(await stores.media.replaceVariants(media, replacement, now))) return false;
  if (!(await stores.intents.close(intent.id)))
    throw new MediaError({ code: "CONFLICT", reason: "It took so long that it was given up; do it again." });
  const retired = retiredVariants(media, replacement);
  const until = new Date(now.getTime() + graceMs);
  await stores.deletions.retire(media.id, retired, { now, until });
  await dropRenditions(stores, media, { extent, until });
  await settleFindings(stores, media, { retired, isWhole: extent === "everything" });
  return true;
}

function retiredVariants({ variants, storageType }: Media, { variants: kept }: Replacement): RetiredObject[] {
  const keys = new Set(kept.map(({ key }) => key));
  return variants
    .filter(({ key }) => !keys.has(key))
    .map(({ key, contentType, fileSize }) => ({ key, storageType, contentType, fileSize }));
}

/** What was made on demand of the old variants goes with them, and by size of the original with it all. */
async function dropRenditions(
  { renditions, deletions }: Stores,
  { id, storageType }: Media,
  { extent, until }: { extent: RenderOptions["extent"]; until: Date },
): Promise<void> {
  const specs = (await renditions.madeOf([id])).map(({ spec }) => spec);
  const names = Object.keys(CROPPED_VARIANTS) as VariantName[];
  const ofCrops = specs.filter((spec) => names.some((name) => isSpecOf(spec, name)));
  const keys = await renditions.takeAway(id, extent === "crops" ? ofCrops : undefined);
  await deletions.add(
    keys.map((key) => ({ key, storageType })),
    until,
  );
}

/** That an old object was lost means nothing any more; an item all of whose objects were just read or made has none. */
async function settleFindings(
  { sync, media }: Stores,
  { id, storagePath, storageType, missingSince }: Media,
  { retired, isWhole }: { retired: readonly RetiredObject[]; isWhole: boolean },
): Promise<void> {
  const keys = retired.map(({ key }) => key);
  if (isWhole) keys.push(storagePath);
  for (const key of keys) await sync.clear("missing", { key, storageType });
  if (isWhole && missingSince) await media.markMissing(id, null);
}

const PASSING: readonly MediaErrorCode[] = ["OVERLOADED", "CONFLICT", "STORAGE_UNAVAILABLE"];

const codeOf = (cause: unknown): MediaErrorCode | null => (cause instanceof MediaError ? cause.failure.code : null);

function explain(cause: unknown): ItemRendered {
  const code = codeOf(cause);
  const isOutage = cause instanceof StorageUnavailableError || code === "STORAGE_UNAVAILABLE";
  const message = cause instanceof Error ? cause.message : String(cause);
  const reason = code ? `${code}: ${message}` : message;
  return { outcome: "failed", reason, isOutage, mayPass: isOutage || (code !== null && PASSING.includes(code)), cause };
}
