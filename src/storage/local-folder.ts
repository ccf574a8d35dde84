import { mkdirSync, realpathSync, type Stats } from "node:fs";
import { lstat, realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import { StorageUnavailableError } from "../media/ports.js";
import { isAbsence, onDisk } from "./disk-failure.js";
import { keySegments } from "./key-rules.js";

/** Folders are the owner's alone, as the files in them. */
export const FOLDER_MODE = 0o700;

/** Where a local store lives. Both paths are absolute and free of symbolic links. */
export type LocalFolder = {
  readonly root: string;
  /** Files under way, on the same file system as the objects. Its presence tells the store from a bare mount point. */
  readonly temporary: string;
};

/**
 * Makes the folder where it is missing. This is the only place that does: a folder that vanishes later is an outage
 * (a disk that was unmounted), and must neither be made anew nor look like an empty store.
 */
export function openLocalFolder(folder: string): LocalFolder {
  mkdirSync(join(folder, ".tmp"), { recursive: true, mode: FOLDER_MODE });
  const root = realpathSync(folder);
  return { root, temporary: join(root, ".tmp") };
}

/** The path of a key's file. Throws `TypeError` for a key that is none. */
export const pathOf = (folder: LocalFolder, key: string): string => join(folder.root, ...keySegments(key));

/**
 * What the work answers, or null where a file or folder it needs is not there. Rejects with
 * `StorageUnavailableError` where the store itself is not there: then nothing may be concluded.
 */
export async function orAbsent<T>(folder: LocalFolder, work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (!isAbsence(error)) throw error;
  }
  await assertPresent(folder);
  return null;
}

/** Rejects with `StorageUnavailableError` where the store is not there, or only its mount point is. */
export async function assertPresent(folder: LocalFolder): Promise<void> {
  try {
    await onDisk(lstat(folder.temporary));
  } catch (error) {
    if (!isAbsence(error)) throw error;
    throw new StorageUnavailableError("The storage folder is not there.", { cause: error });
  }
}

/**
 * The key's file, or null where there is no such object. Rejects with `TypeError` where a symbolic link stands in the
 * way (it could lead out of the store, or give one object two keys); a link in the place of the file is no object.
 */
export function lookUp(folder: LocalFolder, key: string): Promise<Stats | null> {
  const path = pathOf(folder, key);
  return orAbsent(folder, async () => {
    const parent = dirname(path);
    if ((await onDisk(realpath(parent))) !== parent) throw new TypeError("A symbolic link stands in the key's way.");
    const stats = await onDisk(lstat(path));
    return stats.isFile() ? stats : null;
  });
}
