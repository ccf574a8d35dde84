import exifr from "exifr";
import { describe, expect, it } from "vitest";
import { removeGps } from "../../src/pipeline/gps-tiff.js";
import {
  CAMERA_TAGS,
  camera,
  cameraWithoutGps,
  composeTiff,
  GPS_TAGS,
  holdsSeconds,
  LATITUDE,
  LENS_TAGS,
  type Order,
  positionSeen,
  putUint,
  XMP_WITH_GPS,
} from "./gps-material.js";

const POINTER_TAG = { II: Buffer.from([0x25, 0x88]), MM: Buffer.from([0x88, 0x25]) };

/** The first directory's entries, as the block holds them now. */
function firstEntries(block: Buffer, order: Order): Buffer[] {
  const start = order === "II" ? block.readUInt32LE(4) : block.readUInt32BE(4);
  const count = order === "II" ? block.readUInt16LE(start) : block.readUInt16BE(start);
  return Array.from({ length: count }, (_, i) => block.subarray(start + 2 + i * 12, start + 14 + i * 12));
}

describe.each(["II", "MM"] as const)("a GPS directory in an EXIF block, byte order %s", (order) => {
  it("goes, with its values and the entry that led to it", async () => {
    const block = camera(order);
    expect(holdsSeconds(block)).toBe(true);
    expect(await exifr.gps(block)).toMatchObject({ latitude: expect.closeTo(51.509, 3) });
    expect(removeGps(block).changed).toBe(true);
    expect(await positionSeen(block)).toEqual([]);
    expect(holdsSeconds(block)).toBe(false);
    expect(block.includes(POINTER_TAG[order])).toBe(false);
  });

  it("leaves every other tag as it was", async () => {
    const block = camera(order);
    removeGps(block);
    expect(await exifr.parse(block, { gps: true })).toEqual(await exifr.parse(cameraWithoutGps(order)));
  });

  it("moves the entries behind the pointer up, and zeroes the room they leave", () => {
    const block = camera(order);
    const before = firstEntries(Buffer.from(block), order);
    removeGps(block);
    expect(firstEntries(block, order)).toEqual(
      before.filter((entry) => !entry.subarray(0, 2).equals(POINTER_TAG[order])),
    );
    const end = 8 + 2 + (before.length - 1) * 12 + 4;
    expect(block.subarray(end, end + 12)).toEqual(Buffer.alloc(12));
  });

  it("moves the link to the next directory along", async () => {
    const main = { ...CAMERA_TAGS, 34853: { ifd: "gps" } };
    const thumbnail = { 256: { shorts: [160] }, 257: { shorts: [120] } };
    const block = composeTiff({ order, ifds: { main, gps: GPS_TAGS, thumbnail }, next: { main: "thumbnail" } });
    removeGps(block);
    const parsed = await exifr.parse(block, { mergeOutput: false, ifd1: true });
    expect(parsed.ifd1).toMatchObject({ ImageWidth: 160, ImageHeight: 120 });
    expect(await positionSeen(block)).toEqual([]);
  });

  it("is found in front of the main directory, and behind a pointer in any directory of the chain", async () => {
    const block = composeTiff({
      order,
      first: "main",
      next: { main: "thumbnail" },
      ifds: {
        gps: GPS_TAGS,
        main: { ...CAMERA_TAGS, 34665: { ifd: "exif" } },
        exif: { ...LENS_TAGS, 34853: { ifd: "gps" }, 40965: { ifd: "interop" } },
        interop: { 1: { text: "R98" }, 34853: { ifd: "gps" } },
        thumbnail: { 256: { shorts: [160] }, 34853: { ifd: "gps" } },
      },
    });
    expect(removeGps(block).changed).toBe(true);
    expect(holdsSeconds(block)).toBe(false);
    expect(block.includes(POINTER_TAG[order])).toBe(false);
    expect(await exifr.parse(block, { mergeOutput: false, ifd1: true, interop: true })).toMatchObject({
      ifd0: { Make: "Acme Cameras" },
      exif: { LensModel: "A long lens" },
      interop: { InteropIndex: "R98" },
    });
  });

  it("is not looked for a second time", () => {
    const block = camera(order);
    removeGps(block);
    const once = Buffer.from(block);
    expect(removeGps(block).changed).toBe(false);
    expect(block.equals(once)).toBe(true);
  });

  it("leaves a block without one alone", () => {
    const block = cameraWithoutGps(order);
    const before = Buffer.from(block);
    expect(removeGps(block)).toEqual({ changed: false, xmp: [], imageResources: [] });
    expect(block.equals(before)).toBe(true);
  });

  it("keeps a value that another tag shares with it", () => {
    const block = composeTiff({
      order,
      ifds: { main: { 282: LATITUDE, 34853: { ifd: "gps" } }, gps: { 1: { text: "N" }, 2: LATITUDE } },
    });
    const shared = firstEntries(block, order)[0]!.subarray(8, 12);
    const gpsAt =
      order === "II" ? firstEntries(block, order)[1]!.readUInt32LE(8) : firstEntries(block, order)[1]!.readUInt32BE(8);
    shared.copy(block, gpsAt + 2 + 12 + 8);
    const value = block.subarray(8 + 2 + 24 + 4, 8 + 2 + 24 + 4 + 24);
    const before = Buffer.from(value);
    expect(removeGps(block).changed).toBe(true);
    expect(value.equals(before)).toBe(true);
    expect(block.subarray(gpsAt, gpsAt + 30).equals(Buffer.alloc(30))).toBe(true);
  });

  it("goes from a damaged chain too, where only the pointer shows it", () => {
    const block = camera(order);
    putUint(block, order, { value: 0x00ffffff, at: 4, bytes: 4 });
    expect(removeGps(block).changed).toBe(true);
    expect(holdsSeconds(block)).toBe(false);
    expect(removeGps(block).changed).toBe(false);
  });

  it("goes when a careless tool took nothing but the pointer out", () => {
    const block = composeTiff({ order, ifds: { main: CAMERA_TAGS, gps: GPS_TAGS } });
    expect(removeGps(block).changed).toBe(true);
    expect(holdsSeconds(block)).toBe(false);
    expect(removeGps(block).changed).toBe(false);
  });

  it("goes when the pointer's type is damaged", async () => {
    const block = camera(order);
    const pointer = firstEntries(block, order).find((entry) => entry.subarray(0, 2).equals(POINTER_TAG[order]))!;
    putUint(pointer, order, { value: 7, at: 2, bytes: 2 });
    removeGps(block);
    expect(holdsSeconds(block)).toBe(false);
    expect(await positionSeen(block)).toEqual([]);
  });
});

