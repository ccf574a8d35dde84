import { describe, expect, it } from "vitest";
import { extentOf } from "../../src/storage/byte-range.js";

describe("the extent of a range", () => {
  it("is the whole object where no range is asked for", () => {
    expect(extentOf(10, undefined)).toEqual({ start: 0, length: 10 });
    expect(extentOf(0, undefined)).toEqual({ start: 0, length: 0 });
  });

  it.each([
    [
      { start: 0, end: 0 },
      { start: 0, length: 1 },
    ],
    [
      { start: 2, end: 5 },
      { start: 2, length: 4 },
    ],
    [
      { start: 9, end: 9 },
      { start: 9, length: 1 },
    ],
    [
      { start: 9, end: Number.MAX_SAFE_INTEGER },
      { start: 9, length: 1 },
    ],
  ])("of %o in ten bytes is %o", (range, extent) => {
    expect(extentOf(10, range)).toEqual(extent);
  });

  it.each([
    [10, { start: 10, end: 10 }],
    [10, { start: 3, end: 2 }],
    [10, { start: -1, end: 2 }],
    [10, { start: 1.5, end: 2 }],
    [10, { start: 1, end: Number.POSITIVE_INFINITY }],
    [10, { start: Number.NaN, end: Number.NaN }],
    [0, { start: 0, end: 0 }],
  ])("in %i bytes does not exist for %o", (size, range) => {
    expect(() => extentOf(size, range)).toThrow(RangeError);
  });
});
