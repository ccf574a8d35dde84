import { crc32, deflateSync, inflateSync } from "node:zlib";
import exifr from "exifr";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { blankPng } from "../../src/pipeline/gps-png.js";
import {
  camera,
  cameraWithoutGps,
  holdsSeconds,
  imageResource,
  noise,
  pixelsOf,
  positionSeen,
  SHARP_EXIF,
  XMP_POSITION,
  XMP_WITH_GPS,
  xmpPacket,
} from "./gps-material.js";

const IHDR_END = 33;

function chunk(type: string, ...parts: readonly (Buffer | string)[]): Buffer {
  const data = Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : part)));
  const bytes = Buffer.concat([Buffer.alloc(4), Buffer.from(type), data, Buffer.alloc(4)]);
  bytes.writeUInt32BE(data.length);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, -4)), bytes.length - 4);
  return bytes;
}

async function pngWith(...chunks: readonly Buffer[]): Promise<Buffer> {
  const plain = await noise().png().toBuffer();
  return Buffer.concat([plain.subarray(0, IHDR_END), ...chunks, plain.subarray(IHDR_END)]);
}

/** Types and data of all chunks, each with a checksum that is right. */
function chunksOf(file: Buffer): { type: string; data: Buffer }[] {
  const chunks: { type: string; data: Buffer }[] = [];
  for (let at = 8; at + 12 <= file.length; at += 12 + chunks.at(-1)!.data.length) {
    const end = at + 8 + file.readUInt32BE(at);
    expect(file.readUInt32BE(end)).toBe(crc32(file.subarray(at + 4, end)));
    chunks.push({ type: file.toString("latin1", at + 4, at + 8), data: file.subarray(at + 8, end) });
  }
  return chunks;
}

const dataOf = (file: Buffer, type: string): Buffer[] =>
  chunksOf(file)
    .filter((one) => one.type === type)
    .map((one) => one.data);

async function expectBlanked(file: Buffer): Promise<Buffer> {
  const before = Buffer.from(file);
  const after = blankPng(file);
  if (!after) throw new Error("nothing was blanked");
  expect((await pixelsOf(after)).equals(await pixelsOf(before))).toBe(true);
  expect(await positionSeen(after)).toEqual([]);
  expect(holdsSeconds(after)).toBe(false);
  expect(after.includes(XMP_POSITION)).toBe(false);
  expect(blankPng(Buffer.from(after))).toBeNull();
  return after;
}

/** As ImageMagick writes it: name, length, and hex digits in lines of 72. */
const rawProfile = (name: string, profile: Buffer): string =>
  `\n${name}\n${String(profile.length).padStart(8)}\n${profile.toString("hex").replaceAll(/.{72}/g, "$&\n")}\n`;
const profileOf = (text: string): Buffer => Buffer.from(text.split("\n").slice(3).join(""), "hex");
const app1 = (block: Buffer): Buffer => Buffer.concat([Buffer.from("Exif\0\0"), block]);

