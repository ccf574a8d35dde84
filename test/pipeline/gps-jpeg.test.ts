import { createHash } from "node:crypto";
import exifr from "exifr";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { blankJpeg } from "../../src/pipeline/gps-jpeg.js";
import {
  box,
  CAMERA_TAGS,
  camera,
  cameraWithoutGps,
  composeTiff,
  exifSegment,
  holdsSeconds,
  imageResource,
  jpegWith,
  noise,
  pixelsOf,
  positionSeen,
  SHARP_EXIF,
  segment,
  XMP_POSITION,
  XMP_WITH_GPS,
  xmpPacket,
  xmpSegment,
} from "./gps-material.js";

/** Blanks the file; it keeps its length and its pixels, shows no position, and a second time nothing is left to do. */
async function expectBlanked(file: Buffer): Promise<Buffer> {
  const before = Buffer.from(file);
  const after = blankJpeg(file);
  if (!after) throw new Error("nothing was blanked");
  expect(after.length).toBe(before.length);
  expect((await pixelsOf(after)).equals(await pixelsOf(before))).toBe(true);
  expect(await positionSeen(after)).toEqual([]);
  expect(holdsSeconds(after)).toBe(false);
  expect(after.includes(XMP_POSITION)).toBe(false);
  expect(blankJpeg(Buffer.from(after))).toBeNull();
  return after;
}

describe("a JPEG file", () => {
  it("written by sharp loses EXIF and XMP position and keeps the rest", async () => {
    const file = await noise().withExif(SHARP_EXIF).withXmp(XMP_WITH_GPS).withIccProfile("p3").jpeg().toBuffer();
    const before = await sharp(file).metadata();
    const tags = await exifr.parse(file, { gps: false });
    const after = await expectBlanked(file);
    const metadata = await sharp(after).metadata();
    expect(metadata.icc?.equals(before.icc!)).toBe(true);
    expect(metadata.xmp?.length).toBe(before.xmp?.length);
    expect(tags).toMatchObject({ Make: "Acme Cameras", LensModel: "A long lens" });
    expect(await exifr.parse(after, { gps: true })).toEqual(tags);
  });

  it.each(["II", "MM"] as const)("loses nothing but the position of its EXIF, byte order %s", async (order) => {
    const after = await expectBlanked(await jpegWith(exifSegment(camera(order))));
    expect(await exifr.parse(after)).toEqual(await exifr.parse(cameraWithoutGps(order)));
  });

  it("without a position is left as it is", async () => {
    const xmp = xmpSegment(xmpPacket(`tiff:Make="Acme"`));
    const file = await jpegWith(
      exifSegment(cameraWithoutGps("II")),
      xmp,
      segment(0xfe, "a comment of some length here"),
    );
    const before = Buffer.from(file);
    expect(blankJpeg(file)).toBeNull();
    expect(file.equals(before)).toBe(true);
  });

  it("loses every one of several EXIF segments", async () => {
    await expectBlanked(
      await jpegWith(exifSegment(camera("II")), exifSegment(camera("MM")), exifSegment(camera("II"))),
    );
  });

  it("loses EXIF behind bytes that belong to no segment", async () => {
    await expectBlanked(await jpegWith(Buffer.from("some junk that no segment holds"), exifSegment(camera("MM"))));
  });

  it.each(["exif\0\0", "Exif\0\x01", "\xff\xe1\0\0Exif\0\0"])(
    "takes %j for an EXIF header, as readers do",
    async (header) => {
      await expectBlanked(await jpegWith(segment(0xe1, header, camera("II"))));
    },
  );

  it("loses EXIF that goes on in a second segment", async () => {
    const block = camera("MM");
    const cut = block.length - 60;
    await expectBlanked(await jpegWith(exifSegment(block.subarray(0, cut)), exifSegment(block.subarray(cut))));
  });

  it("loses the EXIF of the thumbnail inside its EXIF", async () => {
    const thumbnail = await jpegWith(exifSegment(camera("II")));
    const block = composeTiff({
      order: "MM",
      ifds: { main: CAMERA_TAGS, small: { 513: { placeOf: thumbnail }, 514: { longs: [thumbnail.length] } } },
      next: { main: "small" },
    });
    await expectBlanked(await jpegWith(exifSegment(block)));
  });

  it("loses EXIF and XMP in Photoshop image resources, cut over two segments", async () => {
    const resources = Buffer.concat([
      imageResource(1005, "resolution"),
      imageResource(1058, camera("MM")),
      imageResource(1060, XMP_WITH_GPS),
      imageResource(1059, Buffer.concat([Buffer.from("Exif\0\0"), camera("II")])),
    ]);
    const header = "Photoshop 3.0\0";
    const half = 200;
    const after = await expectBlanked(
      await jpegWith(
        segment(0xed, header, resources.subarray(0, half)),
        segment(0xed, header, resources.subarray(half)),
      ),
    );
    expect(after.includes("resolution")).toBe(true);
  });

  it("loses position named in text, as content credentials have it, and the JSON stays JSON", async () => {
    const json = `{"exif:GPSLatitude":"39,21.102N","exif:GPSLongitude": -74.26,"make":"Acme"}`;
    const after = await expectBlanked(await jpegWith(segment(0xeb, "JP\0\x01", json)));
    const text = after.toString("latin1");
    const kept: unknown = JSON.parse(text.slice(text.indexOf("{"), text.indexOf("}") + 1));
    expect(kept).toEqual({ "exif:GPSLatitude": "          ", "exif:GPSLongitude": 0, make: "Acme" });
  });

  it("keeps its pixels when a segment lies about its length", async () => {
    const file = await jpegWith(exifSegment(camera("II")));
    for (const length of [0, 1, 2, 8, 40, 0x7fff, 0xffff]) {
      const lying = Buffer.from(file);
      lying.writeUInt16BE(length, 4);
      const before = await pixelsOf(lying).catch(String);
      const after = blankJpeg(lying) ?? lying;
      expect(await pixelsOf(after).catch(String)).toEqual(before);
      expect(await positionSeen(after).catch(() => [])).toEqual([]);
    }
  });

  it.each([
    "",
    "\xff",
    "\xff\xd8",
    "\xff\xd8\xff",
    "\xff\xd8\xff\xe1",
    "\xff\xd8\xff\xe1\0",
    "\xff\xff\xff\xff",
    "nothing",
  ])("may be no more than %j", (text) => {
    expect(blankJpeg(Buffer.from(text, "latin1"))).toBeNull();
  });
});

