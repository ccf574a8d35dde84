import { authoriseWrite } from "./access.js";
import { type Actor, actorUserId } from "./actor.js";
import { ENTITY_TYPES, type EntityType } from "./attachments.js";
import { MediaError } from "./errors.js";
import { placeAt, placeAtEnd } from "./gallery-order.js";
import { type InspectedFile, inspectFile } from "./inspect.js";
import type { Media, ModerationStatus } from "./model.js";
import { type Duplicate, findDuplicates } from "./near-duplicates.js";
import type { Deps, NewMedia, RenderedImage, SpooledFile, Stores } from "./ports.js";
import { type PlannedObjects, planObjects, removeObjects, storeObjects } from "./stored-objects.js";
import type { UploadFields } from "./upload-fields.js";
import type { UploadTarget } from "./upload-target.js";
import { VARIANTS } from "./variants.js";

/** A file in the spool, with what the client said of it. */
export type IncomingFile = { file: SpooledFile; filename: string; fields: UploadFields };

export type Uploaded = { media: Media; duplicates: Duplicate[] };

export type UploadRequest = {
  actor: Actor;
  target: UploadTarget;
  incoming: IncomingFile;
  /** Held back until this resolves; a batch commits its items in the order they were sent. */
  turn?: Promise<unknown>;
};

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
    const uploaded = await makeMedia(deps, request);
    measure("ok", uploaded.media.fileSize);
    return uploaded;
  } catch (error) {
    measure(error instanceof MediaError ? error.failure.code : "INTERNAL", 0);
    throw error;
  }
}

async function makeMedia(deps: Deps, request: UploadRequest): Promise<Uploaded> {
  const { target, incoming } = request;
  const inspected = await inspectFile(deps, target.attachment, incoming.file);
  const workspace = await deps.spool.folder();
  try {
    const { path } = incoming.file;
    const job = { path, outputFolder: workspace.path, variants: VARIANTS, keepGps: deps.keepGps };
    const picture = await deps.images.render(job);
    const objects = await planObjects(deps, target, { inspected, picture });
    await request.turn;
    return await storeAndCommit(deps, request, { inspected, picture, objects });
  } finally {
    await workspace.remove();
  }
}

type Prepared = { inspected: InspectedFile; picture: RenderedImage; objects: PlannedObjects };

async function storeAndCommit(deps: Deps, request: UploadRequest, prepared: Prepared): Promise<Uploaded> {
  const intent = await storeObjects(deps, prepared.objects, request.incoming.fields.is_public);
  try {
    return await deps.database.transact((stores) =>
      commit(deps, stores, request, { ...prepared, intentId: intent.id }),
    );
  } catch (error) {
    await removeObjects(deps, intent);
    throw error;
  }
}

async function commit(
  deps: Pick<Deps, "clock" | "objects">,
  stores: Stores,
  request: UploadRequest,
  prepared: Prepared & { intentId: string },
): Promise<Uploaded> {
  const { actor, target } = request;
  const { entity, attachment } = target;
  const now = deps.clock.now();
  if (!(await stores.entities.lock(entity)))
    throw new MediaError({ code: "ENTITY_NOT_FOUND", entityType: entity.type, entityId: entity.publicId });
  await authoriseWrite(stores.entities, actor, { entity, right: "upload" }, now);
  if (!(await stores.intents.close(prepared.intentId)))
    throw new MediaError({ code: "CONFLICT", reason: "The upload took so long that it was given up; send it again." });
  const row = describeRow(deps, request, prepared);
  const candidates = await stores.media.fingerprints(entity, row.mediaType);
  const duplicates = findDuplicates(row, candidates, "same");
  if (attachment.kind === "slot") await emptySlot(stores, target, now);
  if (row.isPrimary) await clearPrimary(stores, target, now);
  const place = await placeFor(stores, target, request.incoming.fields.sort_order);
  return { media: await stores.media.insert({ ...row, ...place, createdAt: now, updatedAt: now }), duplicates };
}

/** The current item of a slot goes to the trash in the transaction that brings its successor. */
async function emptySlot(stores: Stores, { entity, attachment }: UploadTarget, now: Date): Promise<void> {
  for (const old of await stores.media.current(entity, attachment.field))
    await stores.media.update(old.id, { deletedAt: now }, now);
}

async function clearPrimary(stores: Stores, { entity, attachment }: UploadTarget, now: Date): Promise<void> {
  const primary = (await stores.media.current(entity, attachment.field)).filter((media) => media.isPrimary);
  for (const media of primary) await stores.media.update(media.id, { isPrimary: false }, now);
}

async function placeFor({ media }: Stores, { entity, attachment }: UploadTarget, sortOrder: number | undefined) {
  if (sortOrder === undefined) return placeAtEnd(await media.lastPlace(entity, attachment.field));
  return placeAt(sortOrder, await media.lastPlace(entity, attachment.field, sortOrder));
}

/** Items of moderated entities wait for a moderator, unless the uploader is verified or is the platform itself. */
function startingStatus(actor: Actor, entityType: EntityType): ModerationStatus {
  const trusted = actor.kind === "service" || (actor.kind === "user" && actor.verified);
  return ENTITY_TYPES[entityType].moderated && !trusted ? "pending" : "approved";
}

type RowWithoutPlace = Omit<NewMedia, "sortOrder" | "orderKey" | "createdAt" | "updatedAt">;

function describeRow(
  deps: Pick<Deps, "objects">,
  { actor, target, incoming }: UploadRequest,
  prepared: Prepared,
): RowWithoutPlace {
  const { inspected, picture, objects } = prepared;
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
    storageType: deps.objects.type,
    bucketName: deps.objects.bucketName,
    storagePath: objects.original.key,
    videoProcessedKey: null,
    variants: objects.variants.map((v) => v.variant),
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
