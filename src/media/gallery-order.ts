import { generateKeyBetween } from "fractional-indexing";
import type { GalleryPlace } from "./ports.js";

/**
 * Gallery order is (sortOrder, orderKey, id). `sortOrder` is the number people give and see; `orderKey`, a fractional
 * index compared bytewise, tells items of one number apart, so that a move writes one row.
 * https://www.figma.com/blog/realtime-editing-of-ordered-sequences/
 */
type Place = Pick<GalleryPlace, "sortOrder" | "orderKey">;

/** The place behind everything there is. */
export function placeAtEnd(last: GalleryPlace | null): Place {
  return { sortOrder: last === null ? 0 : last.sortOrder + 1, orderKey: generateKeyBetween(null, null) };
}

/** The place behind all others of this number; `last` is the last place up to and with it. */
export function placeAt(sortOrder: number, last: GalleryPlace | null): Place {
  const before = last?.sortOrder === sortOrder ? last.orderKey : null;
  return { sortOrder, orderKey: generateKeyBetween(before, null) };
}

/** Keys grow by a character for about six moves into one gap; far below what the column holds. Characters. */
const MAX_KEY_LENGTH = 120;

/**
 * The place right before or right after `other`, whose `neighbour` on that side (null at the end) it goes between.
 * Null where there is no room: both share a place, or the key would grow too long.
 */
export function placeBeside(other: Place, neighbour: Place | null, side: "before" | "after"): Place | null {
  const limit = neighbour?.sortOrder === other.sortOrder ? neighbour.orderKey : null;
  if (limit === other.orderKey) return null;
  const orderKey =
    side === "before" ? generateKeyBetween(limit, other.orderKey) : generateKeyBetween(other.orderKey, limit);
  return orderKey.length > MAX_KEY_LENGTH ? null : { sortOrder: other.sortOrder, orderKey };
}
