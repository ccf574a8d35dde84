import { describe, expect, it } from "vitest";
import { createRateLimiter } from "../../src/router/rate-limit.js";

describe("a token bucket", () => {
  it("lets as many calls through at once as it allows a minute, and no more", () => {
    const limiter = createRateLimiter(5);
    expect(Array.from({ length: 7 }, () => limiter.take("a", 0))).toEqual([null, null, null, null, null, 12, 12]);
  });

  it("fills up evenly, to the brim and not beyond", () => {
    const limiter = createRateLimiter(6);
    for (let call = 0; call < 6; call++) limiter.take("a", 0);
    expect(limiter.take("a", 9_999)).toBe(1);
    expect(limiter.take("a", 10_000)).toBeNull();
    expect(limiter.take("a", 10_000)).toBe(10);
    const later = Array.from({ length: 7 }, () => limiter.take("a", 10_000_000));
    expect(later).toEqual([null, null, null, null, null, null, 10]);
  });

  it.each([1, 3, 7, 10, 59, 60, 61, 1200, 99_999])("tells a wait that is long enough, at %d a minute", (perMinute) => {
    const limiter = createRateLimiter(perMinute);
    for (let call = 0; call < perMinute; call++) limiter.take("a", 0);
    const wait = limiter.take("a", 0);
    expect(wait).toBeGreaterThan(0);
    expect(limiter.take("a", (wait as number) * 1000)).toBeNull();
  });

  it("is not drained by calls that were refused", () => {
    const limiter = createRateLimiter(1);
    limiter.take("a", 0);
    for (let second = 1; second < 60; second++) expect(limiter.take("a", second * 1000)).toBe(60 - second);
    expect(limiter.take("a", 60_000)).toBeNull();
  });

  it("is each caller's own", () => {
    const limiter = createRateLimiter(1);
    expect(limiter.take("a", 0)).toBeNull();
    expect(limiter.take("b", 0)).toBeNull();
    expect(limiter.take("a", 0)).toBe(60);
  });

  it("takes a call back, and never holds more than its measure", () => {
    const limiter = createRateLimiter(2);
    limiter.take("a", 0);
    limiter.giveBack("a", 0);
    limiter.giveBack("a", 0);
    limiter.giveBack("nobody", 0);
    expect([limiter.take("a", 0), limiter.take("a", 0), limiter.take("a", 0)]).toEqual([null, null, 30]);
    expect([limiter.take("nobody", 0), limiter.take("nobody", 0)]).toEqual([null, null]);
  });

  it("is not emptied by a clock that steps back", () => {
    const limiter = createRateLimiter(2);
    limiter.take("a", 600_000);
    expect(limiter.take("a", 0)).toBeNull();
    expect(limiter.take("a", 30_000)).toBeNull();
  });

  it("forgets the caller longest unheard of, not the busy one, when there are too many", () => {
    const limiter = createRateLimiter(1);
    limiter.take("idle", 0);
    limiter.take("busy", 0);
    for (let stranger = 0; stranger < 49_999; stranger++) {
      if (stranger % 10_000 === 0) limiter.take("busy", 0);
      limiter.take(`stranger ${stranger}`, 0);
    }
    expect(limiter.take("busy", 0)).toBe(60);
    expect(limiter.take("idle", 0)).toBeNull();
  });
});
