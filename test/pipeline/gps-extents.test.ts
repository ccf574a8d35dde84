import { describe, expect, it } from "vitest";
import {
  clearExcept,
  editGathered,
  isTouched,
  mergeExtents,
  outside,
  withinBytes,
} from "../../src/pipeline/gps-extents.js";

const extent = (start: number, end: number) => ({ start, end });
const MERGED = [extent(2, 4), extent(6, 9)];

describe("merged extents", () => {
  it("are sorted, neither touch nor overlap, and hold no empty one", () => {
    const merged = mergeExtents([extent(8, 9), extent(2, 3), extent(5, 5), extent(3, 4), extent(6, 9), extent(7, 8)]);
    expect(merged).toEqual(MERGED);
    expect(mergeExtents([])).toEqual([]);
  });

  it("are touched by an extent that shares a byte with them, not by one beside them", () => {
    expect(isTouched(extent(0, 3), MERGED)).toBe(true);
    expect(isTouched(extent(8, 20), MERGED)).toBe(true);
    expect(isTouched(extent(0, 20), MERGED)).toBe(true);
    expect(isTouched(extent(4, 6), MERGED)).toBe(false);
    expect(isTouched(extent(0, 2), MERGED)).toBe(false);
    expect(isTouched(extent(9, 20), MERGED)).toBe(false);
    expect(isTouched(extent(0, 20), [])).toBe(false);
  });

  it("leave outside them what lies between", () => {
    expect(outside(extent(0, 12), MERGED)).toEqual([extent(0, 2), extent(4, 6), extent(9, 12)]);
    expect(outside(extent(3, 8), MERGED)).toEqual([extent(4, 6)]);
    expect(outside(extent(6, 9), MERGED)).toEqual([]);
    expect(outside(extent(0, 12), [])).toEqual([extent(0, 12)]);
  });
});

describe("clearing", () => {
  it("writes zeros over all but what is kept", () => {
    const bytes = Buffer.from("abcdefghijkl");
    clearExcept(bytes, extent(1, 11), MERGED);
    expect(bytes.toString("latin1")).toBe("a\0cd\0\0ghi\0\0l");
  });

  it("stays within the bytes", () => {
    const bytes = Buffer.from("abc");
    clearExcept(bytes, extent(1, 99), []);
    clearExcept(bytes, extent(50, 99), []);
    expect(bytes.toString("latin1")).toBe("a\0\0");
  });
});

describe("bytes in several places", () => {
  it("are edited as one block and written back to their places", () => {
    const file = Buffer.from("--he----llo-");
    const changed = editGathered(file, [extent(2, 4), extent(8, 11)], (block) => {
      expect(block.toString()).toBe("hello");
      block.write("WORLD");
      return true;
    });
    expect(changed).toBe(true);
    expect(file.toString()).toBe("--WO----RLD-");
  });

  it("are left alone where the edit changes nothing", () => {
    const file = Buffer.from("abc");
    expect(editGathered(file, [extent(0, 3)], (block) => block.fill(0).length === 0)).toBe(false);
    expect(file.toString()).toBe("abc");
  });

  it("count each time they are named, up to a total", () => {
    expect(withinBytes([extent(0, 10), extent(0, 10), extent(0, 10)], 25)).toEqual([extent(0, 10), extent(0, 10)]);
  });
});
