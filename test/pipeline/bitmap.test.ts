import { describe, expect, it } from "vitest";
import { MediaError } from "../../src/media/errors.js";
import { decodeBitmap } from "../../src/pipeline/bitmap.js";
import { readBitmapHeader } from "../../src/pipeline/bitmap-header.js";
import { type BitmapKind, type Colour, writeBitmap } from "../support/bitmaps.js";

const SIZE = { width: 37, height: 22 };

const FIELDS: readonly Colour[] = [
  [255, 0, 0],
  [0, 255, 0],
  [0, 0, 255],
  [255, 255, 255],
];
const fields = (x: number, y: number): Colour =>
  FIELDS[(x < SIZE.width / 2 ? 0 : 1) + (y < SIZE.height / 2 ? 0 : 2)] as Colour;
const halves = (x: number): Colour => (x < SIZE.width / 2 ? [255, 255, 255] : [0, 0, 0]);
const veiled = (x: number, y: number): Colour => [...(fields(x, y).slice(0, 3) as [number, number, number]), y * 10];

const RGB565 = [0xf800, 0x07e0, 0x001f, 0] as const;
const ARGB = [0xff0000, 0xff00, 0xff, 0xff000000] as const;

const KINDS: Record<string, BitmapKind> = {
  "1 bit": { bits: 1 },
  "4 bits": { bits: 4 },
  "8 bits": { bits: 8 },
  "16 bits": { bits: 16 },
  "24 bits": { bits: 24 },
  "32 bits": { bits: 32 },
  "16 bits under masks behind the header": { bits: 16, masks: RGB565 },
  "16 bits under masks inside a V5 header": { bits: 16, masks: RGB565, header: 124 },
  "32 bits under masks": { bits: 32, masks: [0xff000000, 0xff0000, 0xff00, 0] },
  "runs of 4 bits": { bits: 4, isRunLength: true },
  "runs of 8 bits": { bits: 8, isRunLength: true },
  "8 bits from the top down": { bits: 8, isTopDown: true },
  "24 bits from the top down": { bits: 24, isTopDown: true },
  "24 bits behind a V5 header": { bits: 24, header: 124 },
  "1 bit of OS/2": { bits: 1, header: 12 },
  "8 bits of OS/2": { bits: 8, header: 12 },
  "24 bits of OS/2": { bits: 24, header: 12 },
};

const write = (kind: BitmapKind): Buffer => writeBitmap(SIZE, kind.bits === 1 ? halves : fields, kind);

function expectColours(file: Buffer, colourAt: (x: number, y: number) => Colour): void {
  const { data, width, height, channels } = decodeBitmap(file);
  expect({ width, height }).toEqual(SIZE);
  const wrong = Array.from({ length: width * height }, (_, at) => {
    const expected = colourAt(at % width, Math.floor(at / width)).slice(0, channels);
    return expected.some((value, channel) => value !== data[at * channels + channel]);
  });
  expect(wrong.filter(Boolean)).toHaveLength(0);
}

const reasonOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof MediaError && error.failure.code === "CORRUPT_FILE") return error.failure.reason;
    throw error;
  }
  return "none";
};

