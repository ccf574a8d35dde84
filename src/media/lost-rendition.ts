import { STORAGE_TYPES } from "./model.js";
import type { Deps } from "./ports.js";

/**
 * A rendition whose object is not where its row says: nothing is lost but work, so the row goes and it is made again
 * where somebody asks. The object goes too, in case that it is there after all: no key is used twice.
 */
export function dropLostRendition({ database, clock }: Pick<Deps, "database" | "clock">, key: string): Promise<void> {
  return database.transact(async ({ media, renditions, deletions }) => {
    for (const storageType of STORAGE_TYPES) {
      if (!(await media.namesKey(key, storageType)) || !(await renditions.drop(key))) continue;
      await deletions.add([{ key, storageType }], clock.now());
      return;
    }
  });
}
