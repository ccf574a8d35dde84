import type { Deps } from "./ports.js";
import { countStale } from "./stale-variants.js";

/** Measures what waits, for the metrics. */
export async function measureBacklog({
  database,
  objects,
  metrics,
}: Pick<Deps, "database" | "objects" | "metrics">): Promise<void> {
  const { fallback } = objects;
  const [deletions, promotions, findings, stale] = await Promise.all([
    database.deletions.size(),
    fallback ? database.media.countStored(fallback.type) : 0,
    database.sync.counts(),
    countStale(database.media),
  ]);
  metrics.backlog({ deletions, promotions, ...findings, stale });
}
