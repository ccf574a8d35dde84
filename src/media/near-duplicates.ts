import type { DuplicateTier } from "./errors.js";
import type { Fingerprint } from "./ports.js";

export type Duplicate = { publicId: string; distance: number; tier: DuplicateTier };

/**
 * Greatest Hamming distance of each perceptual tier. Measured on re-encoded, brightened and cropped photographs:
 * re-encodes lie within 3 bits, brightness +20 % within 5, a crop of 5 % within 10.
 */
export const TIER_DISTANCE = { same: 5, similar: 10 } as const;

/** Number of places in which two hashes of equal length differ. */
export function hammingDistance(a: string, b: string): number {
  let distance = 0;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) distance++;
  return distance;
}

/** The tier two items share, or null when they are no duplicates. Same bytes are `exact` at distance 0. */
function compareFingerprints(a: Omit<Fingerprint, "publicId">, b: Fingerprint): Duplicate | null {
  if (a.contentSha256 === b.contentSha256) return { publicId: b.publicId, distance: 0, tier: "exact" };
  if (a.imageHash === null || b.imageHash === null) return null;
  const distance = hammingDistance(a.imageHash, b.imageHash);
  if (distance <= TIER_DISTANCE.same) return { publicId: b.publicId, distance, tier: "same" };
  if (distance <= TIER_DISTANCE.similar) return { publicId: b.publicId, distance, tier: "similar" };
  return null;
}

export const TIER_RANK: Readonly<Record<DuplicateTier, number>> = { exact: 0, same: 1, similar: 2 };

export const DUPLICATE_TIERS = ["exact", "same", "similar"] as const satisfies readonly DuplicateTier[];

/** All duplicates among the candidates down to `lowest`, nearest first. */
export function findDuplicates(
  of: Omit<Fingerprint, "publicId">,
  candidates: readonly Fingerprint[],
  lowest: DuplicateTier,
): Duplicate[] {
  return candidates
    .map((candidate) => compareFingerprints(of, candidate))
    .filter((duplicate): duplicate is Duplicate => duplicate !== null)
    .filter((duplicate) => TIER_RANK[duplicate.tier] <= TIER_RANK[lowest])
    .sort((a, b) => TIER_RANK[a.tier] - TIER_RANK[b.tier] || a.distance - b.distance);
}
