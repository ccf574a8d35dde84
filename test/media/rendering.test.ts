import { describe, expect, it } from "vitest";
import {
  PIPELINE_VERSION,
  RENDERING,
  renderingOf,
  UNFOCUSED,
  withFocus,
  withoutFocus,
} from "../../src/media/rendering.js";
import { VARIANTS } from "../../src/media/variants.js";

const table = { small: { ...VARIANTS.small }, thumbnail: { ...VARIANTS.thumbnail } };

describe("what variants are made by", () => {
  it("is told in few characters, which a column takes, with and without the mark before them", () => {
    expect(RENDERING).toMatch(/^\d+-[0-9a-f]{16}$/);
    expect(RENDERING).toBe(renderingOf(VARIANTS, PIPELINE_VERSION));
    expect(withoutFocus(renderingOf(VARIANTS, 9999)).length).toBeLessThanOrEqual(32);
  });

  it("is the same for the same table in another order, and whatever its suffixes are", () => {
    const other = { thumbnail: table.thumbnail, small: { ...table.small, suffix: "_s" } };
    expect(renderingOf(other, 1)).toBe(renderingOf(table, 1));
  });

  it.each([
    ["a width", { ...table, small: { ...table.small, width: 401 } }],
    ["a height", { ...table, small: { ...table.small, height: 399 } }],
    ["a fit", { ...table, small: { ...table.small, fit: "cover" as const } }],
    ["a quality", { ...table, small: { ...table.small, quality: 84 } }],
    ["another variant", { ...table, large: VARIANTS.large }],
    ["a variant less", { small: table.small }],
    ["variants that changed names", { small: table.thumbnail, thumbnail: table.small }],
  ])("changes with %s", (_, changed) => {
    expect(renderingOf(changed, 1)).not.toBe(renderingOf(table, 1));
  });

  it("changes with the version of the pipeline", () => {
    expect(renderingOf(table, 2)).not.toBe(renderingOf(table, 1));
  });
});

describe("the mark of crops that wait", () => {
  it.each([null, RENDERING])("is put once before %s, and taken away again", (renderedAs) => {
    const marked = withoutFocus(renderedAs);
    expect(marked).toBe(`${UNFOCUSED}${renderedAs ?? ""}`);
    expect([withoutFocus(marked), withFocus(marked), withFocus(renderedAs)]).toEqual([marked, renderedAs, renderedAs]);
  });
});