describe("extended XMP", () => {
  const digestOf = (text: string): string => createHash("md5").update(text).digest("hex").toUpperCase();

  function extended(digest: string, whole: string, { from, to }: { from: number; to: number }): Buffer {
    const numbers = Buffer.alloc(8);
    numbers.writeUInt32BE(whole.length);
    numbers.writeUInt32BE(from, 4);
    return segment(0xe1, "http://ns.adobe.com/xmp/extension/\0", digest, numbers, whole.slice(from, to));
  }

  const main = (digest: string): Buffer => xmpSegment(xmpPacket(`xmpNote:HasExtendedXMP="${digest}"`));
  /** In the midst of the latitude's name. */
  const cut = XMP_WITH_GPS.indexOf("GPSLatitude") + 5;
  const first = { from: 0, to: cut };
  const second = { from: cut, to: XMP_WITH_GPS.length };

  it.each([
    ["in order", [first, second]],
    ["out of order", [second, first]],
  ])("is put together before it is searched, %s", async (_, parts) => {
    const digest = digestOf(XMP_WITH_GPS);
    const file = await jpegWith(main(digest), ...parts.map((part) => extended(digest, XMP_WITH_GPS, part)));
    const after = await expectBlanked(file);
    expect(after.includes(`tiff:Make="Acme"`)).toBe(true);
  });

  it("gets a new digest, in its parts and in the packet that names it", async () => {
    const digest = digestOf(XMP_WITH_GPS);
    const file = await jpegWith(
      main(digest),
      extended(digest, XMP_WITH_GPS, first),
      extended(digest, XMP_WITH_GPS, second),
    );
    const text = (await expectBlanked(file)).toString("latin1");
    const renewed = /HasExtendedXMP="(\w{32})"/.exec(text)?.[1] ?? "";
    expect(text).not.toContain(digest);
    expect(text.split(renewed)).toHaveLength(4);
    const start = text.indexOf("extension/\0") + 11 + 40;
    const partOne = text.slice(start, start + cut);
    const next = text.indexOf("extension/\0", start) + 11 + 40;
    expect(digestOf(partOne + text.slice(next, next + XMP_WITH_GPS.length - cut))).toBe(renewed);
  });

  it("keeps a digest that was never right", async () => {
    const wrong = "0123456789ABCDEF0123456789ABCDEF";
    const after = await expectBlanked(
      await jpegWith(main(wrong), extended(wrong, XMP_WITH_GPS, { from: 0, to: XMP_WITH_GPS.length })),
    );
    expect(after.toString("latin1").split(wrong)).toHaveLength(3);
  });

  it("without a position keeps its digest", async () => {
    const plain = xmpPacket(`tiff:Make="Acme"`);
    const digest = digestOf(plain);
    const file = await jpegWith(main(digest), extended(digest, plain, { from: 0, to: plain.length }));
    expect(blankJpeg(file)).toBeNull();
  });
});

