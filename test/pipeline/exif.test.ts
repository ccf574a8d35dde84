import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type ExifValues, readExif } from "../../src/pipeline/exif.js";
import type { PictureHeader } from "../../src/pipeline/picture-header.js";
import { ascii, exifBlock, rationals, short, type Tag } from "../support/exif-block.js";

const MAKE = 0x010f;
const MODEL = 0x0110;
const ARTIST = 0x013b;
const COPYRIGHT = 0x8298;
const EXPOSURE_TIME = 0x829a;
const F_NUMBER = 0x829d;
const ISO = 0x8827;
const DATE_TIME_ORIGINAL = 0x9003;
const FLASH = 0x9209;
const FOCAL_LENGTH = 0x920a;
const LENS_MODEL = 0xa434;

const headerWith = (exif: Buffer | null): PictureHeader => ({
  width: 10,
  height: 10,
  frames: 1,
  heldPixels: 0,
  contentType: "image/jpeg",
  decoder: "sharp",
  orientation: 1,
  profile: null,
  isCmyk: false,
  exif,
  loop: null,
  delays: null,
});

const read = (exif: Buffer | null, keepGps = false): Promise<ExifValues> =>
  readExif("/nowhere", headerWith(exif), keepGps);

const readTags = (main: Tag[], exif: Tag[] = []): Promise<ExifValues> => read(exifBlock({ main, exif }));

const ROME = [
  ascii(1, "N"),
  rationals(2, [41, 1], [54, 1], [0, 1]),
  ascii(3, "E"),
  rationals(4, [12, 1], [30, 1], [0, 1]),
];

describe("the EXIF of a picture", () => {
  it("is read under the contract's names", async () => {
    const main = [ascii(MAKE, "Canon"), ascii(MODEL, "EOS R5"), ascii(ARTIST, "Ada"), ascii(COPYRIGHT, "(c) Ada")];
    const exif = [
      rationals(EXPOSURE_TIME, [1, 250]),
      rationals(F_NUMBER, [28, 10]),
      short(ISO, 400),
      ascii(DATE_TIME_ORIGINAL, "2024:02:29 23:59:58"),
      short(FLASH, 0),
      rationals(FOCAL_LENGTH, [50, 1]),
      ascii(LENS_MODEL, "RF 50mm F1.2"),
    ];
    expect(await readTags(main, exif)).toEqual({
      make: "Canon",
      model: "EOS R5",
      lens: "RF 50mm F1.2",
      dateTimeOriginal: "2024-02-29T23:59:58",
      exposureTime: 0.004,
      fNumber: 2.8,
      iso: 400,
      focalLength: 50,
      flash: "Flash did not fire",
      artist: "Ada",
      copyright: "(c) Ada",
    });
  });

  it("is empty where there is none", async () => {
    expect(await read(null)).toEqual({});
    expect(await read(exifBlock({}))).toEqual({});
  });

  it("is found behind the prefix that JPEG puts before it", async () => {
    const block = Buffer.concat([Buffer.from("Exif\0\0"), exifBlock({ main: [ascii(MAKE, "Canon")] })]);
    expect(await read(block)).toEqual({ make: "Canon" });
  });

  it("is read from the structure of a TIFF", async () => {
    const folder = await mkdtemp(join(tmpdir(), "exif-"));
    const path = join(folder, "picture.tif");
    await writeFile(path, exifBlock({ main: [ascii(MODEL, "Scanner 3")] }));
    expect(await readExif(path, { ...headerWith(null), contentType: "image/tiff" }, false)).toEqual({
      model: "Scanner 3",
    });
    await rm(folder, { recursive: true });
  });
});

describe("texts", () => {
  it("lose NULs, control characters and surrounding space", async () => {
    expect(await readTags([ascii(MAKE, "  Ca\0no\r\nn\x1b[31m\x7f  ")])).toEqual({ make: "Canon[31m" });
  });

  it("are absent when nothing is left of them", async () => {
    expect(await readTags([ascii(MAKE, "   "), ascii(MODEL, "\0\x01\0\x02")])).toEqual({});
  });

  it("are cut at 255 characters", async () => {
    const { artist } = await readTags([ascii(ARTIST, "x".repeat(5000))]);
    expect(artist).toBe("x".repeat(255));
  });

  it("are absent where the camera wrote something else", async () => {
    expect(await readTags([short(MAKE, 7, 8, 9)])).toEqual({});
  });
});

describe("numbers", () => {
  it("are absent when they are not finite", async () => {
    expect(await readTags([], [rationals(EXPOSURE_TIME, [1, 0]), rationals(F_NUMBER, [0, 0])])).toEqual({});
  });

  it("are the first of several", async () => {
    expect(await readTags([], [short(ISO, 200, 400)])).toEqual({ iso: 200 });
  });
});

describe("the date", () => {
  it.each([
    "0000:00:00 00:00:00",
    "2024:02:30 10:00:00",
    "2024:13:01 10:00:00",
    "2024:01:01 25:00:00",
    "    :  :     :  :  ",
    "yesterday",
  ])("is absent for %j", async (written) => {
    expect(await readTags([], [ascii(DATE_TIME_ORIGINAL, written)])).toEqual({});
  });
});

describe("the position", () => {
  it("is left out", async () => {
    expect(await read(exifBlock({ main: [ascii(MAKE, "Canon")], gps: ROME }))).toEqual({ make: "Canon" });
  });

  it("is read in degrees where it is kept", async () => {
    expect(await read(exifBlock({ gps: ROME }), true)).toEqual({ latitude: 41.9, longitude: 12.5 });
  });

  it("is absent where it lies on no globe", async () => {
    const gps = [
      ascii(1, "N"),
      rationals(2, [4_294_967_295, 1], [0, 1], [0, 1]),
      ascii(3, "E"),
      rationals(4, [0, 0], [0, 0], [0, 0]),
    ];
    expect(await read(exifBlock({ gps }), true)).toEqual({});
  });
});

describe("damaged EXIF", () => {
  it("yields what can be read and never rejects", async () => {
    const whole = exifBlock({
      main: [ascii(MAKE, "Canon"), ascii(MODEL, "EOS R5")],
      exif: [short(ISO, 400)],
      gps: ROME,
    });
    for (let length = 0; length < whole.length; length++)
      expect(await read(whole.subarray(0, length), true)).toBeDefined();
    for (let at = 0; at < whole.length; at++) {
      const changed = Buffer.from(whole);
      changed[at] = 0xff;
      for (const value of Object.values(await read(changed, true)))
        expect(typeof value === "string" || Number.isFinite(value)).toBe(true);
    }
  });

  it("that is no EXIF at all counts as none", async () => {
    expect(await read(Buffer.from("<html>not found</html>"))).toEqual({});
  });
});
