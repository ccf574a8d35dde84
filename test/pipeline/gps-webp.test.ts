import exifr from "exifr";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { blankWebp } from "../../src/pipeline/gps-webp.js";
import {
  camera,
  cameraWithoutGps,
  holdsSeconds,
  noise,
  pixelsOf,
  positionSeen,
  SHARP_EXIF,
  XMP_POSITION,
  XMP_WITH_GPS,
} from "./gps-material.js";

const chunk = (type: string, data: Buffer): Buffer => {
  const head = Buffer.from(`${type}\0\0\0\0`, "latin1");
  head.writeUInt32LE(data.length, 4);
  return Buffer.concat([head, data, Buffer.alloc(data.length % 2)]);
};

/** A WebP file with these chunks behind its picture. */
async function webpWith(...chunks: readonly Buffer[]): Promise<Buffer> {
  const file = Buffer.concat([await noise().withIccProfile("p3").webp().toBuffer(), ...chunks]);
  file.writeUInt32LE(file.length - 8, 4);
  return file;
}

async function expectBlanked(file: Buffer): Promise<Buffer> {
  const before = Buffer.from(file);
  const after = blankWebp(file);
  if (!after) throw new Error("nothing was blanked");
  expect(after.length).toBe(before.length);
  expect((await pixelsOf(after)).equals(await pixelsOf(before))).toBe(true);
  expect(holdsSeconds(after)).toBe(false);
  expect(after.includes(XMP_POSITION)).toBe(false);
  expect(blankWebp(Buffer.from(after))).toBeNull();
  return after;
}

describe("a WebP file", () => {
  it("written by sharp loses EXIF and XMP position and keeps the rest", async () => {
    const file = await noise().withExif(SHARP_EXIF).withXmp(XMP_WITH_GPS).withIccProfile("p3").webp().toBuffer();
    const before = await sharp(file).metadata();
    const after = await sharp(await expectBlanked(file)).metadata();
    const exif = after.exif!.subarray("Exif\0\0".length);
    expect(await positionSeen(exif)).toEqual([]);
    expect(await exifr.parse(exif)).toEqual(
      await exifr.parse(before.exif!.subarray("Exif\0\0".length), { gps: false }),
    );
    expect(await exifr.parse(exif)).toMatchObject({ Make: "Acme Cameras", LensModel: "A long lens" });
    expect(after.icc?.equals(before.icc!)).toBe(true);
    expect(after.xmp?.toString()).toContain(`tiff:Make="Acme"`);
  });

  it.each(["", "Exif\0\0"])("loses nothing but the position of its EXIF with the header %j", async (header) => {
    const after = await expectBlanked(
      await webpWith(chunk("EXIF", Buffer.concat([Buffer.from(header), camera("MM")]))),
    );
    const at = after.indexOf("EXIF") + 8 + header.length;
    expect(await exifr.parse(after.subarray(at))).toEqual(await exifr.parse(cameraWithoutGps("MM")));
  });

  it.each(["XMP ", "XMP\0"])("loses XMP position in a chunk named %j", async (name) => {
    await expectBlanked(await webpWith(chunk(name, Buffer.from(XMP_WITH_GPS))));
  });

  it("is searched in unknown chunks, in chunks of odd length, and behind its end", async () => {
    const unknown = chunk("what", Buffer.concat([Buffer.from("Exif\0\0"), camera("II"), Buffer.alloc(1)]));
    await expectBlanked(await webpWith(chunk("odd ", Buffer.from("abc")), unknown));
    await expectBlanked(Buffer.concat([await webpWith(), Buffer.from(XMP_WITH_GPS)]));
  });

  it("without a position is left as it is", async () => {
    const file = await webpWith(chunk("EXIF", cameraWithoutGps("II")), chunk("XMP ", Buffer.from("<x:xmpmeta/>")));
    const before = Buffer.from(file);
    expect(blankWebp(file)).toBeNull();
    expect(file.equals(before)).toBe(true);
  });

  it("may be cut anywhere, and its chunks may lie about their length", async () => {
    const whole = await webpWith(chunk("EXIF", camera("II")), chunk("XMP ", Buffer.from(XMP_WITH_GPS)));
    for (let length = 0; length < whole.length; length += 7) blankWebp(Buffer.from(whole.subarray(0, length)));
    const lying = Buffer.from(whole);
    lying.writeUInt32LE(0xffffffff, lying.indexOf("EXIF") + 4);
    const after = blankWebp(lying);
    expect(after && holdsSeconds(after)).toBe(false);
    expect(blankWebp(Buffer.from(lying))).toBeNull();
  });
});
