import { StorageUnavailableError } from "../media/ports.js";

/** These say what is or is not on the disk; every other errno says that the disk does not serve. */
const ANSWERS: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "EEXIST", "ENOTEMPTY"]);

/** The name (`ENOSPC`) of a file system error; null for any other error. */
export function errnoOf(error: unknown): string | null {
  if (!(error instanceof Error) || !("syscall" in error) || !("code" in error)) return null;
  return typeof error.code === "string" ? error.code : null;
}

export const isAbsence = (error: unknown): boolean => ["ENOENT", "ENOTDIR"].includes(errnoOf(error) ?? "");

/**
 * Awaits work of the file system. A full, broken, read-only or forbidden disk rejects with `StorageUnavailableError`,
 * whose message holds no path and whose cause does; answers such as ENOENT and EEXIST pass as they are.
 */
export async function onDisk<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === null || ANSWERS.has(errno)) throw error;
    throw new StorageUnavailableError(`The disk does not serve: ${errno}.`, { cause: error });
  }
}
