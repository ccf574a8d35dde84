import { authoriseWrite } from "./access.js";
import { type Actor, actorUserId, holds } from "./actor.js";
import { ENTITY_TYPES, type EntityType } from "./attachments.js";
import { MediaError } from "./errors.js";
import { placeAt, placeAtEnd } from "./gallery-order.js";
import { onceOnly } from "./idempotency.js";
import { inspectFile } from "./inspect.js";
import type { IdempotencyKey } from "./lifecycle-ports.js";
import { clearPrimary, emptySlot } from "./manage.js";
import type { Media, ModerationStatus } from "./model.js";
import { type Duplicate, findDuplicates, TIER_DISTANCE } from "./near-duplicates.js";
import type { Deps, NewMedia, RenderedImage, Stores } from "./ports.js";
import { RENDERING } from "./rendering.js";
import {
  type MeasuredObjects,
  measureObjects,
  nameObjects,
  removeObjects,
  type StoredObjects,
  storeObjects,
} from "./stored-objects.js";
import type { Uploaded, UploadRequest, UploadTarget } from "./upload-request.js";
import { VARIANTS } from "./variants.js";

/**
 * The one way a file becomes media, whatever brought it. Order of effects: pixels are made in the spool; a durable
 * intent names every key; bytes; then the row together with the end of the intent, under a second look at the
 * permission. A crash leaves an intent and perhaps bytes, which the sweeper removes: litter, never a lie.
 * The caller owns the spooled file and discards it.
 */
export async function uploadMedia(deps: Deps, request: UploadRequest): Promise<Uploaded> {
  const started = deps.clock.now().getTime();
  const { entityType, field } = request.target.attachment;
  const measure = (outcome: string, bytes: number) =>
    deps.metrics.uploadFinished({
      entityType,
      field,
      outcome,
      bytes,
      seconds: (deps.clock.now().getTime() - started) / 1000,
    });
  try {
    const uploaded = await onceOnly(deps, request, (key) => makeMedia(deps, request, key));
    measure("ok", uploaded.media.fileSize);
    return uploaded;
  } catch (error) {
    measure(error instanceof MediaError ? error.failure.code : "INTERNAL", 0);
    throw error;
  }
}

async function makeMedia(deps: Deps, request: UploadRequest, key: IdempotencyKey | null): Promise<Uploaded> {
  const { target, incoming } = request;
  const inspected = await inspectFile(deps, target.attachment, incoming.file);
  const workspace = await deps.spool.folder();
  try {
    const { path } = incoming.file;
    const { heldPixels } = inspected;
    const { keepGps } = deps;
    const job = { path, outputFolder: workspace.path, variants: VARIANTS, focalPoint: null, keepGps, heldPixels };
    const picture = await deps.images.render(job);
    const measured = await measureObjects(deps, inspected, picture);
    await request.turn;
    return await storeAndCommit(deps, request, { measured, picture, key });
  } finally {
    await workspace.remove();
  }
}

type Prepared = { measured: MeasuredObjects; picture: RenderedImage; key: IdempotencyKey | null };

async function storeAndCommit(deps: Deps, request: UploadRequest, prepared: Prepared): Promise<Uploaded> {
  const plan = () => nameObjects(deps, request.target, prepared.measured);
  const stored = await storeObjects(deps, plan, request.incoming.fields.is_public);
  try {
    const uploaded = await deps.database.transact((stores) => commit(deps, stores, request, { ...prepared, stored }));
    if (uploaded.reused) await removeObjects(deps, stored.intent);
    return uploaded;
  } catch (error) {
    await removeObjects(deps, stored.intent);
    throw error;
  }
}

async function commit(
  deps: Pick<Deps, "clock">,
  stores: Stores,
  request: UploadRequest,
  prepared: Prepared & { stored: StoredObjects },
): Promise<Uploaded> {
  const { actor, target } = request;
  const { entity } = target;
  const now = deps.clock.now();
  if (!(await stores.entities.lock(entity)))
    throw new MediaError({ code: "ENTITY_NOT_FOUND", entityType: entity.type, entityId: entity.publicId });
  await authoriseWrite(stores.entities, actor, { entity, right: "upload" }, now);
  const row = describeRow(request, prepared);
  const alike = await stores.media.lookAlikes({ of: row, maxDistance: TIER_DISTANCE.same, within: entity });
  const duplicates = findDuplicates(row, alike, "same");
  const twin = await settleDuplicate(stores, request, duplicates);
  const uploaded = twin
    ? { media: twin, duplicates, reused: true, replayed: false }
    : { media: await insertInPlace(stores, request, row, now), duplicates, reused: false, replayed: false };
  if (!twin) await closeIntent(stores, prepared.stored.intent.id);
  if (prepared.key)
    await stores.idempotency.finish(prepared.key, { mediaId: uploaded.media.id, reused: uploaded.reused, duplicates });
  await request.atCommit?.(stores, uploaded);
  return uploaded;
}

