import { readWords, UsageError, wholeNumber } from "./command-words.js";
import { type Config, ConfigError } from "./config.js";
import { runLong } from "./long-command.js";
import { STORAGE_TYPES, type StorageType } from "./media/model.js";
import { type ItemsMoved, moveItems } from "./media/move-objects.js";
import { removeDueObjects } from "./media/object-deletions.js";

const CONCURRENCY = 4;

type MigrationOptions = { from: StorageType; to: StorageType; concurrency: number; itemsPerSecond: number };

/**
 * Moves every item from one store to the other: copies, verifies, switches the row, then removes. SIGINT and SIGTERM
 * end it after the items under way; running it again goes on. Answers whether everything was moved. Throws UsageError
 * and ConfigError.
 */
export async function migrateStorage(config: Config, words: readonly string[]): Promise<boolean> {
  const options = parseOptions(words);
  if (config.S3_BUCKET_NAME === undefined) throw new ConfigError("S3_BUCKET_NAME is required to move objects");
  if (config.STORAGE_FALLBACK === "local" && options.to === "local")
    throw new ConfigError("STORAGE_FALLBACK must be off to move objects to local: a server would move them back");
  return runLong(config, async ({ resources, signal, withProgress }) => {
    const deps = { ...resources, database: resources.opened.database };
    const total = await deps.database.media.countStored(options.from);
    const moved = await withProgress(total, (onProgress) => moveItems(deps, { ...options, signal, onProgress }));
    await removeDueObjects(deps);
    const left = await deps.database.media.countStored(options.from);
    report(moved, { ...options, left });
    return left === 0;
  });
}

function parseOptions(words: readonly string[]): MigrationOptions {
  const { from, to, concurrency, "items-per-second": itemsPerSecond } = readWords(words, OPTIONS).values;
  if (!isStorageType(from) || !isStorageType(to) || from === to)
    throw new UsageError(`--from and --to must be two of: ${STORAGE_TYPES.join(", ")}`);
  return {
    from,
    to,
    concurrency: wholeNumber("--concurrency", concurrency, 1),
    itemsPerSecond: wholeNumber("--items-per-second", itemsPerSecond, 0),
  };
}

const OPTIONS = {
  from: { type: "string" },
  to: { type: "string" },
  concurrency: { type: "string", default: String(CONCURRENCY) },
  "items-per-second": { type: "string", default: "0" },
} as const;

const isStorageType = (word: string | undefined): word is StorageType =>
  STORAGE_TYPES.some((storageType) => storageType === word);

/** `left`: items still in the old store, those that were uploaded to it meanwhile included. */
function report(moved: ItemsMoved, { from, to, left }: Pick<MigrationOptions, "from" | "to"> & { left: number }): void {
  console.table({
    [`moved from ${from} to ${to}`]: moved.moved,
    "objects copied": moved.objects,
    "bytes copied": moved.bytes,
    "gone meanwhile": moved.gone,
    failed: moved.failed.length,
    [`left in ${from}`]: left,
  });
  for (const { publicId, reason } of moved.failed) console.error(`${publicId}: ${reason}`);
  if (left > 0) console.error(`Run it again to go on with what is left in ${from}.`);
}
