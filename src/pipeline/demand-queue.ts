import { MediaError } from "../media/errors.js";

export type DemandQueueOptions = {
  /** Most pieces of work at once. */
  concurrent: number;
  /** Most that wait for their turn. */
  limit: number;
};

/**
 * Lets so many pieces of work run at once and so many wait, first come first served; refuses others with OVERLOADED.
 * What is made for pages that wait never takes all processes from uploads.
 */
export function createDemandQueue({
  concurrent,
  limit,
}: DemandQueueOptions): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running >= concurrent) {
      if (waiting.length >= limit) throw new MediaError({ code: "OVERLOADED", retryAfterSeconds: 5 });
      // Whoever ends hands over its place, so that nobody who comes in between takes it.
      await new Promise<void>((resolve) => void waiting.push(resolve));
    } else running++;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
}
