import { describe, expect, it } from "vitest";
import { DECODABLE_TYPES } from "../../src/pipeline/decodable-types.js";
import { heldPixels } from "../../src/pipeline/held-pixels.js";

const PHONE = { width: 8_000, height: 6_000, frames: 1, isInterlaced: false };
const ALL = 48_000_000;

describe("the pixels a decoder holds", () => {
  it("are few of JPEG and PNG that are read row by row, and all of interlaced ones", () => {
    for (const type of ["image/jpeg", "image/png"] as const) {
      expect(heldPixels(type, PHONE)).toBeLessThan(ALL / 10);
      expect(heldPixels(type, { ...PHONE, isInterlaced: true })).toBe(ALL);
    }
  });

  it("are never more than a still picture has", () => {
    for (const type of DECODABLE_TYPES) {
      const held = heldPixels(type, { ...PHONE, width: 30, height: 20 });
      expect(held, type).toBe(600);
    }
  });

  it("are those of every frame of WebP, and of a few of GIF", () => {
    const animation = { width: 500, height: 400, frames: 100, isInterlaced: false };
    expect(heldPixels("image/webp", animation)).toBe(20_000_000);
    expect(heldPixels("image/gif", animation)).toBeLessThan(1_000_000);
    expect(heldPixels("image/gif", { ...animation, frames: 1 })).toBe(200_000);
  });
});
