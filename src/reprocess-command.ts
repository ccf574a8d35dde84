import { readWords, UsageError, wholeNumber } from "./command-words.js";
import { openPixels, PIXEL_QUEUE, pixelProcesses } from "./compose.js";
import type { Config } from "./config.js";
import { runLong } from "./long-command.js";
import { ENTITY_FIELDS, ENTITY_TYPE_NAMES } from "./media/attachments.js";
import type { Database } from "./media/ports.js";
import { RENDERING } from "./media/rendering.js";
import type { PictureFilter } from "./media/rendering-ports.js";
import { countSelected, type Reprocessed, reprocess, type Selection, selectedPages } from "./media/reprocess.js";
import { createRandomIds } from "./security/random-ids.js";

export const REPROCESS_USAGE = `  reprocess         make variants anew from the stored originals; of those another version made (--stale, the default),
                    of --all, or of those named: --id MED-1 --id 17
                    --type property, --entity property/PRP-1, --field gallery, --content-type image/png,
                    --from and --to an ISO 8601 date or time of upload, --trash (the trash, too)
                    --concurrency items at once (as many as pixel processes), --items-per-second 0 (no limit),
                    --after 17 (--all goes on behind that id), --dry-run (says which), --json (a report to read by program)`;

const OPTIONS = {
  stale: { type: "boolean", default: false },
  all: { type: "boolean", default: false },
  id: { type: "string", multiple: true, default: [] as string[] },
  type: { type: "string" },
  entity: { type: "string" },
  field: { type: "string" },
  "content-type": { type: "string" },
  from: { type: "string" },
  to: { type: "string" },
  trash: { type: "boolean", default: false },
  after: { type: "string", default: "0" },
  concurrency: { type: "string" },
  "items-per-second": { type: "string", default: "0" },
  "dry-run": { type: "boolean", default: false },
  json: { type: "boolean", default: false },
} as const;

type Words = ReturnType<typeof readOptions>;
const readOptions = (words: readonly string[]) => readWords(words, OPTIONS).values;

/**
 * Makes variants anew; running servers go on meanwhile. SIGINT and SIGTERM end it after the items under way; running it
 * again goes on with what is stale. Answers whether all that was asked for is done. Throws UsageError.
 */
export async function reprocessVariants(config: Config, words: readonly string[]): Promise<boolean> {
  const given = readOptions(words);
  const pace = {
    concurrency: wholeNumber(
      "--concurrency",
      given.concurrency ?? String(pixelProcesses(config)),
      1,
      PIXEL_QUEUE.demand,
    ),
    itemsPerSecond: wholeNumber("--items-per-second", given["items-per-second"], 0),
  };
  const filter = toFilter(given);
  return runLong(config, async ({ resources, signal, withProgress }) => {
    const { database } = resources.opened;
    const { selection, unknown } = await toSelection(database, given, filter);
    if (given["dry-run"]) return listSelected(database, selection, { unknown, asJson: given.json });
    const images = openPixels(config, resources.log);
    const deps = { ...resources, database, images, ids: createRandomIds(), keepGps: config.KEEP_GPS };
    try {
      const total = await countSelected(database.media, selection);
      const done = await withProgress(total, (onProgress) =>
        reprocess(deps, { selection, signal, onProgress, ...pace }),
      );
      done.failed.unshift(...unknown.map((ref) => ({ publicId: ref, reason: "There is no such picture." })));
      report(done, { selection, asJson: given.json });
      return done.isComplete && done.failed.length === 0;
    } finally {
      await images.close();
    }
  });
}

function toFilter(given: Words): PictureFilter {
  const { type, field, entity, all, stale, id } = given;
  if ([all, stale, id.length > 0].filter(Boolean).length > 1)
    throw new UsageError("--stale, --all and --id exclude each other");
  if (type !== undefined && entity !== undefined) throw new UsageError("--entity names a type already");
  return {
    entityType: oneOf("--type", type, ENTITY_TYPE_NAMES),
    entityField: oneOf("--field", field, ENTITY_FIELDS),
    contentType: given["content-type"],
    from: timeOf("--from", given.from),
    // A day is meant to its end in UTC.
    to: timeOf("--to", given.to?.replace(/^\d{4}-\d{2}-\d{2}$/, "$&T23:59:59.999Z")),
    withTrash: given.trash,
  };
}

