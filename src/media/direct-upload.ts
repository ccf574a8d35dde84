import { requirePrincipal } from "./access.js";
import type { Actor } from "./actor.js";
import type { DirectUpload, NewDirectUpload, PutAddress } from "./direct-ports.js";
import { MediaError } from "./errors.js";
import { admitDeclared } from "./inspect.js";
import type { Media } from "./model.js";
import { incomingKey } from "./object-key.js";
import type { ServiceDeps } from "./ports.js";
import type { UploadFields } from "./upload-fields.js";
import { openUpload, type UploadPlace } from "./upload-request.js";

/** Tickets a principal may hold at once: a bound to what can lie in the store without being media. */
export const MAX_OPEN_TICKETS = 100;

/** What the client says of a file before it sends it. */
export type DeclaredFile = Pick<DirectUpload, "filename" | "fileSize" | "sha256"> & {
  contentType: string | null;
  fields: UploadFields;
};

/**
 * Lets a client put one file into the store itself. Everything that can be decided without its bytes is decided here:
 * UNAUTHENTICATED, ENTITY_NOT_FOUND, FORBIDDEN, UNSUPPORTED_TYPE, FILE_TOO_LARGE, and CONFLICT beyond
 * `MAX_OPEN_TICKETS` (of many asked for at once, some more may pass). The ticket is written before its address is
 * told, so that nothing can arrive that nobody knows of.
 */
export async function openDirectUpload(
  deps: Pick<ServiceDeps, "database" | "direct" | "images" | "limits" | "clock" | "ids">,
  actor: Actor,
  place: UploadPlace,
  declared: DeclaredFile,
): Promise<{ ticket: NewDirectUpload; address: PutAddress }> {
  const { attachment, entity } = await openUpload(deps, actor, place);
  const { fields, filename, fileSize, sha256 } = declared;
  const contentType = readContentType(declared.contentType);
  admitDeclared(deps, attachment, { contentType, fileSize });
  const now = deps.clock.now();
  const principal = requirePrincipal(actor);
  await refuseTooMany(deps, principal, now);
  const ticket: NewDirectUpload = {
    id: `UPL-${deps.ids.keyPart().toUpperCase()}`,
    principal,
    entityType: entity.type,
    entityId: entity.id,
    entityField: attachment.field,
    filename,
    contentType,
    fileSize,
    sha256,
    fields,
    objectKey: incomingKey({
      at: now,
      random: deps.ids.keyPart(),
    }),
    storageType: deps.direct.type,
    createdAt: now,
    expiresAt: new Date(now.getTime() + deps.limits.directMinutes * 6e4),
  };
  await deps.database.directUploads.open(ticket);
  return { ticket, address: await deps.direct.putAddress(ticket, now) };
}

/** What clients send where they do not know, and a name that is none but common. */
const NO_TYPE = "application/octet-stream";
const ALIASES: Readonly<Record<string, string>> = { "image/jpg": "image/jpeg" };

/** Without parameters, in lower case; null where it says nothing. */
function readContentType(declared: string | null): string | null {
  const type = declared?.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  return type === "" || type === NO_TYPE ? null : (ALIASES[type] ?? type);
}

async function refuseTooMany({ database }: Pick<ServiceDeps, "database">, principal: string, now: Date): Promise<void> {
  if ((await database.directUploads.countOpen(principal, now)) < MAX_OPEN_TICKETS) return;
  const reason = `${MAX_OPEN_TICKETS} direct uploads are open already; complete them, or wait until they expire.`;
  throw new MediaError({ code: "CONFLICT", reason });
}

/** As the ids made above look; nothing else is asked about. */
const UPLOAD_ID = /^UPL-[0-9A-Z]{13,32}$/;

/** The ticket by its id alone, or NOT_FOUND. */
export async function findTicket({ database }: Pick<ServiceDeps, "database">, uploadId: string): Promise<DirectUpload> {
  const ticket = UPLOAD_ID.test(uploadId) ? await database.directUploads.find(uploadId) : undefined;
  if (!ticket) throw new MediaError({ code: "NOT_FOUND", what: `direct upload ${JSON.stringify(uploadId)}` });
  return ticket;
}

/** The actor's own ticket; anyone else's does not exist. Throws UNAUTHENTICATED and NOT_FOUND. */
export async function findOwnTicket(
  deps: Pick<ServiceDeps, "database">,
  actor: Actor,
  uploadId: string,
): Promise<DirectUpload> {
  const principal = requirePrincipal(actor);
  const ticket = await findTicket(deps, uploadId);
  if (ticket.principal === principal) return ticket;
  throw new MediaError({ code: "NOT_FOUND", what: `direct upload ${JSON.stringify(uploadId)}` });
}

/** How an upload stands. `receivedBytes`: null where the store cannot say. `media`: null until it is ready, or gone. */
export type DirectUploadStatus = Pick<DirectUpload, "state" | "failure" | "expiresAt"> & {
  uploadId: string;
  receivedBytes: number | null;
  media: Media | null;
};

/** Throws NOT_FOUND. */
export async function directUploadStatus(
  deps: Pick<ServiceDeps, "database" | "objects">,
  actor: Actor,
  uploadId: string,
): Promise<DirectUploadStatus> {
  const ticket = await findOwnTicket(deps, actor, uploadId);
  const { id, state, failure, outcome, expiresAt } = ticket;
  const media = outcome && ((await deps.database.media.find(outcome.mediaId)) ?? null);
  return { uploadId: id, state, failure, expiresAt, media, receivedBytes: await receivedBytes(deps, ticket) };
}

/** A store takes an object whole, so it is none or all of it; the object of a ticket that ended is none of its business. */
async function receivedBytes(
  { objects }: Pick<ServiceDeps, "objects">,
  { state, fileSize, storageType, objectKey }: DirectUpload,
): Promise<number | null> {
  if (state === "ready") return fileSize;
  if (state === "failed") return null;
  const presence = await objects.of(storageType).head(objectKey);
  if (presence.state === "unknown") return null;
  return presence.state === "exists" ? presence.size : 0;
}
