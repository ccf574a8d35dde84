import { isPublished } from "./access.js";
import { mediaNotFound, storageUnavailable } from "./errors.js";
import type { StorageType } from "./model.js";
import { type ByteRange, type Deps, type KeyOwner, StorageUnavailableError, type StoredObject } from "./ports.js";

type FileDeps = Pick<Deps, "database" | "objects" | "signer" | "clock">;

export type SignatureQuery = { expires?: string | undefined; signature?: string | undefined };

/** What may be told of a stored file before its bytes are read. `isPublic`: anyone may see it, caches may keep it. */
export type StoredFile = KeyOwner & { key: string; isPublic: boolean };

/**
 * The rule at the file route. What is published is everybody's; the rest answers only to a signature for this very
 * key; what is rejected or in the trash answers to nobody. Throws MEDIA_NOT_FOUND, never more.
 */
export async function findFile(deps: FileDeps, key: string, signature: SignatureQuery): Promise<StoredFile> {
  const owner = await deps.database.media.findByKey(key);
  if (!owner || !isServed(owner)) throw mediaNotFound("file");
  const isPublic = isPublished(owner.media);
  if (!isPublic && !(await deps.signer.verify(key, signature, deps.clock.now()))) throw mediaNotFound("file");
  return { ...owner, key, isPublic };
}

const isServed = ({ media }: KeyOwner): boolean => media.deletedAt === null && media.moderationStatus !== "rejected";

/**
 * The bytes, from the store that holds them, also where they moved to another one since the file was found. Throws
 * STORAGE_UNAVAILABLE when the store does not answer and MEDIA_NOT_FOUND when it lost them.
 */
export async function openFile(
  deps: Pick<FileDeps, "database" | "objects">,
  { key, media }: Pick<StoredFile, "key" | "media">,
  range?: ByteRange,
): Promise<StoredObject> {
  const { storageType } = media;
  const object = await read(deps, { key, storageType }, range);
  if (object) return object;
  const owner = await deps.database.media.findByKey(key);
  const hasMoved = owner !== undefined && owner.media.storageType !== storageType;
  const moved = hasMoved ? await read(deps, { key, storageType: owner.media.storageType }, range) : null;
  if (!moved) throw mediaNotFound("file");
  return moved;
}

async function read(
  { objects }: Pick<FileDeps, "objects">,
  { key, storageType }: { key: string; storageType: StorageType },
  range: ByteRange | undefined,
): Promise<StoredObject | null> {
  try {
    return await objects.of(storageType).get(key, range);
  } catch (cause) {
    throw cause instanceof StorageUnavailableError ? storageUnavailable(cause) : cause;
  }
}