/** A sweeper that gave the upload up may have removed its bytes. */
async function closeIntent({ intents }: Stores, id: string): Promise<void> {
  if (await intents.close(id)) return;
  throw new MediaError({ code: "CONFLICT", reason: "The upload took so long that it was given up; send it again." });
}

/**
 * The item to answer with instead of a new one, where the client asked for it: a copy in the same field, since one
 * elsewhere would leave this place without its picture. Throws DUPLICATE, for any copy, where the client said so.
 */
async function settleDuplicate(
  { media }: Stores,
  { incoming, target }: UploadRequest,
  duplicates: readonly Duplicate[],
): Promise<Media | null> {
  const wish = incoming.fields.on_duplicate;
  const [nearest] = duplicates;
  if (!nearest || wish === "keep") return null;
  if (wish === "reject") throw new MediaError({ code: "DUPLICATE", ...nearest });
  for (const { publicId } of duplicates) {
    const twin = await media.find(publicId);
    if (twin?.entityField === target.attachment.field) return twin;
  }
  return null;
}

async function insertInPlace(
  stores: Stores,
  { target, incoming }: UploadRequest,
  row: RowWithoutPlace,
  now: Date,
): Promise<Media> {
  if (target.attachment.kind === "slot")
    await emptySlot(stores, { entity: target.entity, field: target.attachment.field }, now);
  if (row.isPrimary) await clearPrimary(stores, row, now);
  const place = await placeFor(stores, target, incoming.fields.sort_order);
  return stores.media.insert({ ...row, ...place, createdAt: now, updatedAt: now });
}

async function placeFor({ media }: Stores, { entity, attachment }: UploadTarget, sortOrder: number | undefined) {
  if (sortOrder === undefined) return placeAtEnd(await media.lastPlace(entity, attachment.field));
  return placeAt(sortOrder, await media.lastPlace(entity, attachment.field, sortOrder));
}

/** Items of moderated entities wait for a moderator, unless the uploader is verified, or a service that may approve. */
function startingStatus(actor: Actor, entityType: EntityType): ModerationStatus {
  const trusted = actor.kind === "user" ? actor.verified : holds(actor, "moderate");
  return ENTITY_TYPES[entityType].moderated && !trusted ? "pending" : "approved";
}

type RowWithoutPlace = Omit<NewMedia, "sortOrder" | "orderKey" | "createdAt" | "updatedAt">;

function describeRow(
  { actor, target, incoming }: UploadRequest,
  { measured, picture, stored: { objects, storage } }: Prepared & { stored: StoredObjects },
): RowWithoutPlace {
  const { inspected } = measured;
  const { entity, attachment } = target;
  const { fields } = incoming;
  return {
    publicId: objects.mediaPublicId,
    filename: objects.original.key.slice(objects.original.key.lastIndexOf("/") + 1),
    originalFilename: incoming.filename,
    mediaType: inspected.mediaType,
    contentType: inspected.contentType,
    fileSize: objects.original.source.size,
    width: picture.width,
    height: picture.height,
    duration: null,
    imageHash: picture.perceptualHash,
    contentSha256: incoming.file.sha256,
    storageType: storage.type,
    bucketName: storage.bucketName,
    storagePath: objects.original.key,
    videoProcessedKey: null,
    variants: objects.variants.map((v) => v.variant),
    renderedAs: RENDERING,
    entityType: entity.type,
    entityId: entity.id,
    entityPublicId: entity.publicId,
    entityField: attachment.field,
    altText: fields.alt_text,
    caption: fields.caption,
    isPrimary: fields.is_primary,
    sourceUrl: null,
    tags: fields.tags,
    metadata: Object.keys(picture.exif).length > 0 ? { exif: picture.exif } : {},
    placeholder: picture.placeholder,
    dominantColor: picture.dominantColor,
    focalPoint: null,
    uploadedBy: actorUserId(actor),
    isPublic: fields.is_public,
    moderationStatus: startingStatus(actor, entity.type),
    processingStatus: "ready",
  };
}
