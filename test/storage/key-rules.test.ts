import { describe, expect, it } from "vitest";
import { compareKeys, isListed, isObjectKey, keySegments } from "../../src/storage/key-rules.js";
import { ATTACK_KEYS, ODD_KEYS } from "../contracts/object-storage.js";

describe("an object key", () => {
  it("falls into its segments", () => {
    expect(keySegments("users/photos/a b.jpg")).toEqual(["users", "photos", "a b.jpg"]);
    expect(keySegments("a")).toEqual(["a"]);
  });

  it.each(ATTACK_KEYS)("is not %j", (key) => {
    expect(() => keySegments(key)).toThrow(TypeError);
    expect(isObjectKey(key)).toBe(false);
  });

  it.each(ODD_KEYS)("may be %j", (key) => {
    expect(keySegments(key).join("/")).toBe(key);
    expect(isObjectKey(key)).toBe(true);
  });

  it("may be 1024 bytes long and no longer", () => {
    const longest = `${"abcdefg/".repeat(127)}abcdefgh`;
    expect(longest).toHaveLength(1024);
    expect(isObjectKey(longest)).toBe(true);
    expect(isObjectKey(`${longest}i`)).toBe(false);
  });

  it("is not repeated in the refusal, which may be shown", () => {
    expect(() => keySegments("../secret")).toThrow(/^(?!.*secret)/);
  });
});

describe("the order of keys", () => {
  const strange = ["", "a", "a-", "a.", "a/", "a/b", "a0", "A", "ab", "é", "\ud7ff", "\ue000", "\uffff", "\u{10000}"];
  const mixed = [...strange, ...strange.map((s) => `x${s}`), ...strange.map((s) => `\u{1f3e1}${s}`)];

  it("is that of their UTF-8 bytes", () => {
    for (const a of mixed)
      for (const b of mixed) expect(Math.sign(compareKeys(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
  });

  it("decides what is listed: after the start, within the prefix", () => {
    expect(isListed("a", {})).toBe(true);
    expect(isListed("a", { startAfter: "a" })).toBe(false);
    expect(isListed("a0", { startAfter: "a" })).toBe(true);
    expect(isListed("b", { startAfter: "a", prefix: "a" })).toBe(false);
  });
});