describe("a PNG file", () => {
  it("written by sharp loses EXIF and XMP position and keeps the rest", async () => {
    const file = await noise().withExif(SHARP_EXIF).withXmp(XMP_WITH_GPS).withIccProfile("p3").png().toBuffer();
    const before = Buffer.from(file);
    const tags = await exifr.parse(file, { gps: false });
    const after = await expectBlanked(file);
    expect(dataOf(after, "iCCP")).toEqual(dataOf(before, "iCCP"));
    expect(tags).toMatchObject({ Make: "Acme Cameras" });
    expect(await exifr.parse(after, { gps: true })).toEqual(tags);
    expect((await sharp(after).metadata()).xmp?.toString()).toContain(`tiff:Make="Acme"`);
  });

  it.each(["II", "MM"] as const)("loses nothing but the position of its eXIf chunk, byte order %s", async (order) => {
    const after = await expectBlanked(await pngWith(chunk("eXIf", camera(order))));
    expect(await exifr.parse(dataOf(after, "eXIf")[0]!)).toEqual(await exifr.parse(cameraWithoutGps(order)));
  });

  it("loses EXIF with a header that does not belong there, or compressed", async () => {
    await expectBlanked(await pngWith(chunk("eXIf", "Exif\0\0", camera("MM"))));
    const block = camera("II");
    const after = await expectBlanked(await pngWith(chunk("zxIf", "\0\0\0\x01\0", deflateSync(block))));
    expect(holdsSeconds(inflateSync(dataOf(after, "zxIf")[0]!.subarray(5)))).toBe(false);
  });

  it("loses position in XMP that is not compressed, in place", async () => {
    const file = await pngWith(chunk("iTXt", "XML:com.adobe.xmp\0\0\0\0\0", XMP_WITH_GPS));
    const { length } = file;
    const after = await expectBlanked(file);
    expect(after.length).toBe(length);
    expect(dataOf(after, "iTXt")[0]!.includes(`tiff:Make="Acme"`)).toBe(true);
  });

  it("loses position in XMP that is compressed, and compresses it again", async () => {
    const after = await expectBlanked(
      await pngWith(chunk("iTXt", "XML:com.adobe.xmp\0\x01\0\0\0", deflateSync(Buffer.from(XMP_WITH_GPS)))),
    );
    const text = inflateSync(dataOf(after, "iTXt")[0]!.subarray("XML:com.adobe.xmp".length + 5)).toString();
    expect(text).toHaveLength(XMP_WITH_GPS.length);
    expect(text).toContain(`tiff:Make="Acme"`);
    expect(text).not.toContain("GPSLatitude");
  });

  const profiles: [string, Buffer][] = [
    ["exif", app1(camera("MM"))],
    ["exif", camera("II")],
    ["APP1", app1(camera("II"))],
    ["APP1", Buffer.from(`http://ns.adobe.com/xap/1.0/\0${XMP_WITH_GPS}`)],
    ["xmp", Buffer.from(XMP_WITH_GPS)],
    ["8bim", Buffer.concat([imageResource(1058, camera("MM")), imageResource(1060, XMP_WITH_GPS)])],
    ["iptc", imageResource(1058, camera("II"))],
  ];

  it.each(profiles)(
    "loses position in ImageMagick's raw profile %s, in tEXt, zTXt and iTXt alike",
    async (name, profile) => {
      const text = rawProfile(name, profile);
      const keyword = `Raw profile type ${name}`;
      const file = await pngWith(
        chunk("tEXt", `${keyword}\0${text}`),
        chunk("zTXt", `${keyword}\0\0`, deflateSync(Buffer.from(text))),
        chunk("iTXt", `${keyword}\0\x01\0\0\0`, deflateSync(Buffer.from(text))),
      );
      const after = await expectBlanked(file);
      const texts = [
        dataOf(after, "tEXt")[0]!
          .subarray(keyword.length + 1)
          .toString(),
        inflateSync(dataOf(after, "zTXt")[0]!.subarray(keyword.length + 2)).toString(),
        inflateSync(dataOf(after, "iTXt")[0]!.subarray(keyword.length + 5)).toString(),
      ];
      for (const kept of texts) {
        expect(kept).toHaveLength(text.length);
        expect(holdsSeconds(profileOf(kept))).toBe(false);
        expect(profileOf(kept).includes(XMP_POSITION)).toBe(false);
        expect(profileOf(kept).includes("Acme")).toBe(profile.includes("Acme"));
      }
      expect(new Set(texts).size).toBe(1);
    },
  );

  it("loses text chunks that are named for a position, and no others", async () => {
    const file = await pngWith(
      chunk("tEXt", "exif:GPSLatitude\x0051/1, 30/1, 3230/100"),
      chunk("tEXt", "exif:Make\0Acme"),
      chunk("zTXt", "GPSInfo\0\0", deflateSync(Buffer.from("51.5"))),
      chunk("iTXt", "Longitude\0\0\0\0\x007.1"),
      chunk("tEXt", "GPSLatitude without an end"),
      chunk("tEXt", "Comment\0nothing"),
    );
    const after = await expectBlanked(file);
    expect(dataOf(after, "tEXt").map(String)).toEqual(["exif:Make\0Acme", "Comment\0nothing"]);
    expect([...dataOf(after, "zTXt"), ...dataOf(after, "iTXt")]).toEqual([]);
  });

  it("loses text that inflates beyond all measure, whatever it holds", async () => {
    const bomb = deflateSync(Buffer.alloc(17 * 1024 * 1024));
    const file = await pngWith(
      chunk("zTXt", "Comment\0\0", bomb),
      chunk("iTXt", "Title\0\x01\0\0\0", bomb),
      chunk("tEXt", "a\0b"),
    );
    const after = await expectBlanked(file);
    expect(chunksOf(after).map((one) => one.type)).not.toContain("zTXt");
    expect(chunksOf(after).map((one) => one.type)).not.toContain("iTXt");
    expect(dataOf(after, "tEXt").map(String)).toEqual(["a\0b"]);
  });

  it("loses text chunks that are too many together, though none is too large", () => {
    const large = chunk("zTXt", "Comment\0\0", deflateSync(Buffer.alloc(12 * 1024 * 1024)));
    const after = blankPng(Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), large, large, large, large]));
    expect(after?.length).toBe(8 + 2 * large.length);
  });

  it("keeps text that cannot be inflated, and chunks that break off", async () => {
    const file = await pngWith(
      chunk("zTXt", "Comment\0\0", "this was never compressed"),
      chunk("iTXt", "no end"),
      chunk("iTXt", "Title\0\x01\0no further zero"),
      chunk("zTXt", ""),
      chunk("tEXt", ""),
      chunk("eXIf", ""),
      chunk("eXIf", "\0"),
    );
    const before = Buffer.from(file);
    expect(blankPng(file)).toBeNull();
    expect(file.equals(before)).toBe(true);
  });

  it("is searched in private chunks and behind its end", async () => {
    const file = await pngWith(
      chunk("prVt", "....Exif\0\0", camera("MM")),
      chunk("caBX", `{"exif:GPSLatitude":"39,21.102N"}`),
    );
    const after = await expectBlanked(Buffer.concat([file, Buffer.from(XMP_WITH_GPS)]));
    expect(after.includes("39,21")).toBe(false);
    expect(dataOf(after.subarray(0, after.lastIndexOf("IEND") + 8), "prVt")).toHaveLength(1);
  });

  it("without a position is left as it is", async () => {
    const file = await pngWith(
      chunk("eXIf", cameraWithoutGps("MM")),
      chunk("iTXt", "XML:com.adobe.xmp\0\0\0\0\0", xmpPacket(`tiff:Make="Acme"`)),
      chunk(
        "zTXt",
        "Raw profile type exif\0\0",
        deflateSync(Buffer.from(rawProfile("exif", app1(cameraWithoutGps("II"))))),
      ),
    );
    const before = Buffer.from(file);
    expect(blankPng(file)).toBeNull();
    expect(file.equals(before)).toBe(true);
  });

  it("may be cut anywhere", async () => {
    const whole = await pngWith(
      chunk("eXIf", camera("MM")),
      chunk("iTXt", "XML:com.adobe.xmp\0\0\0\0\0", XMP_WITH_GPS),
    );
    for (let length = 0; length < 1200; length += 3) {
      const after = blankPng(Buffer.from(whole.subarray(0, length)));
      expect(after === null || blankPng(Buffer.from(after)) === null).toBe(true);
    }
  });
});
