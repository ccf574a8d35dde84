import { beforeEach, describe, expect, it } from "vitest";
import type { RateLimiter } from "../../src/accounts/rate-limits.js";
import { createTokenBuckets } from "../../src/limits/token-buckets.js";
import { describeRateLimits } from "../contracts/rate-limits.js";

let now = 0;
const clock = { now: () => new Date(now) };

describe("buckets in memory", () => {
  describeRateLimits(() => createTokenBuckets(clock));
});

describe("a bucket, as time goes by", () => {
  beforeEach(() => {
    now = 0;
  });
  const limiterOf = (perMinute: number): RateLimiter => createTokenBuckets(clock)({ name: "rule", perMinute });
  const takeAt = (limiter: RateLimiter, at: number, caller = "a") => {
    now = at;
    return limiter.take(caller);
  };

  it("fills up evenly, to the brim and not beyond", async () => {
    const limiter = limiterOf(6);
    for (let call = 0; call < 6; call++) await limiter.take("a");
    expect(await takeAt(limiter, 9_999)).toBe(1);
    expect(await takeAt(limiter, 10_000)).toBeNull();
    expect(await takeAt(limiter, 10_000)).toBe(10);
    const later: (number | null)[] = [];
    for (let call = 0; call < 7; call++) later.push(await takeAt(limiter, 10_000_000));
    expect(later).toEqual([null, null, null, null, null, null, 10]);
  });

  it.each([1, 3, 7, 10, 59, 60, 61, 1200, 99_999])(
    "tells a wait that is long enough, at %d a minute",
    async (perMinute) => {
      const limiter = limiterOf(perMinute);
      for (let call = 0; call < perMinute; call++) await limiter.take("a");
      const wait = await limiter.take("a");
      expect(wait).toBeGreaterThan(0);
      expect(await takeAt(limiter, (wait as number) * 1000)).toBeNull();
    },
  );

  it("is not drained by calls that were refused", async () => {
    const limiter = limiterOf(1);
    await limiter.take("a");
    for (let second = 1; second < 60; second++) expect(await takeAt(limiter, second * 1000)).toBe(60 - second);
    expect(await takeAt(limiter, 60_000)).toBeNull();
  });

  it("is not emptied by a clock that steps back", async () => {
    const limiter = limiterOf(2);
    await takeAt(limiter, 600_000);
    expect(await takeAt(limiter, 0)).toBeNull();
    expect(await takeAt(limiter, 30_000)).toBeNull();
  });

  it("is forgotten where its caller was longest unheard of, not the busiest, when there are too many", async () => {
    const limiter = limiterOf(1);
    await limiter.take("idle");
    await limiter.take("busy");
    for (let stranger = 0; stranger < 49_999; stranger++) {
      if (stranger % 10_000 === 0) await limiter.take("busy");
      await limiter.take(`stranger ${stranger}`);
    }
    expect(await limiter.take("busy")).toBe(60);
    expect(await limiter.take("idle")).toBeNull();
  });
});
