import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { link, lstat, mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { type ByteSource, ObjectExistsError, StorageUnavailableError } from "../media/ports.js";
import { errnoOf, onDisk } from "./disk-failure.js";
import { createHashingFile, FILE_MODE } from "./hashing-file.js";
import { keySegments } from "./key-rules.js";
import { FOLDER_MODE, type LocalFolder, orAbsent } from "./local-folder.js";

/** Each attempt is lost only to a delete that removes the empty folder in the very moment between two system calls. */
const LINK_ATTEMPTS = 50;

/**
 * Stores one object. Order: all bytes to a temporary file, verified, on the disk, or where the source is a file of this
 * disk a second name of that file, which saves reading and writing it once more; then its link under the final name,
 * which fails where the name is taken; then the temporary name goes; then every folder above is on the disk. A crash
 * before the link leaves a temporary file, one after it the whole object.
 */
export async function putFile(folder: LocalFolder, key: string, source: ByteSource): Promise<void> {
  const segments = keySegments(key);
  const temporary = join(folder.temporary, randomUUID());
  try {
    const written = await orAbsent(folder, () => takeWhole(temporary, source).then(() => true));
    if (!written) throw new StorageUnavailableError("The folder of temporary files came and went.");
    await linkOnce(folder, segments, temporary);
  } finally {
    await onDisk(rm(temporary, { force: true }));
  }
  await syncFolders(folder, segments);
}

async function takeWhole(temporary: string, source: ByteSource): Promise<void> {
  const isLinked = source.path !== undefined && (await linked(source.path, temporary));
  await (isLinked ? requireWhole(temporary, source) : writeVerified(temporary, source));
}

/** False where that is not to be had: on another disk, on one without hard links. Copying tells what else is wrong. */
async function linked(existing: string, path: string): Promise<boolean> {
  try {
    await link(existing, path);
    return true;
  } catch {
    return false;
  }
}

/** The digest is its writer's; what is looked at is that this is the file. Then it is on the disk, the owner's alone. */
async function requireWhole(path: string, source: ByteSource): Promise<void> {
  const handle = await onDisk(open(path, constants.O_RDONLY | constants.O_NOFOLLOW));
  try {
    const stats = await onDisk(handle.stat());
    if (!stats.isFile()) throw new Error("The source is no file.");
    if (stats.size !== source.size)
      throw new Error(`The source holds ${stats.size} bytes, not the announced ${source.size}.`);
    await onDisk(handle.chmod(FILE_MODE));
    await onDisk(handle.sync());
  } finally {
    await onDisk(handle.close());
  }
}

async function writeVerified(path: string, source: ByteSource): Promise<void> {
  const file = await createHashingFile(path);
  const takeChunk = async (chunk: Uint8Array) => {
    await file.write(chunk);
    if (file.size() > source.size) throw new Error(`The source holds more than the announced ${source.size} bytes.`);
  };
  try {
    await source.open().pipeTo(new WritableStream({ write: takeChunk }));
    const { size, sha256 } = await file.finish({ durable: true });
    if (size !== source.size) throw new Error(`The source holds ${size} bytes, not the announced ${source.size}.`);
    if (sha256 !== source.sha256) throw new Error("The source's bytes do not match their digest.");
  } finally {
    await file.close();
  }
}

async function linkOnce(folder: LocalFolder, segments: readonly string[], temporary: string): Promise<void> {
  for (let attempt = 0; attempt < LINK_ATTEMPTS; attempt++) {
    const linked = await orAbsent(folder, async () => {
      await makeFolders(folder, segments.slice(0, -1));
      await linkNew(temporary, join(folder.root, ...segments));
      return true;
    });
    if (linked) return;
  }
  throw new StorageUnavailableError("The object's folder vanished again and again.");
}

async function linkNew(existing: string, path: string): Promise<void> {
  try {
    await onDisk(link(existing, path));
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
    throw new ObjectExistsError("The key is taken.", { cause: error });
  }
}

/** One by one and never the root, so that a store that is gone is not made anew. */
async function makeFolders(folder: LocalFolder, segments: readonly string[]): Promise<void> {
  let path = folder.root;
  for (const segment of segments) {
    path = join(path, segment);
    await makeFolder(path);
  }
}

async function makeFolder(path: string): Promise<void> {
  try {
    await onDisk(mkdir(path, FOLDER_MODE));
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
    const stats = await onDisk(lstat(path));
    if (stats.isSymbolicLink()) throw new TypeError("A symbolic link stands in the key's way.");
    if (!stats.isDirectory()) throw new Error("Another object stands where the key needs a folder.", { cause: error });
  }
}

/**
 * From the object's folder up to the root. All of them each time: the folder may be another put's, made a moment ago
 * and not yet on the disk. One that has nothing to write costs next to nothing.
 */
async function syncFolders(folder: LocalFolder, segments: readonly string[]): Promise<void> {
  for (let depth = segments.length - 1; depth >= 0; depth--) {
    await orAbsent(folder, () => syncFolder(join(folder.root, ...segments.slice(0, depth))));
  }
}

export async function syncFolder(path: string): Promise<void> {
  const handle = await onDisk(open(path, "r"));
  try {
    await onDisk(handle.sync());
  } finally {
    await handle.close();
  }
}
