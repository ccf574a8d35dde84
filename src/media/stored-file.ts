import { isPublished } from "./access.js";
import { mediaNotFound, storageUnavailable } from "./errors.js";
import type { Media } from "./model.js";
import {
  type ByteRange,
  type KeyOwner,
  type ServiceDeps,
  StorageUnavailableError,
  type StoredObject,
} from "./ports.js";

type FileDeps = Pick<ServiceDeps, "database" | "objects" | "signer" | "clock">;

export type SignatureQuery = { expires?: string | undefined; signature?: string | undefined };

/** What may be told of a stored file before its bytes are read. `isPublic`: anyone may see it, caches may keep it. */
export type StoredFile = KeyOwner & { key: string; isPublic: boolean };

/**
 * The rule at the file route. What is published is everybody's; the rest answers only to a signature for this very
 * key; what is rejected or in the trash answers to nobody. Throws MEDIA_NOT_FOUND, never more.
 */
export async function findFile(
  deps: Omit<FileDeps, "objects">,
  key: string,
  signature: SignatureQuery,
): Promise<StoredFile> {
  const owner = (await deps.database.media.findByKey(key)) ?? (await findFormerOwner(deps, key));
  if (!owner || !isServed(owner)) throw mediaNotFound("file");
  const isPublic = isPublished(owner.media);
  if (!isPublic && !(await deps.signer.verify(key, signature, deps.clock.now()))) throw mediaNotFound("file");
  return { ...owner, key, isPublic };
}

/** An item that had the object until a while ago: who holds its address may still load it, by the item's rules of now. */
async function findFormerOwner(
  { database, clock }: Pick<FileDeps, "database" | "clock">,
  key: string,
): Promise<KeyOwner | undefined> {
  const object = await database.deletions.findRetired(key, clock.now());
  if (!object) return undefined;
  const { mediaId, storageType, contentType, fileSize } = object;
  const [media] = await database.media.findMany([mediaId]);
  // The item may have moved to another store since; the object did not.
  return media && { media: { ...media, storageType }, contentType, fileSize };
}

const isServed = ({ media }: KeyOwner): boolean => media.deletedAt === null && media.moderationStatus !== "rejected";

/**
 * The bytes, from the store that holds them, also where they moved to another one since the file was found. Throws
 * STORAGE_UNAVAILABLE when the store does not answer, MEDIA_NOT_FOUND when it lost them, and a plain Error where what
 * it holds has another size than the row says.
 */
export async function openFile(
  deps: Pick<FileDeps, "database" | "objects">,
  { key, media, fileSize }: Pick<StoredFile, "key" | "media" | "fileSize">,
  range?: ByteRange,
): Promise<StoredObject> {
  const object = (await read(deps, { key, media }, range)) ?? (await readWhereItMoved(deps, { key, media }, range));
  if (!object) throw mediaNotFound("file");
  if (object.size === fileSize) return object;
  await object.stream.cancel();
  throw new Error(`${key} holds ${object.size} bytes in ${media.storageType} where its row says ${fileSize}.`);
}

type Place = { key: string; media: Pick<Media, "storageType"> };

async function readWhereItMoved(
  deps: Pick<FileDeps, "database" | "objects">,
  { key, media }: Place,
  range: ByteRange | undefined,
): Promise<StoredObject | null> {
  const owner = await deps.database.media.findByKey(key);
  const hasMoved = owner !== undefined && owner.media.storageType !== media.storageType;
  return hasMoved ? read(deps, { key, media: owner.media }, range) : null;
}

async function read(
  { objects }: Pick<FileDeps, "objects">,
  { key, media }: Place,
  range: ByteRange | undefined,
): Promise<StoredObject | null> {
  try {
    return await objects.of(media.storageType).get(key, range);
  } catch (cause) {
    throw cause instanceof StorageUnavailableError ? storageUnavailable(cause) : cause;
  }
}
