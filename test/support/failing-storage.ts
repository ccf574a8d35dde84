import { type ObjectStorage, type StorageOperation, StorageUnavailableError } from "../../src/media/ports.js";

export type FailingStorage = ObjectStorage & {
  /** Operations that reached the store, in order. */
  calls: StorageOperation[];
  /** How many of the next operations fail. */
  failures: number;
  /** Whether a failing put stores its object before its answer is lost. */
  losesAnswers: boolean;
};

/** A store that does not answer when a test says so. */
export function createFailingStorage(storage: ObjectStorage): FailingStorage {
  async function call<T>(operation: StorageOperation, work: () => Promise<T>): Promise<T> {
    failing.calls.push(operation);
    if (failing.failures === 0) return work();
    failing.failures--;
    if (failing.losesAnswers) await work();
    throw new StorageUnavailableError("The store is out.");
  }
  const failing: FailingStorage = {
    ...storage,
    calls: [],
    failures: 0,
    losesAnswers: false,
    put: (...put) => call("put", () => storage.put(...put)),
    get: (...get) => call("get", () => storage.get(...get)),
    async head(key) {
      try {
        return await call("head", () => storage.head(key));
      } catch (error) {
        if (!(error instanceof StorageUnavailableError)) throw error;
        return { state: "unknown", reason: error.message };
      }
    },
    delete: (key) => call("delete", () => storage.delete(key)),
    async deleteMany(keys) {
      try {
        return await call("delete", () => storage.deleteMany(keys));
      } catch (error) {
        return keys.map((key) => ({ key, error }));
      }
    },
    async *list(window) {
      await call("list", async () => undefined);
      yield* storage.list(window);
    },
    sweepUnfinished: (olderThan) => call("list", () => storage.sweepUnfinished(olderThan)),
  };
  return failing;
}
