import type { Deps, KeptObjects } from "./ports.js";
import { settleAll } from "./settle-all.js";

const BATCH = 100;

type SweepDeps = Pick<Deps, "database" | "objects" | "clock" | "log" | "metrics">;

/**
 * Removes what uploads of dead processes, and those that failed, left: exactly the keys their intents name, then the
 * intents. Each store for itself; what one cannot remove now stays claimed for the next run. Answers how many uploads
 * were cleared.
 */
export async function sweepAbandonedUploads(deps: SweepDeps): Promise<number> {
  const cleared = await settleAll(deps.objects.all.map((store) => sweepStore(deps, store)));
  return cleared.reduce((sum, count) => sum + count, 0);
}

async function sweepStore(deps: SweepDeps, store: KeptObjects): Promise<number> {
  const { intents } = deps.database;
  let cleared = 0;
  for (;;) {
    const query = { storageType: store.type, now: deps.clock.now(), limit: BATCH };
    const claimed = await intents.claimAbandoned(query);
    if (claimed.length === 0) return cleared;
    const failed = await store.deleteMany(claimed.flatMap((intent) => intent.keys));
    const left = new Set(failed.map(({ key }) => key));
    for (const { id, keys } of claimed) {
      if (keys.some((key) => left.has(key))) continue;
      await intents.forget(id);
      deps.metrics.retired("abandoned_upload", 1);
      deps.log.info({ intent: id, store: store.type, keys: keys.length }, "cleared an abandoned upload");
      cleared++;
    }
    if (failed[0]) {
      const fields = { err: failed[0].error, store: store.type, objects: failed.length };
      deps.log.warn(fields, "objects of abandoned uploads could not be removed yet");
      return cleared;
    }
    if (claimed.length < BATCH) return cleared;
  }
}
