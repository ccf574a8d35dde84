/** Bytes from `start` up to, not including, `end`. */
export type Extent = { readonly start: number; readonly end: number };

/** The same bytes as sorted extents that neither touch nor overlap; empty ones are gone. */
export function mergeExtents(extents: readonly Extent[]): Extent[] {
  const merged: Extent[] = [];
  for (const { start, end } of [...extents].sort((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (end <= start) continue;
    if (last && start <= last.end) merged[merged.length - 1] = { start: last.start, end: Math.max(last.end, end) };
    else merged.push({ start, end });
  }
  return merged;
}

/** What of `extent` lies outside the merged extents. */
export function outside(extent: Extent, merged: readonly Extent[]): Extent[] {
  const within = merged.slice(firstEndingAfter(merged, extent.start)).filter(({ start }) => start < extent.end);
  const starts = [extent.start, ...within.map(({ end }) => end)];
  const ends = [...within.map(({ start }) => start), extent.end];
  return starts.map((start, i) => ({ start, end: ends[i] ?? extent.end })).filter(({ start, end }) => end > start);
}

/** The first of them, up to a total of so many bytes: damaged extents can share their bytes thousands of times over. */
export function withinBytes(extents: readonly Extent[], maxBytes: number): Extent[] {
  let left = maxBytes;
  return extents.filter(({ start, end }) => {
    left -= end - start;
    return left >= 0;
  });
}

/** Whether any byte of `extent` lies in the merged extents. */
export function isTouched(extent: Extent, merged: readonly Extent[]): boolean {
  const next = merged[firstEndingAfter(merged, extent.start)];
  return next !== undefined && next.start < extent.end;
}

/** Writes zeros over `extent`, sparing what lies in the merged extents `kept`. */
export function clearExcept(bytes: Buffer, extent: Extent, kept: readonly Extent[]): void {
  for (const { start, end } of outside(extent, kept))
    bytes.fill(0, Math.min(start, bytes.length), Math.min(end, bytes.length));
}

/** Edits bytes that lie in several places as if they were one block of the same length. True when `edit` says so. */
export function editGathered(file: Buffer, extents: readonly Extent[], edit: (block: Buffer) => boolean): boolean {
  const parts = extents.map(({ start, end }) => file.subarray(start, end));
  const block = Buffer.concat(parts);
  if (!edit(block)) return false;
  let from = 0;
  for (const part of parts) from += block.copy(part, 0, from, from + part.length);
  return true;
}

/** Index of the first merged extent that ends behind `at`, by bisection; their number where there is none. */
function firstEndingAfter(merged: readonly Extent[], at: number): number {
  let low = 0;
  let high = merged.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((merged[middle]?.end ?? 0) > at) high = middle;
    else low = middle + 1;
  }
  return low;
}
