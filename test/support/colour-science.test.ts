import { describe, expect, it } from "vitest";
import type { Vector } from "../../src/pipeline/matrix-profile.js";
import { colourants, converterToSrgb, deltaE2000, labOf, RGB_SPACES } from "./colour-science.js";

describe("ΔE2000", () => {
  // Sharma, Wu, Dalal (2005), table 1: pairs 1, 4, 7, 10, 13, 17, 25 and 34.
  it.each<[Vector, Vector, number]>([
    [[50, 2.6772, -79.7751], [50, 0, -82.7485], 2.0425],
    [[50, -1.3802, -84.2814], [50, 0, -82.7485], 1.0],
    [[50, 0, 0], [50, -1, 2], 2.3669],
    [[50, 2.49, -0.001], [50, -2.49, 0.0009], 7.1792],
    [[50, -0.001, 2.49], [50, 0.0009, -2.49], 4.8045],
    [[50, 2.5, 0], [73, 25, -18], 27.1492],
    [[60.2574, -34.0099, 36.2677], [60.4626, -34.1751, 39.4387], 1.2644],
    [[2.0776, 0.0795, -1.135], [0.9033, -0.0636, -0.5514], 0.9082],
  ])("of %j and %j is %d, either way round", (one, other, expected) => {
    expect(deltaE2000(one, other)).toBeCloseTo(expected, 4);
    expect(deltaE2000(other, one)).toBeCloseTo(expected, 4);
  });
});

describe("conversion", () => {
  it("leaves sRGB as it is, and white white", () => {
    const values: Vector = [0.2, 0.5, 0.9];
    for (const [at, value] of converterToSrgb(RGB_SPACES.srgb)(values).entries())
      expect(value).toBeCloseTo(values[at] ?? 0, 6);
    for (const space of Object.values(RGB_SPACES))
      for (const part of converterToSrgb(space)([1, 1, 1])) expect(part).toBeCloseTo(1, 3);
    expect(labOf([1, 1, 1])[0]).toBeCloseTo(100, 2);
  });

  it("knows the colourants of Adobe RGB (1998) as its profile holds them", () => {
    const [red, green, blue] = colourants(RGB_SPACES.adobeRgb);
    for (const [vector, expected] of [
      [red, [0.60974, 0.31111, 0.01947]],
      [green, [0.20528, 0.62567, 0.06087]],
      [blue, [0.14919, 0.06322, 0.74457]],
    ] as const)
      for (const [at, value] of vector.entries()) expect(value).toBeCloseTo(expected[at] ?? 0, 4);
  });
});
