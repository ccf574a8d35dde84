import { createHash } from "node:crypto";
import { ExponentialBackoff, handleWhen, retry } from "cockatiel";
import {
  type ByteSource,
  ObjectExistsError,
  type ObjectListing,
  type ObjectStorage,
  type Presence,
  type PutOptions,
  StorageUnavailableError,
} from "../media/ports.js";
import { type AvailabilityGuard, createAvailabilityGuard, type GuardOptions } from "./availability-guard.js";
import type { Unremoved } from "./delete-each.js";
import type { KeyWindow } from "./key-rules.js";

export type ResilienceOptions = GuardOptions & {
  /** Tries of a put that the store does not answer. */
  putAttempts?: number;
  /** Before the second try; each further wait is about twice as long, with jitter. */
  firstDelayMs?: number;
  longestDelayMs?: number;
};

/**
 * The same store, whose puts are tried again while it does not answer, and which is left alone for some seconds after
 * it failed several times in a row: meanwhile every request fails at once. Only silence counts as failure; a taken
 * key, a missing object, a range out of bounds and a wrong key are answers.
 */
export function createResilientStorage<S extends ObjectStorage>(storage: S, options: ResilienceOptions): S {
  const guard = createAvailabilityGuard(storage, options);
  return {
    ...storage,
    put: (key, source, how) => guard.admit(() => putAgain({ storage, guard, options }, key, source, how)),
    get: (key, range) => guard.run("get", () => storage.get(key, range)),
    head: (key) => headGuarded(guard, storage, key),
    delete: (key) => guard.run("delete", () => storage.delete(key)),
    deleteMany: (keys) => deleteGuarded(guard, storage, keys),
    list: (window) => listGuarded(guard, storage, window),
    sweepUnfinished: (olderThan) => guard.run("list", () => storage.sweepUnfinished(olderThan)),
  };
}

type Putting = { storage: ObjectStorage; guard: AvailabilityGuard; options: ResilienceOptions };

function putAgain(
  { storage, guard, options }: Putting,
  key: string,
  source: ByteSource,
  how: PutOptions,
): Promise<void> {
  const { putAttempts = 4, firstDelayMs = 200, longestDelayMs = 5_000 } = options;
  const again = handleWhen((error) => error instanceof StorageUnavailableError && !guard.isOpen());
  const backoff = new ExponentialBackoff({ initialDelay: firstDelayMs, maxDelay: longestDelayMs });
  return retry(again, { maxAttempts: putAttempts - 1, backoff }).execute(async ({ attempt }) => {
    try {
      await guard.observed("put", () => storage.put(key, source, how));
    } catch (error) {
      // An earlier try whose answer was lost may have stored the object.
      const mayBeOwn = attempt > 0 && error instanceof ObjectExistsError;
      if (!mayBeOwn || !(await holdsSame(storage, key, source))) throw error;
    }
  });
}

async function holdsSame(storage: ObjectStorage, key: string, source: ByteSource): Promise<boolean> {
  const object = await storage.get(key);
  if (object?.size !== source.size) {
    await object?.stream.cancel();
    return false;
  }
  const hash = createHash("sha256");
  await object.stream.pipeTo(new WritableStream({ write: (chunk) => void hash.update(chunk) }));
  return hash.digest("hex") === source.sha256;
}

async function headGuarded(guard: AvailabilityGuard, storage: ObjectStorage, key: string): Promise<Presence> {
  try {
    return await guard.run("head", () => knownPresence(storage, key));
  } catch (error) {
    if (!(error instanceof StorageUnavailableError)) throw error;
    return { state: "unknown", reason: error.message };
  }
}

/** Rejects where the presence is unknown. */
async function knownPresence(storage: ObjectStorage, key: string): Promise<Presence> {
  const presence = await storage.head(key);
  if (presence.state === "unknown") throw new StorageUnavailableError(presence.reason);
  return presence;
}

async function deleteGuarded(
  guard: AvailabilityGuard,
  storage: ObjectStorage,
  keys: readonly string[],
): Promise<Unremoved[]> {
  let unremoved: Unremoved[] | undefined;
  try {
    await guard.run("delete", async () => {
      unremoved = await storage.deleteMany(keys);
      const isOutage = unremoved.length > 0 && unremoved.length === keys.length;
      if (isOutage && unremoved[0]?.error instanceof StorageUnavailableError) throw unremoved[0].error;
    });
  } catch (error) {
    if (!(error instanceof StorageUnavailableError)) throw error;
    return unremoved ?? keys.map((key) => ({ key, error }));
  }
  return unremoved ?? [];
}

/** Only the first object of a listing is waited for as a request; how fast the rest goes is up to the reader. */
async function* listGuarded(
  guard: AvailabilityGuard,
  storage: ObjectStorage,
  window: KeyWindow | undefined,
): AsyncGenerator<ObjectListing, void, undefined> {
  const objects = storage.list(window)[Symbol.asyncIterator]();
  try {
    let next = await guard.run("list", () => objects.next());
    while (!next.done) {
      yield next.value;
      next = await objects.next();
    }
  } finally {
    await objects.return?.();
  }
}
