import { createPace } from "./pace.js";
import type { Deps } from "./ports.js";
import { settleAll } from "./settle-all.js";

export type WalkOptions = {
  /** Ends the walk after the items under way. */
  signal?: AbortSignal | undefined;
  /** 0 or none: as many as come. */
  itemsPerSecond?: number | undefined;
  /** Items under way at once. */
  concurrency: number;
};

/** So many outages in a row are one. */
const OUTAGE_LIMIT = 10;

/**
 * Takes pages of items, several at once, at a pace. `visit` deals with one and answers whether a store did not answer
 * about it. It is over where it was told to stop, where one item after another met an outage, and where `visit` rejects.
 */
export function createItemWalk<T>(
  deps: Pick<Deps, "clock">,
  { signal, itemsPerSecond, concurrency }: WalkOptions,
  visit: (item: T) => Promise<{ isOutage: boolean }>,
) {
  const pace = createPace(deps, itemsPerSecond);
  let outages = 0;
  let isBroken = false;
  const isOver = () => isBroken || signal?.aborted === true || outages >= OUTAGE_LIMIT;

  async function visitNext(item: T): Promise<void> {
    await pace();
    if (isOver()) return;
    try {
      outages = (await visit(item)).isOutage ? outages + 1 : 0;
    } catch (error) {
      isBroken = true;
      throw error;
    }
  }

  async function lane(items: Iterable<T>): Promise<void> {
    for (const item of items) {
      if (isOver()) return;
      await visitNext(item);
    }
  }

  return {
    isOver,
    /** Rejects as `visit` does, once nothing of the page is under way. */
    async over(page: readonly T[]): Promise<void> {
      // One iterator that all lanes draw from.
      const items = page.values();
      await settleAll(Array.from({ length: concurrency }, () => lane(items)));
    },
  };
}