describe("a damaged TIFF block", () => {
  const pointTo = (target: number): Buffer => {
    const block = camera("II");
    const pointer = firstEntries(block, "II").find((entry) => entry.readUInt16LE(0) === 0x8825)!;
    pointer.writeUInt32LE(target, 8);
    return block;
  };

  it.each([0, 1, 7, 8, 9, 20, 60, 200, 0x7fffffff, 0xffffffff])(
    "loses a pointer that leads to %i and nothing else",
    async (target) => {
      const block = pointTo(target);
      expect(removeGps(block).changed).toBe(true);
      expect(await positionSeen(block)).toEqual([]);
      expect(await exifr.parse(block)).toMatchObject({
        Make: "Acme Cameras",
        Model: "Model One",
        LensModel: "A long lens",
      });
    },
  );

  it("is walked once where its directories run in a ring", async () => {
    const ring = { main: "second", second: "main" };
    const block = composeTiff({
      ifds: { main: { ...CAMERA_TAGS, 34853: { ifd: "gps" } }, second: { 34665: { ifd: "main" } }, gps: GPS_TAGS },
      next: ring,
    });
    expect(removeGps(block).changed).toBe(true);
    expect(holdsSeconds(block)).toBe(false);
  });

  it.each([65, 5000, 65535])(
    "with a GPS directory that claims %i entries loses those that are real",
    async (claimed) => {
      const block = camera("II");
      const pointer = firstEntries(block, "II").find((entry) => entry.readUInt16LE(0) === 0x8825)!;
      block.writeUInt16LE(claimed, pointer.readUInt32LE(8));
      expect(removeGps(block).changed).toBe(true);
      expect(holdsSeconds(block)).toBe(false);
      expect(await positionSeen(block)).toEqual([]);
    },
  );

  it("with a main directory that claims more entries than have room loses the pointer", () => {
    const block = camera("MM");
    block.writeUInt16BE(60_000, 8);
    expect(removeGps(block).changed).toBe(true);
    expect(block.includes(POINTER_TAG.MM)).toBe(false);
    expect(holdsSeconds(block)).toBe(false);
  });

  it("with values of absurd size still loses the coordinates", () => {
    const block = camera("II");
    const gpsAt = firstEntries(block, "II")
      .find((entry) => entry.readUInt16LE(0) === 0x8825)!
      .readUInt32LE(8);
    block.writeUInt32LE(0x7fffffff, gpsAt + 2 + 12 + 4);
    removeGps(block);
    expect(holdsSeconds(block)).toBe(false);
  });

  it("without a byte order mark is read as readers do who take it for big endian", async () => {
    const block = camera("MM");
    block.write("XX");
    expect(removeGps(block).changed).toBe(true);
    expect(holdsSeconds(block)).toBe(false);
  });

  it.each([0, 1, 2, 7, 8, 9])("of %i bytes holds nothing and is left", (length) => {
    expect(removeGps(camera("II").subarray(0, length)).changed).toBe(false);
  });

  it("may be cut anywhere", () => {
    const whole = camera("MM");
    for (let length = 0; length < whole.length; length++) {
      const cut = Buffer.from(whole.subarray(0, length));
      removeGps(cut);
      expect(removeGps(cut).changed).toBe(false);
    }
  });

  it("whose directories all overlap is given up on in good time", async () => {
    const field = Buffer.alloc(30_000, Buffer.from([0x25, 0x88]));
    const everywhere = Array.from({ length: field.length / 2 }, (_, i) => 26 + i * 2);
    const block = composeTiff({ ifds: { main: { 271: { bytes: field }, 330: { longs: everywhere } } } });
    expect(removeGps(block).changed).toBe(true);
    expect(await positionSeen(block)).toEqual([]);
  });
});

