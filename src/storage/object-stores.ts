import type { StorageType } from "../media/model.js";
import type { ObjectStorage, ObjectStores } from "../media/ports.js";
import { createAbsentStorage } from "./absent.js";

export type StoresSetUp = {
  primary: ObjectStorage;
  fallback?: ObjectStorage | null;
  /** Stores that take no new objects and hold older ones. */
  others?: readonly ObjectStorage[];
};

/** The stores by their type, of which each has one. Throws `TypeError` where two stores share a type. */
export function createObjectStores({ primary, fallback = null, others = [] }: StoresSetUp): ObjectStores {
  const all = [...new Set([primary, ...(fallback ? [fallback] : []), ...others])];
  const byType = new Map<StorageType, ObjectStorage>();
  for (const storage of all) {
    if (byType.has(storage.type)) throw new TypeError(`There are two stores of type ${storage.type}.`);
    byType.set(storage.type, storage);
  }
  return { primary, fallback, all, of: (type) => byType.get(type) ?? createAbsentStorage(type) };
}
