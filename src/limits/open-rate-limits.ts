import type { RateLimits } from "../accounts/rate-limits.js";
import type { Deps } from "../media/ports.js";
import { createFallbackLimits } from "./fallback-limits.js";
import { createTokenBuckets } from "./token-buckets.js";

export type OpenRateLimits = { rateLimits: RateLimits; close(): void };

/** How long the start waits for Redis. Without it the first calls are counted in this process. */
const CONNECT_WAIT_MS = 1000;

/**
 * Limits of this process alone, or those that servers share through the Redis at `redisUrl`. Where that one does not
 * answer, now or later, this process counts by itself; one line of the log says so and one when it is over.
 */
export async function openRateLimits(
  redisUrl: string | undefined,
  { clock, log, metrics }: Pick<Deps, "clock" | "log" | "metrics">,
): Promise<OpenRateLimits> {
  const local = createTokenBuckets(clock);
  if (redisUrl === undefined) return { rateLimits: local, close: () => undefined };
  const { createRedisBuckets } = await import("./redis-buckets.js");
  const redis = createRedisBuckets(redisUrl);
  const onChange = (failure: Error | null) => {
    metrics.rateLimitsShared(failure === null);
    // Words alone: the error itself knows the command, which may be the one with the password.
    const reason = redis.connectionFailure() ?? failure?.message;
    if (failure) log.warn({ reason }, "Redis does not answer: rate limits are counted in this process alone");
    else log.info({}, "Redis answers again: rate limits are shared");
  };
  metrics.rateLimitsShared(true);
  const rateLimits = createFallbackLimits({ shared: redis.limits, local, onChange, onFailedTrial: redis.reconnect });
  // Whether there is a line shows with the first calls.
  await Promise.race([redis.connect().catch(() => undefined), clock.pause(CONNECT_WAIT_MS)]);
  return { rateLimits, close: redis.close };
}
