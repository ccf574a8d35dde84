import { readdirSync, readlinkSync } from "node:fs";
import { mkdtemp, readdir, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** An empty folder, free of symbolic links on the way to it, and its removal. */
export async function makeTemporaryFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await realpath(await mkdtemp(join(tmpdir(), "media-test-")));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Every file below, relative to the folder, sorted. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

/** Files below the folder that this process holds open; only where the system tells (`/proc`). */
export const openFilesBelow = (folder: string): string[] =>
  readdirSync("/proc/self/fd").flatMap((descriptor) => {
    const target = linkTarget(`/proc/self/fd/${descriptor}`);
    return target?.startsWith(`${folder}/`) ? [target] : [];
  });

/** Undefined for a descriptor that was closed meanwhile, as the one that reads the list. */
function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
