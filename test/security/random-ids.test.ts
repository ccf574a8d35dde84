import { describe, expect, it } from "vitest";
import { createRandomIds } from "../../src/security/random-ids.js";

const ids = createRandomIds();
const many = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

describe("random ids", () => {
  it("of media are upper-case Crockford base32 behind MED-, within 30 characters", () => {
    for (const id of many(1000, ids.mediaId)) expect(id).toMatch(/^MED-[0-9A-HJKMNP-TV-Z]{16}$/);
  });

  it("for keys are 16 lower-case letters and digits: 80 bits", () => {
    for (const part of many(1000, ids.keyPart)) expect(part).toMatch(/^[0-9a-hjkmnp-tv-z]{16}$/);
  });

  it("do not repeat", () => {
    expect(new Set(many(20_000, ids.mediaId)).size).toBe(20_000);
    expect(new Set(many(20_000, ids.keyPart)).size).toBe(20_000);
    expect(createRandomIds().keyPart()).not.toBe(createRandomIds().keyPart());
  });

  it("use all 32 symbols evenly in every place", () => {
    const drawn = many(32_000, ids.keyPart);
    for (let place = 0; place < 16; place++) {
      const counts = new Map<string, number>();
      for (const part of drawn) counts.set(part[place]!, (counts.get(part[place]!) ?? 0) + 1);
      expect(counts.size).toBe(32);
      const chiSquared = [...counts.values()].reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
      // 31 degrees of freedom: above 100 once in 10^8 draws; a modulo bias of one symbol in 256 gives some 500.
      expect(chiSquared).toBeLessThan(100);
    }
  });
});
