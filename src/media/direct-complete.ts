import type { Actor } from "./actor.js";
import { findAttachment } from "./attachments.js";
import type { DirectUpload } from "./direct-ports.js";
import { findOwnTicket } from "./direct-upload.js";
import { MediaError, type MediaErrorCode, storageUnavailable, validationFailed } from "./errors.js";
import { replay } from "./idempotency.js";
import { type Deps, type SpooledFile, type SpoolWriter, StorageUnavailableError, type StoredObject } from "./ports.js";
import { uploadMedia } from "./upload.js";
import { openUpload, type Uploaded, type UploadTarget } from "./upload-request.js";

/**
 * Makes media of what a client put into the store: through `uploadMedia`, like any file. The permission is looked at
 * again before the bytes are read, and in the commit. Order of effects: the ticket says that somebody is at it; the
 * bytes go through the spool; then, in the transaction that commits the item, the ticket becomes ready and the outbox
 * is told to remove the object. A crash before leaves a ticket that can be completed again, one after it the item.
 *
 * Called again it answers the same result, or the failure it ended with; called twice at once it makes one item.
 * Throws NOT_FOUND for a ticket of others, CONFLICT while nothing has arrived, and what any upload throws. A failure
 * that may pass leaves the ticket as it was; any other ends it, and its object goes.
 */
export async function completeDirectUpload(deps: Deps, actor: Actor, uploadId: string): Promise<Uploaded> {
  const ticket = await findOwnTicket(deps, actor, uploadId);
  if (ticket.outcome) return replay(deps, ticket.outcome);
  if (ticket.failure) throw new MediaError(ticket.failure);
  const isOurs = await deps.database.directUploads.begin(ticket.id);
  try {
    return await makeMedia(deps, actor, ticket);
  } catch (error) {
    return await afterFailure(deps, { ticket, isOurs }, error);
  }
}

async function makeMedia(deps: Deps, actor: Actor, ticket: DirectUpload): Promise<Uploaded> {
  const target = await reopen(deps, actor, ticket);
  const writer = await deps.spool.create();
  try {
    const file = await receive(deps, ticket, writer);
    return await uploadMedia(deps, {
      actor,
      target,
      incoming: { file, filename: ticket.filename, fields: ticket.fields },
      // A space: no client's key is like it.
      idempotencyKey: `direct upload ${ticket.id}`,
      atCommit: async (stores, { media, reused, duplicates }) => {
        if (!(await stores.directUploads.finish(ticket.id, { mediaId: media.id, reused, duplicates }))) throw givenUp();
        const { objectKey: key, storageType } = ticket;
        await stores.deletions.add([{ key, storageType }], deps.clock.now());
      },
    });
  } finally {
    await writer.discard();
  }
}

const givenUp = (): MediaError => new MediaError({ code: "CONFLICT", reason: "The direct upload was given up." });

/** Throws ENTITY_NOT_FOUND and FORBIDDEN, as at any upload. */
async function reopen(deps: Deps, actor: Actor, ticket: DirectUpload): Promise<UploadTarget> {
  const attachment = findAttachment(ticket.entityType, ticket.entityField);
  if (!attachment) throw validationFailed("field", "there is no such place for media any more");
  return openUpload(deps, actor, { attachment, ref: ticket.entityId });
}

/** Brings the object into the spool, measured against what was declared. */
async function receive({ objects }: Deps, ticket: DirectUpload, writer: SpoolWriter): Promise<SpooledFile> {
  const { storageType, objectKey, fileSize, sha256 } = ticket;
  const object = await objects.of(storageType).get(objectKey).catch(unanswered);
  if (!object) throw nothingArrived();
  await refuseOtherSize(object, fileSize);
  const write = (chunk: Uint8Array) => writer.write(chunk);
  await object.stream.pipeTo(new WritableStream({ write })).catch(brokenOff);
  const file = await writer.finish();
  if (file.size !== fileSize) throw storageUnavailable(new Error(`${objectKey} broke off at ${file.size} bytes.`));
  if (sha256 !== null && file.sha256 !== sha256)
    throw validationFailed("sha256", `the file's is ${file.sha256}, not the one declared`);
  return file;
}

const nothingArrived = (): MediaError =>
  new MediaError({ code: "CONFLICT", reason: "Nothing has arrived yet: put the file to its address, then complete." });

async function refuseOtherSize({ size, stream }: StoredObject, declared: number): Promise<void> {
  if (size === declared) return;
  await stream.cancel();
  throw validationFailed("fileSize", `the file has ${size} bytes, not the ${declared} declared`);
}

function unanswered(cause: unknown): never {
  throw cause instanceof StorageUnavailableError ? storageUnavailable(cause) : cause;
}

function brokenOff(cause: unknown): never {
  throw storageUnavailable(cause);
}

/** The fault was not the file's, nor the caller's: completing again may succeed. */
const PASSING: readonly MediaErrorCode[] = [
  "CONFLICT",
  "IDEMPOTENCY_MISMATCH", // another call is at it, with what lay there before
  "REQUEST_TIMEOUT",
  "RATE_LIMITED",
  "PROCESSING_FAILED",
  "INTERNAL",
  "STORAGE_UNAVAILABLE",
  "DATABASE_UNAVAILABLE",
  "OVERLOADED",
];

type Attempt = { ticket: DirectUpload; isOurs: boolean };

/** What another call made of it meanwhile, or the failure, which the ticket then knows. */
async function afterFailure(deps: Deps, { ticket, isOurs }: Attempt, error: unknown): Promise<Uploaded> {
  let outcome: DirectUpload["outcome"] | undefined;
  try {
    outcome = (await deps.database.directUploads.find(ticket.id))?.outcome;
    if (!outcome) await noteFailure(deps, { ticket, isOurs }, error);
  } catch (second) {
    // The ticket stays open, and is completed again or swept.
    deps.log.warn({ err: second, upload: ticket.id }, "the failure of a direct upload could not be noted");
  }
  if (outcome) return replay(deps, outcome);
  throw error;
}

async function noteFailure({ database, clock }: Deps, { ticket, isOurs }: Attempt, error: unknown): Promise<void> {
  const { id, objectKey: key, storageType } = ticket;
  const failure = error instanceof MediaError && !PASSING.includes(error.failure.code) ? error.failure : null;
  if (!failure) {
    if (isOurs) await database.directUploads.giveBack(id);
    return;
  }
  await database.transact(async ({ directUploads, deletions }) => {
    if (await directUploads.fail(id, failure)) await deletions.add([{ key, storageType }], clock.now());
  });
}
