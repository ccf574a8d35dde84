/** At most so many calls a minute for each caller. The name tells the counts of one rule from those of another. */
export type RateRule = { name: string; perMinute: number };

/**
 * A token bucket for each caller: `perMinute` calls at once, refilled evenly over a minute.
 * https://en.wikipedia.org/wiki/Token_bucket
 */
export type RateLimiter = {
  /** Counts one call, if it is allowed: null, else the whole seconds until the next one is. */
  take(caller: string): Promise<number | null>;
  /** Uncounts a call. */
  giveBack(caller: string): Promise<void>;
};

/** The limiter of a rule; all limiters of one rule count together. */
export type RateLimits = (rule: RateRule) => RateLimiter;
