import type { ByteRange } from "../media/ports.js";

/**
 * Where to read in an object of `size` bytes: all of it, or the range, whose end may lie past the last byte.
 * Throws `RangeError` for a range that holds no byte of the object.
 */
export function extentOf(size: number, range: ByteRange | undefined): { start: number; length: number } {
  if (!range) return { start: 0, length: size };
  const { start, end } = range;
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start || start >= size) {
    throw new RangeError(`Bytes ${start} to ${end} do not lie in an object of ${size} bytes.`);
  }
  return { start, length: Math.min(end, size - 1) - start + 1 };
}