describe("what follows the first image of a JPEG file", () => {
  it("is blanked where it is a second picture, and keeps its own pixels", async () => {
    const [first, second] = [
      await jpegWith(exifSegment(camera("II"))),
      await jpegWith(exifSegment(camera("MM")), xmpSegment(XMP_WITH_GPS)),
    ];
    const before = await pixelsOf(second);
    const after = await expectBlanked(Buffer.concat([first, Buffer.alloc(100), second]));
    expect((await pixelsOf(after.subarray(first.length + 100))).equals(before)).toBe(true);
  });

  it("is blanked where it is a movie, which keeps its length and its samples", async () => {
    const samples = box("mdat", Buffer.alloc(500, "\xff\xd8\xff\xe1 a sample ", "latin1"));
    const places = box(
      "udta",
      box("\xa9xyz", "\0\x12\x15\xc7+51.5090+007.1455/"),
      box("loci", "\0\0\0\0\x15\xc7Arezzo\0\0\0\0\0"),
      box("name", "kept"),
    );
    const movie = Buffer.concat([
      box("ftyp", "mp42\0\0\0\0mp42"),
      samples,
      box("moov", box("mvhd", Buffer.alloc(100)), places),
    ]);
    const after = await expectBlanked(Buffer.concat([await jpegWith(exifSegment(camera("II"))), movie]));
    const kept = after.subarray(-movie.length);
    expect(kept.includes("51.5090")).toBe(false);
    expect(kept.includes("Arezzo")).toBe(false);
    expect(kept.includes("kept")).toBe(true);
    expect(kept.includes(samples)).toBe(true);
  });

  it("is blanked where it is loose EXIF, an XMP packet, or a camera's trailer that names its place", async () => {
    const trailers = [
      Buffer.concat([Buffer.from("....Exif\0\0"), camera("II")]),
      camera("MM"),
      Buffer.from(`....${XMP_WITH_GPS}....`),
      Buffer.from(`SEFH....{"latitude":51.5090,"longitude":"7.1455"}....SEFT`),
    ];
    for (const trailer of trailers) {
      const after = await expectBlanked(Buffer.concat([await jpegWith(), trailer]));
      expect(after.includes("51.5090")).toBe(false);
      expect(after.includes("7.1455")).toBe(false);
    }
  });

  it("is left as it is where it holds no position", async () => {
    const trailer = Buffer.concat([
      await jpegWith(exifSegment(cameraWithoutGps("II"))),
      Buffer.from("<?php latitude ?>"),
    ]);
    const file = Buffer.concat([await jpegWith(), trailer]);
    const before = Buffer.from(file);
    expect(blankJpeg(file)).toBeNull();
    expect(file.equals(before)).toBe(true);
  });
});