/** `unknown`: names that are no picture's. */
async function toSelection(
  database: Pick<Database, "media" | "entities">,
  given: Words,
  filter: PictureFilter,
): Promise<{ selection: Selection; unknown: string[] }> {
  const { all, entity, id: refs } = given;
  if (refs.length > 0) {
    const found = await Promise.all(refs.map((ref) => database.media.find(ref)));
    const ids = found.flatMap((media) => (media?.mediaType === "IMAGE" ? media.id : []));
    return { selection: { ids }, unknown: refs.filter((_, at) => found[at]?.mediaType !== "IMAGE") };
  }
  const of = entity === undefined ? {} : await findEntity(database, entity);
  const afterId = wholeNumber("--after", given.after, 0);
  return { selection: { which: all ? "all" : "stale", afterId, ...filter, ...of }, unknown: [] };
}

async function findEntity({ entities }: Pick<Database, "entities">, word: string) {
  const [, name, ref = ""] = /^([^/]+)\/(.+)$/.exec(word) ?? [];
  const entityType = oneOf("--entity", name ?? word, ENTITY_TYPE_NAMES);
  const entity = entityType && (await entities.find(entityType, ref));
  if (!entity) throw new UsageError(`--entity: there is no ${word}`);
  return { entityType: entity.type, entityId: entity.id };
}

function oneOf<T extends string>(name: string, word: string | undefined, words: readonly T[]): T | undefined {
  const found = words.find((known) => known === word);
  if (word !== undefined && !found) throw new UsageError(`${name} must be one of: ${words.join(", ")}`);
  return found;
}

function timeOf(name: string, word: string | undefined): Date | undefined {
  if (word === undefined) return undefined;
  const time = new Date(word);
  if (!/^\d{4}-\d{2}-\d{2}/.test(word) || Number.isNaN(time.getTime()))
    throw new UsageError(`${name} must be an ISO 8601 date or time`);
  return time;
}

type Listing = { unknown: readonly string[]; asJson: boolean };

async function listSelected(
  { media }: Pick<Database, "media">,
  selection: Selection,
  { unknown, asJson }: Listing,
): Promise<boolean> {
  const total = await countSelected(media, selection);
  const items: { publicId: string; renderedAs: string | null }[] = [];
  for await (const page of selectedPages(media, selection))
    for (const { publicId, renderedAs } of page)
      if (asJson) items.push({ publicId, renderedAs });
      else console.log(`${publicId}\t${renderedAs ?? "unknown"}`);
  if (asJson) console.log(JSON.stringify({ rendering: RENDERING, total, items, unknown }, null, 2));
  else console.log(`${total} items to make anew, as ${RENDERING}.`);
  for (const ref of unknown) console.error(`${ref}: There is no such picture.`);
  return unknown.length === 0;
}

function report(done: Reprocessed, { selection, asJson }: { selection: Selection; asJson: boolean }): void {
  const { made, gone, failed, withPosition, isComplete, afterId } = done;
  if (asJson) {
    console.log(JSON.stringify({ rendering: RENDERING, ...done }, null, 2));
    return;
  }
  console.table({ "made anew": made, "gone or made meanwhile": gone, failed: failed.length });
  for (const { publicId, reason } of failed) console.error(`${publicId}: ${reason}`);
  for (const publicId of withPosition)
    console.error(`${publicId}: its original tells where it was taken, from a time of KEEP_GPS; it stays as it is.`);
  if (isComplete) return;
  const isAll = "which" in selection && selection.which === "all";
  console.error(`It ended early. Run it again to go on${isAll ? `, with --after ${afterId}` : ""}.`);
}
