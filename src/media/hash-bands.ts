/**
 * Multi-index hashing (M. Norouzi, A. Punjani, D. J. Fleet, "Fast Exact Search in Hamming Space with Multi-Index
 * Hashing", 2012): a hash of 64 bits is cut into four bands of 16, and an item is found under each of them. Of two
 * hashes that differ in few places some band differs in at most a quarter of these, so that looking under the values
 * near one's own bands finds every neighbour.
 */
const BANDS = 4;
const BAND_BITS = 16;

/** How many buckets there are. */
export const BUCKETS = BANDS << BAND_BITS;

/** The first and the last 32 bits, as numbers from 0. */
export type HashWords = { high: number; low: number };

/** Null for none, and for what is no 64 characters of 0 and 1: other tools write to the table too. */
export function wordsOf(hash: string | null): HashWords | null {
  if (hash === null || !/^[01]{64}$/.test(hash)) return null;
  return { high: Number.parseInt(hash.slice(0, 32), 2), low: Number.parseInt(hash.slice(32), 2) };
}

/** The four buckets an item with this hash lies in, numbers from 0 to below `BUCKETS`: those of two bands are never one. */
export const bucketsOf = ({ high, low }: HashWords): number[] =>
  [high >>> BAND_BITS, high & 0xffff, low >>> BAND_BITS, low & 0xffff].map(
    (value, band) => (band << BAND_BITS) | value,
  );

/**
 * For each band, what its bucket is to be combined with by XOR to get the buckets that, of all bands together, hold
 * every hash at most `distance` places away; others are in them too. Throws RangeError above 11.
 * With distance = 4q + r some of the first r + 1 bands differs in at most q places, or some other in at most q - 1:
 * else the sum were at least (r + 1)(q + 1) + (3 - r)q = distance + 1.
 */
export function masksWithin(distance: number): (readonly number[])[] {
  const quarter = Math.floor(distance / BANDS);
  const rest = distance % BANDS;
  if (quarter >= MASKS.length) throw new RangeError(`The bands do not reach as far as ${distance}.`);
  return Array.from({ length: BANDS }, (_, band) => MASKS[band <= rest ? quarter : quarter - 1] ?? []);
}

/** For each radius up to 2 all values of 16 bits with at most so many ones: 1, 17 and 137 of them. */
const MASKS = [0, 1, 2].map((radius) =>
  Array.from({ length: 2 ** BAND_BITS }, (_, mask) => mask).filter((mask) => onesIn(mask) <= radius),
);

/** The buckets that together hold every hash at most `distance` places away. */
export const bucketsWithin = (hash: HashWords, distance: number): number[] => {
  const masks = masksWithin(distance);
  return bucketsOf(hash).flatMap((bucket, band) => (masks[band] ?? []).map((mask) => bucket ^ mask));
};

/** Number of places in which two hashes differ. */
export const distanceBetween = (a: HashWords, b: HashWords): number => onesIn(a.high ^ b.high) + onesIn(a.low ^ b.low);

/** Ones among 32 bits, counted in pairs, fours and bytes at once (H. S. Warren, "Hacker's Delight", 5-1). */
function onesIn(bits: number): number {
  const pairs = bits - ((bits >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
