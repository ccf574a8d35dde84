import { describe, expect, it } from "vitest";
import { blankMovies, readBoxes } from "../../src/pipeline/gps-isobmff.js";
import { box } from "./gps-material.js";

const POSITION = "+51.5090+007.1455/";
const FILE_TYPE = box("ftyp", "qt  \0\0\0\0qt  ");

const movie = (...children: readonly Buffer[]): Buffer =>
  Buffer.concat([FILE_TYPE, box("moov", box("mvhd", Buffer.alloc(20)), ...children)]);

/** QuickTime metadata: named keys, and items under their number. */
function metadata(version: string, entries: readonly (readonly [string, string])[]): Buffer {
  const keys = entries.map(([key]) => box("mdta", key));
  const items = entries.map(([, value], i) =>
    box(`\0\0\0${String.fromCharCode(i + 1)}`, box("data", "\0\0\0\x01\0\0\0\0", value)),
  );
  return box(
    "meta",
    version,
    box("hdlr", Buffer.alloc(24)),
    box("keys", `\0\0\0\0\0\0\0${String.fromCharCode(keys.length)}`, ...keys),
    box("ilst", ...items),
  );
}

describe("a movie's position", () => {
  it.each([
    ["QuickTime's user data", box("udta", box("\xa9xyz", `\0\x12\x15\xc7${POSITION}`))],
    ["3GPP's location box", box("udta", box("loci", `\0\0\0\0\x15\xc7${POSITION}`))],
    ["a track's user data", box("trak", box("udta", box("\xa9xyz", POSITION)))],
    ["GoPro's stream", box("udta", box("GPMF", POSITION))],
    [
      "an item list with no keys",
      box(
        "udta",
        box("meta", "\0\0\0\0", box("hdlr", Buffer.alloc(24)), box("ilst", box("\xa9xyz", box("data", POSITION)))),
      ),
    ],
    [
      "an item with a name of its own",
      box(
        "meta",
        box("hdlr", Buffer.alloc(24)),
        box("ilst", box("----", box("name", "\0\0\0\0location"), box("data", POSITION))),
      ),
    ],
  ])("goes from %s, and the boxes stay where they were", (_, child) => {
    const bytes = movie(child, box("name", "kept"));
    const { length } = bytes;
    expect(blankMovies(bytes)).toBe(true);
    expect(bytes).toHaveLength(length);
    expect(bytes.includes(POSITION)).toBe(false);
    expect(bytes.includes("free")).toBe(true);
    expect(readBoxes(bytes, 0, length).map(({ type }) => type)).toEqual(["ftyp", "moov"]);
    expect(bytes.includes(box("name", "kept"))).toBe(true);
    expect(blankMovies(bytes)).toBe(false);
  });

  it.each(["", "\0\0\0\0"])("goes from metadata named by keys, the box starting with %j", (version) => {
    const bytes = movie(
      metadata(version, [
        ["com.apple.quicktime.make", "Apple"],
        ["com.apple.quicktime.location.ISO6709", POSITION],
        ["com.apple.quicktime.location.accuracy.horizontal", "4.7"],
        ["com.apple.quicktime.software", "16.1"],
      ]),
    );
    expect(blankMovies(bytes)).toBe(true);
    expect(bytes.includes(POSITION)).toBe(false);
    expect(bytes.includes("4.7")).toBe(false);
    expect(bytes.includes("Apple")).toBe(true);
    expect(bytes.includes("16.1")).toBe(true);
    expect(blankMovies(bytes)).toBe(false);
  });

  it("goes from every movie among other bytes", () => {
    const one = movie(box("udta", box("\xa9xyz", POSITION)));
    const bytes = Buffer.concat([Buffer.from("some bytes"), one, one]);
    expect(blankMovies(bytes)).toBe(true);
    expect(bytes.includes(POSITION)).toBe(false);
  });

  it("is not seen where there is none", () => {
    const bytes = movie(box("udta", box("name", "kept")), metadata("", [["com.apple.quicktime.make", "Apple"]]));
    const before = Buffer.from(bytes);
    expect(blankMovies(bytes)).toBe(false);
    expect(bytes.equals(before)).toBe(true);
    expect(blankMovies(Buffer.from("ftyp"))).toBe(false);
    expect(blankMovies(Buffer.alloc(0))).toBe(false);
  });

  it("goes from boxes nested to a limit, and deeper ones do no harm", () => {
    const nested = (depth: number): Buffer => (depth === 0 ? box("\xa9xyz", POSITION) : box("trak", nested(depth - 1)));
    expect(blankMovies(movie(nested(3)))).toBe(true);
    expect(blankMovies(movie(nested(2000)))).toBe(false);
  });
});

describe("boxes", () => {
  it("may say their size in 64 bits, or reach to the end", () => {
    const large = Buffer.concat([
      Buffer.from("\0\0\0\x01name\0\0\0\0\0\0\0\x14data", "latin1"),
      Buffer.from("\0\0\0\0restall", "latin1"),
    ]);
    expect(readBoxes(large, 0, large.length)).toEqual([
      { type: "name", start: 0, data: 16, end: 20 },
      { type: "rest", start: 20, data: 28, end: 31 },
    ]);
  });

  it("are clipped to where they stand, and end at one that cannot be", () => {
    const bytes = Buffer.concat([box("good", "1"), Buffer.from("\0\0\0\x07bad!", "latin1"), box("good", "2")]);
    expect(readBoxes(bytes, 0, bytes.length).map(({ type }) => type)).toEqual(["good"]);
    expect(readBoxes(Buffer.from("\x7f\0\0\0long", "latin1"), 0, 8)).toEqual([
      { type: "long", start: 0, data: 8, end: 8 },
    ]);
    expect(readBoxes(Buffer.from("\0\0\0\x01long", "latin1"), 0, 8)).toEqual([]);
    expect(readBoxes(Buffer.alloc(7), 0, 7)).toEqual([]);
  });
});
