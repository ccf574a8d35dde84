import { and, eq, inArray, lte, sql } from "drizzle-orm";
import { bucketsOf, bucketsWithin, distanceBetween, type HashWords, wordsOf } from "../src/media/hash-bands.js";
import type { MediaRow } from "./media-row.js";
import type { Scope } from "./scope.js";

type Hashed = Pick<MediaRow, "id" | "imageHash">;

/** Makes an item findable by its hash, in the transaction that inserts it. */
export async function addToBands({ db, schema: { mediaHashBands } }: Scope, { id, imageHash }: Hashed): Promise<void> {
  const hash = wordsOf(imageHash);
  if (!hash) return;
  const row = { hashHigh: hash.high, hashLow: hash.low, mediaId: id };
  await db.insert(mediaHashBands).values(bucketsOf(hash).map((bucket) => ({ ...row, bucket })));
}

/** Undoes `addToBands`, in the transaction that removes the item. */
export async function removeFromBands({ db, schema: { mediaHashBands } }: Scope, item: Hashed): Promise<void> {
  const hash = wordsOf(item.imageHash);
  if (!hash) return;
  const { bucket, hashHigh, hashLow, mediaId } = mediaHashBands;
  await db
    .delete(mediaHashBands)
    .where(and(inArray(bucket, bucketsOf(hash)), eq(hashHigh, hash.high), eq(hashLow, hash.low), eq(mediaId, item.id)));
}

/**
 * The ids of all items at most so many places (0 to 11) from the hash, the nearest first; those in the trash too. Reads
 * the table of bands alone, and there what lies in the buckets of the bands.
 */
export async function idsWithin(
  { db, schema: { mediaHashBands }, dialect }: Scope,
  hash: HashWords,
  distance: number,
): Promise<number[]> {
  const { bucket, hashHigh, hashLow, mediaId } = mediaHashBands;
  const differing = sql`${dialect.differingBits(hashHigh, hash.high)} + ${dialect.differingBits(hashLow, hash.low)}`;
  const rows = await db
    .select({ high: hashHigh, low: hashLow, mediaId })
    .from(mediaHashBands)
    .where(and(inArray(bucket, bucketsWithin(hash, distance)), lte(differing, distance)));
  // An item is met once for each of its bands that is near.
  const distances = new Map(rows.map((row) => [row.mediaId, distanceBetween(row, hash)]));
  return [...distances].sort(([a, near], [b, far]) => near - far || a - b).map(([id]) => id);
}
