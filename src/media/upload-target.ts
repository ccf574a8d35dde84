import { authoriseWrite, findEntity, requirePrincipal } from "./access.js";
import type { Actor } from "./actor.js";
import type { Attachment, EntityType } from "./attachments.js";
import type { Deps, Entity, Ref } from "./ports.js";

/** Where an upload asks to hang its file. */
export type UploadPlace = { attachment: Attachment; ref: Ref; parent?: { type: EntityType; ref: Ref } | undefined };

/** A place the actor was allowed to upload to when it was looked up. */
export type UploadTarget = { attachment: Attachment; entity: Entity };

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
