import { authoriseWrite, findEntity, requirePrincipal } from "./access.js";
import type { Actor } from "./actor.js";
import type { Attachment, EntityType } from "./attachments.js";
import type { Media } from "./model.js";
import type { Duplicate } from "./near-duplicates.js";
import type { Deps, Entity, Ref, SpooledFile, Stores } from "./ports.js";
import type { UploadFields } from "./upload-fields.js";

/** Where an upload asks to hang its file. */
export type UploadPlace = { attachment: Attachment; ref: Ref; parent?: { type: EntityType; ref: Ref } | undefined };

/** A place the actor was allowed to upload to when it was looked up. */
export type UploadTarget = { attachment: Attachment; entity: Entity };

/** A file in the spool, with what the client said of it. */
export type IncomingFile = { file: SpooledFile; filename: string; fields: UploadFields };

/** `reused`: the item was there before, as a copy that was asked for. `replayed`: this is an earlier answer again. */
export type Uploaded = { media: Media; duplicates: readonly Duplicate[]; reused: boolean; replayed: boolean };

/** One sentence for people. */
export function describeUploaded({ media, reused }: Uploaded): string {
  const noun = media.mediaType === "IMAGE" ? "picture" : "video";
  return reused ? `The ${noun} was there already.` : `The ${noun} was stored.`;
}

export type UploadRequest = {
  actor: Actor;
  target: UploadTarget;
  incoming: IncomingFile;
  /** The client's name for this upload: whatever the network does to it, it makes one item. Null for none. */
  idempotencyKey?: string | null;
  /** Names of all files of the batch it is part of, in their order: with others the key stands for another batch. */
  batch?: readonly string[];
  /** Held back until this resolves; a batch commits its items in the order they were sent. */
  turn?: Promise<unknown>;
  /** Further work of the transaction that commits the item, or finds the copy that was asked for; last in it. */
  atCommit?: (stores: Stores, uploaded: Uploaded) => Promise<void>;
};

/** The checks before the body: UNAUTHENTICATED, then ENTITY_NOT_FOUND, then FORBIDDEN. */
export async function openUpload(
  deps: Pick<Deps, "database" | "clock">,
  actor: Actor,
  place: UploadPlace,
): Promise<UploadTarget> {
  requirePrincipal(actor);
  const { entities } = deps.database;
  const entity = await findEntity(entities, {
    type: place.attachment.entityType,
    ref: place.ref,
    parent: place.parent,
  });
  await authoriseWrite(entities, actor, { entity, right: "upload" }, deps.clock.now());
  return { attachment: place.attachment, entity };
}
