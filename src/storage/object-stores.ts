import type { StorageType } from "../media/model.js";
import type { KeptObjects, ObjectStorage, ObjectStores } from "../media/ports.js";
import { createAbsentStorage } from "./absent.js";

export type StoresSetUp<Store> = {
  primary: Store;
  fallback?: Store | null;
  /** Stores that take no new objects and hold older ones. */
  others?: readonly Store[];
};

/** The stores by their type, of which each has one. Throws `TypeError` where two stores share a type. */
export function createObjectStores<Store extends KeptObjects>({
  primary,
  fallback = null,
  others = [],
}: StoresSetUp<Store>): ObjectStores<Store | ObjectStorage> {
  const all = [...new Set([primary, ...(fallback ? [fallback] : []), ...others])];
  const byType = new Map<StorageType, Store>();
  for (const storage of all) {
    if (byType.has(storage.type)) throw new TypeError(`There are two stores of type ${storage.type}.`);
    byType.set(storage.type, storage);
  }
  return { primary, fallback, all, of: (type) => byType.get(type) ?? createAbsentStorage(type) };
}