describe("a bitmap", () => {
  it.each(Object.entries(KINDS))("of %s is decoded to its colours", (_, kind) => {
    expectColours(write(kind), kind.bits === 1 ? halves : fields);
  });

  it("keeps its alpha where a mask says which bits it is", () => {
    expectColours(writeBitmap(SIZE, veiled, { bits: 32, masks: ARGB, header: 108 }), veiled);
    expect(decodeBitmap(write({ bits: 32 })).channels).toBe(3);
  });

  it.each(Object.entries(KINDS))("of %s is damaged where its last pixels are missing", (_, kind) => {
    const file = write(kind);
    // Beyond what padding could make up for, and what ends a run-length picture.
    for (const missing of [8, Math.floor(file.length / 2)])
      expect(reasonOf(() => decodeBitmap(file.subarray(0, file.length - missing)))).toContain("ends before");
  });

  it("is whole without the padding of its last row", () => {
    const file = write({ bits: 24 });
    expectColours(file.subarray(0, file.length - 1), fields);
  });

  it("shows black where its palette has no colour", () => {
    const file = write({ bits: 8 });
    file.fill(200, file.readUInt32LE(10));
    expectColours(file, () => [0, 0, 0]);
  });

  it.each([
    ["a depth of 7", 28, 7],
    ["no width", 18, 0],
    ["a width below nothing", 18, 0xffffffff],
    ["no height", 22, 0],
    ["JPEG inside", 30, 4],
    ["runs of 8 bits in 24", 30, 1],
    ["masks for 24 bits", 30, 3],
  ])("whose header tells of %s is damaged", (_, at, value) => {
    const file = write({ bits: 24 });
    if (at === 28) file.writeUInt16LE(value, at);
    else file.writeUInt32LE(value, at);
    expect(reasonOf(() => readBitmapHeader(file))).not.toBe("none");
  });

  it("whose pixels begin behind its end is damaged", () => {
    for (const kind of Object.values(KINDS)) {
      const file = write(kind);
      file.writeUInt32LE(0xfffffff0, 10);
      expect(reasonOf(() => decodeBitmap(file))).toContain("ends before");
    }
  });

  it("tells its size from its header alone", () => {
    for (const kind of Object.values(KINDS)) expect(readBitmapHeader(write(kind))).toMatchObject(SIZE);
    expect(reasonOf(() => readBitmapHeader(Buffer.from("BM")))).toContain("ends before");
  });
});

describe("runs", () => {
  const BLUE = 2;
  /** 6 × 2 pixels of a palette of red, green and blue. */
  function withRuns(bits: 4 | 8, pairs: readonly number[]): Buffer {
    const colours: readonly Colour[] = [
      [255, 0, 0],
      [0, 255, 0],
      [0, 0, 255],
    ];
    const file = writeBitmap({ width: 6, height: 2 }, (x, y) => colours[(x + y) % 3] as Colour, {
      bits,
      isRunLength: true,
    });
    return Buffer.concat([file.subarray(0, file.readUInt32LE(10)), Buffer.from(pairs)]);
  }
  /** The palette begins with the colours of the lowest row or the top one; told by letters of the colours found. */
  const rowsOf = (file: Buffer): string[] => {
    const { data, width } = decodeBitmap(file);
    const letters = Array.from({ length: data.length / 3 }, (_, at) =>
      data[at * 3] === 255 ? "r" : data[at * 3 + 1] === 255 ? "g" : "b",
    ).join("");
    return [letters.slice(0, width), letters.slice(width)];
  };

  it("of 8 bits: counted, as they are, moved over and cut at the picture's edge", () => {
    const pairs = [2, BLUE, 0, 3, 1, 2, 1, 0, 0, 2, 0, 1, 200, 1, 0, 1];
    // From the lowest row: bb, then gbg as they are; one row up at x = 5, 200 green ones of which one has room.
    expect(rowsOf(withRuns(8, pairs))).toEqual(["rrrrrg", "bbgbgr"]);
  });

  it("of 4 bits: two pixels a byte, an odd one the higher half", () => {
    const pairs = [3, 0x21, 0, 3, 0x12, 0x20, 0, 0, 6, 0x11, 0, 0, 0, 1];
    expect(rowsOf(withRuns(4, pairs))).toEqual(["gggggg", "bgbgbb"]);
  });

  it.each([
    ["inside a move", [0, 2, 1]],
    ["inside pixels as they are", [0, 6, 1, 1]],
    ["before the last row is full", [6, 1, 0, 0, 5, 1]],
    ["before anything", []],
  ])("that end %s are damaged", (_, pairs) => {
    expect(reasonOf(() => decodeBitmap(withRuns(8, pairs)))).toContain("ends before");
  });

  it("that fill every row need no word for the end", () => {
    expect(rowsOf(withRuns(8, [6, 1, 0, 0, 6, BLUE]))).toEqual(["bbbbbb", "gggggg"]);
  });
});
