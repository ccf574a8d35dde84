import type { RateLimits, RateRule } from "../accounts/rate-limits.js";
import type { Clock } from "../media/ports.js";

/** What one call costs: with a refill of `perMinute` a millisecond all arithmetic is of whole numbers. */
export const CALL = 60_000;

/** Callers of a rule remembered at once; the one longest unheard of goes first. Some 100 bytes each. */
const MAX_CALLERS = 50_000;

type Buckets = Map<string, { level: number; at: number }>;

/** Buckets in this process's memory. Never rejects. */
export function createTokenBuckets(clock: Pick<Clock, "now">): RateLimits {
  const rules = new Map<string, Buckets>();
  return (rule) => {
    const buckets: Buckets = rules.get(rule.name) ?? new Map();
    rules.set(rule.name, buckets);
    return {
      async take(caller) {
        const now = clock.now().getTime();
        const level = levelAt(now, buckets.get(caller), rule);
        remember(buckets, caller, { level: level >= CALL ? level - CALL : level, at: now });
        return level >= CALL ? null : Math.ceil((CALL - level) / rule.perMinute / 1000);
      },
      async giveBack(caller) {
        const now = clock.now().getTime();
        const level = levelAt(now, buckets.get(caller), rule);
        remember(buckets, caller, { level: Math.min(rule.perMinute * CALL, level + CALL), at: now });
      },
    };
  };
}

function levelAt(now: number, bucket: { level: number; at: number } | undefined, { perMinute }: RateRule): number {
  const full = perMinute * CALL;
  return bucket ? Math.min(full, bucket.level + Math.max(0, now - bucket.at) * perMinute) : full;
}

function remember(buckets: Buckets, caller: string, bucket: { level: number; at: number }): void {
  buckets.delete(caller); // set again, it stands at the end: the map is ordered by last use
  buckets.set(caller, bucket);
  if (buckets.size > MAX_CALLERS) buckets.delete(buckets.keys().next().value as string);
}
