import { describe, expect, it } from "vitest";
import type { RateLimiter, RateLimits, RateRule } from "../../src/accounts/rate-limits.js";

/** What every place to count calls in does. Rules are slow to refill: nothing here hangs on how long a test takes. */
export function describeRateLimits(open: () => RateLimits): void {
  let rules = 0;
  /** A rule no other test counts by. */
  const rule = (perMinute: number): RateRule => ({ name: `rule-${++rules}`, perMinute });
  const limiter = (perMinute: number): RateLimiter => open()(rule(perMinute));
  const times = async (count: number, { take }: RateLimiter, caller = "a") => {
    const seen: (number | null)[] = [];
    for (let call = 0; call < count; call++) seen.push(await take(caller));
    return seen;
  };

  describe("a token bucket", () => {
    it("lets as many calls through at once as it allows a minute, and no more", async () => {
      const waits = await times(4, limiter(2));
      expect(waits.slice(0, 2)).toEqual([null, null]);
      for (const wait of waits.slice(2)) expect(wait).toSatisfy((seconds) => seconds > 0 && seconds <= 30);
      expect(waits.every((wait) => wait === null || Number.isInteger(wait))).toBe(true);
    });

    it("lets no more through when all come at once", async () => {
      const { take } = limiter(3);
      const waits = await Promise.all(Array.from({ length: 20 }, () => take("a")));
      expect(waits.filter((wait) => wait === null)).toHaveLength(3);
    });

    it("is each caller's own, whatever he is called", async () => {
      const limit = limiter(1);
      for (const caller of ["user USR-1", "address ::1", "{USR}:1 *", ""])
        expect(await times(2, limit, caller)).toEqual([null, expect.any(Number)]);
    });

    it("is each rule's own, and one for all limiters of the rule", async () => {
      const [limits, given] = [open(), rule(1)];
      expect(await limits(given).take("a")).toBeNull();
      expect(await limits(rule(1)).take("a")).toBeNull();
      expect(await limits(given).take("a")).not.toBeNull();
    });

    it("takes a call back, and never holds more than its measure", async () => {
      const limit = limiter(2);
      await limit.take("a");
      await limit.giveBack("a");
      await limit.giveBack("a");
      await limit.giveBack("nobody");
      expect(await times(3, limit)).toEqual([null, null, expect.any(Number)]);
      expect(await times(3, limit, "nobody")).toEqual([null, null, expect.any(Number)]);
      await limit.giveBack("a");
      expect(await times(2, limit)).toEqual([null, expect.any(Number)]);
    });

    it("holds as much as a rule may allow", async () => {
      const limit = limiter(999_999_999);
      expect(await times(3, limit)).toEqual([null, null, null]);
    });

    it("follows a rule that was changed while it was in use", async () => {
      const [limits, given] = [open(), rule(5)];
      await times(2, limits(given));
      const narrower = limits({ ...given, perMinute: 1 });
      expect(await times(2, narrower)).toEqual([null, expect.any(Number)]);
    });
  });
}
