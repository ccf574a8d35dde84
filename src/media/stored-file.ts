import { isPublished } from "./access.js";
import { mediaNotFound, storageUnavailable } from "./errors.js";
import { type ByteRange, type Deps, type KeyOwner, StorageUnavailableError, type StoredObject } from "./ports.js";

type FileDeps = Pick<Deps, "database" | "objects" | "signer" | "clock">;

export type SignatureQuery = { expires?: string | undefined; signature?: string | undefined };

/** What may be told of a stored file before its bytes are read. `isPublic`: anyone may see it, caches may keep it. */
export type StoredFile = KeyOwner & { isPublic: boolean };

/**
 * The rule at the file route. What is published is everybody's; the rest answers only to a signature for this very
 * key; what is rejected or in the trash answers to nobody. Throws MEDIA_NOT_FOUND, never more.
 */
export async function findFile(deps: FileDeps, key: string, signature: SignatureQuery): Promise<StoredFile> {
  const owner = await deps.database.media.findByKey(key);
  if (!owner || !isServed(owner)) throw mediaNotFound("file");
  const isPublic = isPublished(owner.media);
  if (!isPublic && !(await deps.signer.verify(key, signature, deps.clock.now()))) throw mediaNotFound("file");
  return { ...owner, isPublic };
}

const isServed = ({ media }: KeyOwner): boolean => media.deletedAt === null && media.moderationStatus !== "rejected";

/** The bytes. Throws STORAGE_UNAVAILABLE when the store does not answer and MEDIA_NOT_FOUND when it lost them. */
export async function openFile(deps: FileDeps, key: string, range?: ByteRange): Promise<StoredObject> {
  try {
    const object = await deps.objects.get(key, range);
    if (object) return object;
  } catch (cause) {
    throw cause instanceof StorageUnavailableError ? storageUnavailable(cause) : cause;
  }
  throw mediaNotFound("file");
}