describe("a TIFF file", () => {
  const strip = Buffer.alloc(600, 0x55);

  it("may be a BigTIFF", () => {
    const block = composeTiff({
      big: true,
      ifds: { main: { ...CAMERA_TAGS, 34853: { ifd: "gps" }, 40091: { text: "behind the pointer" } }, gps: GPS_TAGS },
    });
    expect(removeGps(block).changed).toBe(true);
    expect(holdsSeconds(block)).toBe(false);
    expect(Number(block.readBigUInt64LE(16))).toBe(3);
    expect(block.readUInt16LE(24 + 2 * 20)).toBe(0x9c9b);
    expect(removeGps(block).changed).toBe(false);
  });

  it("keeps its strips even where a GPS value claims to lie in them", () => {
    const block = composeTiff({
      ifds: {
        main: { 273: { placeOf: strip }, 279: { longs: [strip.length] }, 34853: { ifd: "gps" } },
        gps: { 1: { text: "N" }, 2: LATITUDE },
      },
    });
    const stripAt = block.indexOf(strip);
    const latitude = block.lastIndexOf(Buffer.from([2, 0, 5, 0, 3, 0, 0, 0]));
    block.writeUInt32LE(stripAt + 8, latitude + 8);
    expect(removeGps(block).changed).toBe(true);
    expect(block.subarray(stripAt, stripAt + strip.length).equals(strip)).toBe(true);
  });

  it("keeps what looks like a pointer among its pixels", () => {
    const pixels = Buffer.concat([Buffer.from([0x25, 0x88, 4, 0, 1, 0, 0, 0, 8, 0, 0, 0]), strip]);
    const block = composeTiff({ ifds: { main: { 273: { placeOf: pixels }, 279: { longs: [pixels.length] } } } });
    const before = Buffer.from(block);
    expect(removeGps(block).changed).toBe(false);
    expect(block.equals(before)).toBe(true);
  });

  it("takes a strip without a byte count to reach to the end", () => {
    const block = composeTiff({
      ifds: { gps: GPS_TAGS, main: { 273: { placeOf: strip }, 34853: { longs: [0] } } },
      first: "main",
    });
    const stripAt = block.indexOf(strip);
    block.writeUInt32LE(stripAt + 100, block.lastIndexOf(Buffer.from([0x25, 0x88])) + 8);
    expect(removeGps(block).changed).toBe(true);
    expect(block.subarray(stripAt).every((byte) => byte === 0x55)).toBe(true);
  });

  it("says where its XMP and its image resources lie, but not those that overlap the picture", () => {
    const main = { 273: { placeOf: strip }, 279: { longs: [strip.length] } };
    const xmp = Buffer.from(XMP_WITH_GPS);
    const block = composeTiff({
      ifds: { main: { ...main, 700: { bytes: xmp }, 34377: { bytes: Buffer.from("8BIM.....") } } },
    });
    const found = removeGps(block);
    expect(found.changed).toBe(false);
    expect(found.xmp.map(({ start, end }) => block.toString("latin1", start, end))).toEqual([XMP_WITH_GPS]);
    expect(found.imageResources.map(({ start, end }) => block.toString("latin1", start, end))).toEqual(["8BIM....."]);

    block.writeUInt32LE(block.indexOf(strip), block.indexOf(Buffer.from([0xbc, 2, 7, 0])) + 8);
    expect(removeGps(block).xmp).toEqual([]);
  });
});
