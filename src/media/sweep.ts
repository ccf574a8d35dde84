import type { Deps } from "./ports.js";
import { removeKeys } from "./stored-objects.js";

const BATCH = 100;

/**
 * Removes what uploads of dead processes left: exactly the keys their intents name, then the intents. Answers how
 * many were cleared. Stops at the first failure (a store that is down); the rest stays claimed for the next run.
 */
export async function sweepAbandonedUploads(
  deps: Pick<Deps, "database" | "objects" | "clock" | "log">,
): Promise<number> {
  let cleared = 0;
  for (;;) {
    const intents = await deps.database.intents.claimAbandoned(deps.clock.now(), BATCH);
    for (const intent of intents) {
      await removeKeys(deps, intent);
      deps.log.info({ intent: intent.id, keys: intent.keys.length }, "cleared an abandoned upload");
      cleared++;
    }
    if (intents.length < BATCH) return cleared;
  }
}
