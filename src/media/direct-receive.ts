import { withObject } from "./copy-object.js";
import type { DirectStorage, DirectUpload } from "./direct-ports.js";
import { findTicket } from "./direct-upload.js";
import { MediaError, storageUnavailable, validationFailed } from "./errors.js";
import { type Deps, ObjectExistsError, type SpooledFile, StorageUnavailableError } from "./ports.js";
import type { SignatureQuery } from "./stored-file.js";

/** Signed in place of an object key: no key has a space, so neither signature is good for the other. */
const signedName = (uploadId: string): string => `put ${uploadId}`;

/** For stores that have no addresses of their own: clients put to this server, with a signature instead of a session. */
export const createOwnAddresses = ({ signer, urls }: Pick<Deps, "signer" | "urls">): DirectStorage => ({
  type: "local",
  async putAddress({ id, contentType, expiresAt }) {
    const query = await signer.sign(signedName(id), expiresAt);
    const headers = { "content-type": contentType ?? "application/octet-stream" };
    return { url: `${urls.baseUrl}/v1/media/direct/${id}?${query}`, headers };
  },
});

/**
 * The ticket that bytes may be put for now. Throws FORBIDDEN for a signature that is wrong or over, NOT_FOUND, and
 * CONFLICT where the upload has ended or its bytes go elsewhere.
 */
export async function admitPut(
  deps: Pick<Deps, "database" | "signer" | "clock">,
  uploadId: string,
  signature: SignatureQuery,
): Promise<DirectUpload> {
  if (!(await deps.signer.verify(signedName(uploadId), signature, deps.clock.now()))) {
    const reason = "the address is not signed, or its time is over";
    throw new MediaError({ code: "FORBIDDEN", right: "put", subject: null, reason });
  }
  const ticket = await findTicket(deps, uploadId);
  if (ticket.state === "waiting" && ticket.storageType === "local") return ticket;
  throw new MediaError({ code: "CONFLICT", reason: "The direct upload takes no more bytes." });
}

/**
 * Stores what was put. The same bytes once more, after an answer that was lost, are no failure. Throws VALIDATION for
 * others than were declared, CONFLICT where others were put before, and STORAGE_UNAVAILABLE.
 */
export async function storePut(
  deps: Pick<Deps, "objects" | "spool">,
  ticket: DirectUpload,
  file: SpooledFile,
): Promise<void> {
  const { fileSize, sha256, objectKey: key, storageType, contentType } = ticket;
  if (file.size !== fileSize) throw validationFailed("fileSize", `${file.size} bytes came, ${fileSize} were declared`);
  if (sha256 !== null && file.sha256 !== sha256)
    throw validationFailed("sha256", `the file's is ${file.sha256}, not the one declared`);
  const store = deps.objects.of(storageType);
  try {
    await store.put(key, file, { contentType: contentType ?? "application/octet-stream", isPublic: false });
  } catch (error) {
    if (error instanceof StorageUnavailableError) throw storageUnavailable(error);
    if (!(error instanceof ObjectExistsError)) throw error;
    const isSame = await withObject(deps, { store, key }, async (before) => before.sha256 === file.sha256);
    if (!isSame) throw new MediaError({ code: "CONFLICT", reason: "Another file was put here before." });
  }
}
