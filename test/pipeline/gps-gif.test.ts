import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { blankGif } from "../../src/pipeline/gps-gif.js";
import { noise, pixelsOf, XMP_POSITION, XMP_WITH_GPS, xmpPacket } from "./gps-material.js";

/** 0x01, then 0xff down to 0x00, then the terminator: wherever a reader of sub-blocks lands, it gets to the end. */
const LANDING = Buffer.from([1, ...Array.from({ length: 256 }, (_, i) => 255 - i), 0]);
const application = (name: string): Buffer => Buffer.from(`\x21\xff\x0b${name}`, "latin1");
const wholeXmp = (packet: string): Buffer => Buffer.concat([application("XMP DataXMP"), Buffer.from(packet), LANDING]);

function subBlocks(bytes: Buffer, size: number): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    const content = bytes.subarray(at, at + size);
    parts.push(Buffer.from([content.length]), content);
  }
  return Buffer.concat([...parts, Buffer.from([0])]);
}

/** A GIF file of two frames with these extensions in front of its end. */
async function gifWith(...extensions: readonly Buffer[]): Promise<Buffer> {
  const frames = await Promise.all(
    [1, 2].map((hue) =>
      noise()
        .modulate({ hue: hue * 90 })
        .png()
        .toBuffer(),
    ),
  );
  const plain = await sharp(frames, { join: { animated: true } })
    .gif()
    .toBuffer();
  return Buffer.concat([plain.subarray(0, -1), ...extensions, plain.subarray(-1)]);
}

async function expectBlanked(file: Buffer): Promise<Buffer> {
  const before = Buffer.from(file);
  const after = blankGif(file);
  if (!after) throw new Error("nothing was blanked");
  expect(after.length).toBe(before.length);
  expect((await pixelsOf(after)).equals(await pixelsOf(before))).toBe(true);
  expect(after.includes(XMP_POSITION)).toBe(false);
  expect(blankGif(Buffer.from(after))).toBeNull();
  return after;
}

describe("a GIF file", () => {
  it("loses position in XMP that stands there whole, and its blocks still end where they did", async () => {
    const after = await expectBlanked(
      await gifWith(wholeXmp(XMP_WITH_GPS), Buffer.from("\x21\xfe\x05after\0", "latin1")),
    );
    expect(after.includes(`tiff:Make="Acme"`)).toBe(true);
    expect(after.includes(Buffer.concat([LANDING, Buffer.from("\x21\xfe\x05after\0", "latin1")]))).toBe(true);
  });

  it.each([255, 40])("loses position in XMP cut into sub-blocks of %i bytes, whose sizes stay", async (size) => {
    const cut = Buffer.concat([application("XMP DataXMP"), subBlocks(Buffer.from(XMP_WITH_GPS), size)]);
    const file = await gifWith(cut);
    const at = file.indexOf("XMP DataXMP") + 11;
    const after = await expectBlanked(file);
    for (let place = at, left = XMP_WITH_GPS.length; left > 0; left -= size, place += 1 + size)
      expect(after[place]).toBe(Math.min(size, left));
  });

  it("is searched in comments, in other applications' blocks, and behind its end", async () => {
    const comment = Buffer.concat([
      Buffer.from([0x21, 0xfe]),
      subBlocks(Buffer.from(`at latitude: "51.5090" of it`), 255),
    ]);
    const other = Buffer.concat([application("ACMEDATA1.0"), subBlocks(Buffer.from(XMP_WITH_GPS), 255)]);
    const after = await expectBlanked(Buffer.concat([await gifWith(comment, other), Buffer.from(XMP_WITH_GPS)]));
    expect(after.includes("51.5090")).toBe(false);
  });

  it("without a position is left as it is", async () => {
    const file = await gifWith(
      wholeXmp(xmpPacket(`tiff:Make="Acme"`)),
      Buffer.from("\x21\xfe\x18a comment of some length.\0", "latin1"),
    );
    const before = Buffer.from(file);
    expect(blankGif(file)).toBeNull();
    expect(file.equals(before)).toBe(true);
  });

  it("may be cut anywhere", async () => {
    const whole = await gifWith(wholeXmp(XMP_WITH_GPS));
    for (let length = 0; length < whole.length; length += 11) {
      const cut = Buffer.from(whole.subarray(0, length));
      blankGif(cut);
      expect(blankGif(cut)).toBeNull();
    }
  });
});
