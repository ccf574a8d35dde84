import { expect } from "vitest";
import { type ObjectStorage, StorageUnavailableError } from "../../src/media/ports.js";
import { someBytes, sourceOf } from "./byte-source.js";

const OPTIONS = { contentType: "image/png", isPublic: true };
/** Enough for a put in parts. */
const LARGE_BYTES = 6 * 1024 * 1024;

export const keysOf = async (storage: ObjectStorage) => {
  const found: string[] = [];
  for await (const { key } of storage.list()) found.push(key);
  return found;
};

/** Every way to ask says that the store does not serve, and why; none says that something is missing. */
export async function expectOutage(storage: ObjectStorage, reason: RegExp | string): Promise<void> {
  expect(await storage.head("users/a.png")).toEqual({ state: "unknown", reason: expect.stringMatching(reason) });
  const unremoved = await storage.deleteMany(["users/a.png", "users/b.png"]);
  expect(unremoved.map(({ key }) => key)).toEqual(["users/a.png", "users/b.png"]);
  for (const { error } of unremoved) expect(error).toBeInstanceOf(StorageUnavailableError);
  for (const request of [
    () => storage.get("users/a.png"),
    () => storage.get("users/a.png", { start: 0, end: 1 }),
    () => storage.put("users/b.png", sourceOf("bytes"), OPTIONS),
    () => storage.put("users/c.mp4", sourceOf(someBytes(LARGE_BYTES)), OPTIONS),
    () => storage.delete("users/a.png"),
    () => keysOf(storage),
    () => storage.sweepUnfinished(new Date()),
  ]) {
    const failure: unknown = await request().catch((error: unknown) => error);
    expect(failure, String(request)).toBeInstanceOf(StorageUnavailableError);
    expect((failure as Error).message).toMatch(reason);
    expect((failure as Error).cause).toBeInstanceOf(Error);
  }
}
