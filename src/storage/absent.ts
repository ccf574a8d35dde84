import type { StorageType } from "../media/model.js";
import { type ObjectStorage, StorageUnavailableError } from "../media/ports.js";
import { keySegments } from "./key-rules.js";

/** Stands for a store that is not set up: like one that does not answer, so that nothing is concluded of its objects. */
export function createAbsentStorage(type: StorageType): ObjectStorage {
  const reason = `Storage of type ${type} is not set up.`;
  const refuse = async (key?: string): Promise<never> => {
    if (key !== undefined) keySegments(key);
    throw new StorageUnavailableError(reason);
  };
  return {
    type,
    bucketName: null,
    put: refuse,
    get: refuse,
    async head(key) {
      keySegments(key);
      return { state: "unknown", reason };
    },
    delete: refuse,
    deleteMany: async (keys) => keys.map((key) => ({ key, error: new StorageUnavailableError(reason) })),
    async *list() {
      yield await refuse();
    },
    sweepUnfinished: () => refuse(),
  };
}
