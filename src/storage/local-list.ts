import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { ObjectListing } from "../media/ports.js";
import { onDisk } from "./disk-failure.js";
import { compareKeys, isListed, isObjectKey, type KeyWindow, RESERVED_NAMES } from "./key-rules.js";
import { assertPresent, type LocalFolder, orAbsent } from "./local-folder.js";

/** A file's key, or a folder's with `/` at its end: so both sort as the keys below them do. */
type Entry = { key: string; isFolder: boolean };

/**
 * The objects in bytewise key order. Holds the names of the folders on the way down to the current one and no others.
 * What appears or goes meanwhile may or may not be seen; symbolic links and names no key can have are passed over.
 */
export async function* listFiles(
  folder: LocalFolder,
  window: KeyWindow = {},
): AsyncGenerator<ObjectListing, void, undefined> {
  // An empty mount point reads like an empty store; a folder that vanishes later is noticed when it is read.
  await assertPresent(folder);
  yield* listBelow(folder, "", window);
}

async function* listBelow(
  folder: LocalFolder,
  below: string,
  window: KeyWindow,
): AsyncGenerator<ObjectListing, void, undefined> {
  for (const entry of await entriesOf(folder, below)) {
    if (entry.isFolder) {
      if (mayHold(entry.key, window)) yield* listBelow(folder, entry.key, window);
    } else if (isListed(entry.key, window)) {
      const stats = await orAbsent(folder, () => onDisk(lstat(join(folder.root, entry.key))));
      if (stats?.isFile()) yield { key: entry.key, size: stats.size, lastModified: stats.mtime };
    }
  }
}

/** Whether a key that starts with `folderKey` can lie in the window. */
const mayHold = (folderKey: string, { startAfter = "", prefix = "" }: KeyWindow): boolean =>
  (folderKey.startsWith(prefix) || prefix.startsWith(folderKey)) &&
  (startAfter.startsWith(folderKey) || compareKeys(folderKey, startAfter) > 0);

async function entriesOf(folder: LocalFolder, below: string): Promise<Entry[]> {
  const found = await orAbsent(folder, () => onDisk(readdir(join(folder.root, below), { withFileTypes: true })));
  const entries: Entry[] = [];
  for (const entry of found ?? []) {
    const key = below + entry.name;
    if (below === "" && RESERVED_NAMES.has(key)) continue;
    if (entry.isDirectory()) entries.push({ key: `${key}/`, isFolder: true });
    else if (entry.isFile() && isObjectKey(key)) entries.push({ key, isFolder: false });
  }
  return entries.sort((a, b) => compareKeys(a.key, b.key));
}
