import { expect, it } from "vitest";
import { retrying } from "../../db/retry.js";

const isWorthIt = (error: unknown) => error instanceof RangeError;
const options = { after: isWorthIt, attempts: 4, pauseMs: 1, random: () => 0 };

/** Fails with these errors, one a call, then answers how often it was called. */
function failing(...errors: Error[]) {
  let calls = 0;
  const work = async () => {
    const error = errors[calls++];
    if (error) throw error;
    return calls;
  };
  return { work, calls: () => calls };
}

it("answers at once where nothing fails", async () => {
  expect(await retrying(failing().work, options)).toBe(1);
});

it("tries again after an error that is worth it", async () => {
  expect(await retrying(failing(new RangeError("1"), new RangeError("2")).work, options)).toBe(3);
});

it("throws any other error at once", async () => {
  const { work, calls } = failing(new TypeError("no"));
  await expect(retrying(work, options)).rejects.toThrow("no");
  expect(calls()).toBe(1);
});

it("throws the last error when the attempts are used up", async () => {
  const { work, calls } = failing(...["1", "2", "3", "4", "5"].map((message) => new RangeError(message)));
  await expect(retrying(work, options)).rejects.toThrow("4");
  expect(calls()).toBe(4);
});

it("lets each pause grow, and begins no attempt after its time", async () => {
  const errors = Array.from({ length: 40 }, (_, n) => new RangeError(String(n)));
  const { work, calls } = failing(...errors);
  const limits = { attempts: 40, pauseMs: 2, growth: 2, withinMs: 200 };
  await expect(retrying(work, { ...options, ...limits })).rejects.toBeInstanceOf(RangeError);
  // Pauses of 1, 2, 4 … 64 ms, after which the next would end past the 200.
  expect(calls()).toBeGreaterThan(1);
  expect(calls()).toBeLessThanOrEqual(8);
});

it("begins no second attempt where the first pause would already be too long", async () => {
  const { work, calls } = failing(new RangeError("1"));
  await expect(retrying(work, { ...options, pauseMs: 1_000, withinMs: 100 })).rejects.toThrow("1");
  expect(calls()).toBe(1);
});
