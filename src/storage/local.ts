import { constants } from "node:fs";
import { lstat, open, readdir, rmdir, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  type ByteRange,
  type ObjectStorage,
  type Presence,
  StorageUnavailableError,
  type StoredObject,
} from "../media/ports.js";
import { extentOf } from "./byte-range.js";
import { deleteEach } from "./delete-each.js";
import { errnoOf, onDisk } from "./disk-failure.js";
import { streamFile } from "./file-stream.js";
import { type LocalFolder, lookUp, openLocalFolder, orAbsent, pathOf } from "./local-folder.js";
import { listFiles } from "./local-list.js";
import { putFile, syncFolder } from "./local-put.js";

/**
 * Objects as files below one folder, the key being the path. The folder is made here where it is missing; the file
 * system must know hard links. Content type and caching are not kept: who serves the file knows them from the row.
 */
export function createLocalStorage(options: { folder: string }): ObjectStorage {
  const folder = openLocalFolder(options.folder);
  return {
    type: "local",
    bucketName: null,
    put: (key, source) => putFile(folder, key, source),
    get: (key, range) => getFile(folder, key, range),
    head: (key) => headOf(folder, key),
    delete: (key) => deleteFile(folder, key),
    deleteMany: (keys) => deleteEach(keys, (key) => deleteFile(folder, key)),
    list: (window) => listFiles(folder, window),
    sweepUnfinished: (olderThan) => sweepTemporary(folder, olderThan),
  };
}

async function getFile(folder: LocalFolder, key: string, range?: ByteRange): Promise<StoredObject | null> {
  const stats = await lookUp(folder, key);
  if (!stats) return null;
  const { start, length } = extentOf(stats.size, range);
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW;
  const handle = await orAbsent(folder, () => onDisk(open(pathOf(folder, key), flags)));
  return handle && { size: stats.size, stream: streamFile(handle, start, length) };
}

async function headOf(folder: LocalFolder, key: string): Promise<Presence> {
  try {
    const stats = await lookUp(folder, key);
    return stats ? { state: "exists", size: stats.size, lastModified: stats.mtime } : { state: "missing" };
  } catch (error) {
    if (!(error instanceof StorageUnavailableError)) throw error;
    return { state: "unknown", reason: error.message };
  }
}

async function deleteFile(folder: LocalFolder, key: string): Promise<void> {
  // Also what makes the paths below safe: nothing is removed through a symbolic link.
  if (!(await lookUp(folder, key))) return;
  const path = pathOf(folder, key);
  await orAbsent(folder, async () => {
    await onDisk(unlink(path));
    await syncFolder(dirname(path));
  });
  await removeEmptyFolders(folder, dirname(path));
}

/** Upwards from `path`, never the root, until one holds something. */
async function removeEmptyFolders(folder: LocalFolder, path: string): Promise<void> {
  for (let current = path; current !== folder.root; current = dirname(current)) {
    const isEmpty = await orAbsent(folder, () => removeEmptyFolder(current));
    if (isEmpty === false) return;
  }
}

async function removeEmptyFolder(path: string): Promise<boolean> {
  try {
    await onDisk(rmdir(path));
    return true;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "ENOTEMPTY" || errno === "EEXIST") return false;
    throw error;
  }
}

/** Temporary files of puts that a crash cut off. */
async function sweepTemporary(folder: LocalFolder, olderThan: Date): Promise<number> {
  let removed = 0;
  for (const name of (await orAbsent(folder, () => onDisk(readdir(folder.temporary)))) ?? []) {
    const path = join(folder.temporary, name);
    const swept = await orAbsent(folder, async () => {
      const stats = await onDisk(lstat(path));
      if (!stats.isFile() || stats.mtime >= olderThan) return false;
      await onDisk(unlink(path));
      return true;
    });
    if (swept) removed++;
  }
  return removed;
}
