import { describe, expect, it } from "vitest";
import { groupDuplicates } from "../../src/media/duplicate-groups.js";
import { bucketsOf, bucketsWithin, distanceBetween, masksWithin, wordsOf } from "../../src/media/hash-bands.js";
import { findDuplicates, hammingDistance } from "../../src/media/near-duplicates.js";
import type { Fingerprint } from "../../src/media/ports.js";
import { changed, randomHash } from "../support/hashes.js";
import { createRandom } from "../support/seeded-random.js";

function words(hash: string) {
  const found = wordsOf(hash);
  if (!found) throw new TypeError(`${hash} is no hash.`);
  return found;
}

describe("the buckets of a hash", () => {
  it("hold every hash that is near, whatever places are changed", () => {
    const random = createRandom(5);
    for (let n = 0; n < 600; n++) {
      const hash = randomHash(random);
      const distance = n % 12;
      const near = words(changed(hash, distance, random));
      const buckets = new Set(bucketsWithin(words(hash), distance));
      expect(bucketsOf(near).some((bucket) => buckets.has(bucket))).toBe(true);
      expect(distanceBetween(words(hash), near)).toBe(distance);
    }
  });

  it("are no more than it takes", () => {
    const buckets = [0, 3, 4, 5, 7, 10, 11].map((distance) => bucketsWithin(words("01".repeat(32)), distance).length);
    expect(buckets).toEqual([1, 4, 20, 36, 68, 428, 548]);
  });

  it("are not given for what is farther than they reach, nor for what is no hash", () => {
    expect(() => masksWithin(12)).toThrow(RangeError);
    for (const wrong of [null, "", "01", "2".repeat(64), "0".repeat(65)]) expect(wordsOf(wrong)).toBeNull();
  });
});

describe("groups of duplicates", () => {
  const random = createRandom(11);
  const HASH = randomHash(random);
  const item = (publicId: string, imageHash: string | null, contentSha256 = publicId): Fingerprint => ({
    publicId,
    contentSha256,
    imageHash,
  });
  const named = (items: readonly Fingerprint[]) =>
    groupDuplicates(items).map(({ tier, distance, items: members }) => [
      tier,
      distance,
      members.map(({ publicId }) => publicId).join(""),
    ]);

  it("are none where nothing is alike", () => {
    expect(groupDuplicates([])).toEqual([]);
    expect(named([item("a", HASH), item("b", null), item("c", null), item("d", randomHash(random))])).toEqual([]);
  });

  it("are led by the foremost, tell the tiers apart, and name each of the others once", () => {
    const items = [
      item("a", HASH, "bytes"),
      item("b", null),
      item("c", changed(HASH, 7, random)),
      item("d", HASH, "bytes"),
      item("e", changed(HASH, 2, random)),
      item("f", null, "b"),
      item("g", changed(HASH, 5, random)),
    ];
    expect(named(items.filter(({ publicId }) => publicId !== "c"))).toEqual([
      ["exact", 0, "ad"],
      ["exact", 0, "bf"],
      ["same", 5, "aeg"],
    ]);
    expect(named(items.filter(({ publicId }) => "ac".includes(publicId)))).toEqual([["similar", 7, "ac"]]);
  });

  it("take an item to the nearest first, the foremost of those equally near", () => {
    const far = Array.from(HASH, (bit, at) => (at < 8 ? (bit === "0" ? "1" : "0") : bit)).join("");
    const between = (places: number) => far.slice(0, places) + HASH.slice(places);
    expect(named([item("a", HASH), item("b", far), item("c", between(3)), item("d", between(5))])).toEqual([
      ["same", 3, "ac"],
      ["same", 3, "bd"],
      ["similar", 8, "ab"],
    ]);
    expect(named([item("a", HASH), item("b", far), item("c", between(4))])[0]).toEqual(["same", 4, "ac"]);
  });

  const isPair = (a: Fingerprint, b: Fingerprint) => findDuplicates(a, [b], "similar").length > 0;

  it.each([1, 2, 3, 4])("hold no false pair, and leave none where the first of each is kept, seed %i", (seed) => {
    const draw = createRandom(seed);
    const centres = Array.from({ length: 12 }, () => randomHash(draw));
    const items = Array.from({ length: 150 }, (_, n) => {
      const hash = changed(centres[n % 12] ?? HASH, Math.floor(draw() * 14), draw);
      return item(String(n), draw() < 0.1 ? null : hash, draw() < 0.1 ? "twin" : String(n));
    });
    const removed = new Set<Fingerprint>();
    for (const { tier, distance, items: members } of groupDuplicates(items)) {
      const [first, ...others] = members;
      for (const other of others) {
        expect(findDuplicates(first, [other], tier)[0]?.tier).toBe(tier);
        expect(removed.has(other)).toBe(false);
        removed.add(other);
      }
      const distances = others.map((other) => hammingDistance(first.imageHash ?? "", other.imageHash ?? ""));
      if (tier !== "exact") expect(Math.max(...distances)).toBe(distance);
    }
    const left = items.filter((one) => !removed.has(one));
    expect(removed.size).toBeGreaterThan(10);
    expect(left.filter((a) => left.some((b) => a !== b && isPair(a, b)))).toEqual([]);
  });
});
