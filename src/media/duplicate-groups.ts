import type { DuplicateTier } from "./errors.js";
import { BUCKETS, bucketsOf, distanceBetween, type HashWords, masksWithin, wordsOf } from "./hash-bands.js";
import { TIER_DISTANCE, TIER_RANK } from "./near-duplicates.js";
import type { Fingerprint } from "./ports.js";

/**
 * Items that show one picture. Each of the others is a duplicate of the first, `distance` places (the greatest of
 * them) from it at most.
 */
export type DuplicateGroup<T> = { tier: DuplicateTier; distance: number; items: [first: T, ...others: T[]] };

type Group<T> = { distance: number; items: [T, ...T[]] };

/**
 * Sorts items into groups, tier by tier, each led by the foremost. An item stands behind the first of one group at
 * most, so the tiers tell of each pair once; the first of a group may lead one in each tier. Where of every group the
 * first alone is kept, no two that are left are duplicates. Two of an `exact` or `same` group that both stand behind
 * its first are no more than `similar` to each other.
 */
export function groupDuplicates<T extends Fingerprint>(items: readonly T[]): DuplicateGroup<T>[] {
  const exact = groupCopies(items);
  const same = groupNear(firstsOf(exact), TIER_DISTANCE.same);
  const similar = groupNear(firstsOf(same), TIER_DISTANCE.similar);
  return Object.entries({ exact, same, similar } satisfies Record<DuplicateTier, Group<T>[]>)
    .flatMap(([tier, groups]) => groups.map((group) => ({ ...group, tier: tier as DuplicateTier })))
    .filter((group) => group.items.length > 1)
    .sort((a, b) => TIER_RANK[a.tier] - TIER_RANK[b.tier]);
}

const firstsOf = <T>(groups: readonly Group<T>[]): T[] => groups.map(({ items: [first] }) => first);

function groupCopies<T extends Fingerprint>(items: readonly T[]): Group<T>[] {
  const byDigest = new Map<string, Group<T>>();
  for (const item of items) {
    const group = byDigest.get(item.contentSha256);
    if (group) group.items.push(item);
    else byDigest.set(item.contentSha256, { distance: 0, items: [item] });
  }
  return [...byDigest.values()];
}

type Led<T> = { group: Group<T>; hash: HashWords; at: number };
type Near<T> = Led<T> & { distance: number };

const isNearer = <T>(led: Led<T>, distance: number, than: Near<T>): boolean =>
  distance < than.distance || (distance === than.distance && led.at < than.at);

/** Every item joins the nearest first within the distance, the foremost of those equally near, or becomes a first. */
function groupNear<T extends Fingerprint>(items: readonly T[], within: number): Group<T>[] {
  const firsts = createFirsts<T>(within);
  return items.flatMap((item, at) => {
    const hash = wordsOf(item.imageHash);
    const nearest = hash && firsts.nearest(hash);
    if (nearest) {
      nearest.group.items.push(item);
      nearest.group.distance = Math.max(nearest.group.distance, nearest.distance);
      return [];
    }
    const group: Group<T> = { distance: 0, items: [item] };
    if (hash) firsts.add({ group, hash, at });
    return [group];
  });
}

/** The firsts of groups by the buckets of their hashes. */
function createFirsts<T>(within: number) {
  const masks = masksWithin(within);
  // Most buckets are empty and hundreds are looked into for every item: made at once, they are an array, not a map.
  const buckets = Array.from({ length: BUCKETS }, (): Led<T>[] | null => null);

  function* inReach(hash: HashWords): Generator<Led<T>> {
    for (const [band, bucket] of bucketsOf(hash).entries())
      for (const mask of masks[band] ?? []) {
        const here = buckets[bucket ^ mask];
        if (here) for (const led of here) yield led;
      }
  }

  function nearest(hash: HashWords): Near<T> | null {
    let best: Near<T> | null = null;
    for (const led of inReach(hash)) {
      const distance = distanceBetween(led.hash, hash);
      if (distance <= within && (best === null || isNearer(led, distance, best))) best = { ...led, distance };
    }
    return best;
  }

  function add(led: Led<T>): void {
    for (const bucket of bucketsOf(led.hash)) {
      const here = buckets[bucket];
      if (here) here.push(led);
      else buckets[bucket] = [led];
    }
  }
  return { nearest, add };
}
