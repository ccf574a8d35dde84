import type { Deps } from "./ports.js";

type WordIndexDeps = { database: Pick<Deps["database"], "media">; log: Pick<Deps["log"], "info"> };

const PAGE = 500;

/**
 * Makes items behind `afterId` findable by words that are not yet, and answers the last id it came to. Items are found
 * one page after the other; stopped or failed, the next run does the rest.
 */
export async function fillWordIndex(
  { database, log }: WordIndexDeps,
  { afterId, signal }: { afterId: number; signal: AbortSignal },
): Promise<number> {
  let lastId = afterId;
  let indexed = 0;
  while (!signal.aborted) {
    const page = await database.media.indexWords({ afterId: lastId, limit: PAGE });
    if (!page) break;
    lastId = page.lastId;
    indexed += page.indexed;
  }
  if (indexed > 0) log.info({ indexed, isComplete: !signal.aborted }, "made older items findable by their words");
  return lastId;
}
