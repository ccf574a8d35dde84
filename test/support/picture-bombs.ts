import { deflateSync } from "node:zlib";

/** Enough to show what grows with it, and quickly sent. Bytes. */
const FULL = 4 * 1024 * 1024;
const SEGMENT_BYTES = 65_533;

/** As many segments behind the start of a JPEG as fill the file, each with this beginning; `bytes` of each. */
export function jpegOfSegments(jpeg: Buffer, marker: number, beginning: string, bytes = SEGMENT_BYTES): Buffer {
  const segment = Buffer.alloc(bytes + 2, "x");
  segment[0] = 0xff;
  segment[1] = marker;
  segment.writeUInt16BE(bytes, 2);
  segment.write(beginning, 4, "latin1");
  const count = Math.floor((FULL - jpeg.length) / segment.length);
  return Buffer.concat([jpeg.subarray(0, 2), ...Array<Buffer>(count).fill(segment), jpeg.subarray(2)]);
}

/** A comment that fills the file, in blocks of 255 bytes, before the first frame; `start` is where that is. */
export function gifOfComments(gif: Buffer, start: number): Buffer {
  const block = Buffer.concat([Buffer.from([255]), Buffer.alloc(255, "x")]);
  const blocks = Array<Buffer>(Math.floor((FULL - gif.length) / block.length)).fill(block);
  const comment = Buffer.concat([Buffer.from([0x21, 0xfe]), ...blocks, Buffer.from([0])]);
  return Buffer.concat([gif.subarray(0, start), comment, gif.subarray(start)]);
}

/** Comments of one byte each, as many as are asked for. */
export function gifOfManyComments(gif: Buffer, start: number, count: number): Buffer {
  const comment = Buffer.from([0x21, 0xfe, 1, 0x78, 0]);
  return Buffer.concat([gif.subarray(0, start), ...Array<Buffer>(count).fill(comment), gif.subarray(start)]);
}

/** A screen of this size on which frames of one pixel follow each other. */
export function gifOfDots(width: number, height: number, frames: number): Buffer {
  const head = Buffer.concat([Buffer.from("GIF89a\0\0\0\0\x80\0\0", "latin1"), Buffer.from([0, 0, 0, 255, 255, 255])]);
  head.writeUInt16LE(width, 6);
  head.writeUInt16LE(height, 8);
  const dot = Buffer.from([0x21, 0xf9, 4, 0, 0, 0, 0, 0, 0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 0x01, 0]);
  return Buffer.concat([head, ...Array<Buffer>(frames).fill(dot), Buffer.from([0x3b])]);
}

type TiffEntry = readonly [tag: number, values: readonly number[] | Uint32Array];

/** A grey picture whose parts (strips or tiles) all lie at the same place: TIFF 6.0, little-endian, type LONG. */
function tiffOf(entries: readonly TiffEntry[], part: Buffer): Buffer {
  const directory = Buffer.alloc(2 + entries.length * 12 + 4);
  directory.writeUInt16LE(entries.length);
  const arrays: Buffer[] = [];
  let free = 8 + directory.length + part.length;
  for (const [index, [tag, values]] of entries.entries()) {
    const at = 2 + index * 12;
    directory.writeUInt16LE(tag, at);
    directory.writeUInt16LE(4, at + 2);
    directory.writeUInt32LE(values.length, at + 4);
    directory.writeUInt32LE(values.length === 1 ? (values[0] as number) : free, at + 8);
    if (values.length === 1) continue;
    const bytes = Buffer.from(Uint32Array.from(values).buffer);
    arrays.push(bytes);
    free += bytes.length;
  }
  return Buffer.concat([Buffer.from("II*\0\x08\0\0\0", "latin1"), directory, part, ...arrays]);
}

const partAt = (entries: number): number => 8 + 2 + entries * 12 + 4;
const filled = (count: number, value: number): Uint32Array => new Uint32Array(count).fill(value);

/** Tiles of this side, deflated; what each holds is `tileBytes` long. */
export function tiffOfTiles(side: number, tile: number, tileBytes: number): Buffer {
  const part = deflateSync(Buffer.alloc(tileBytes, 90));
  const tiles = Math.ceil(side / tile) ** 2;
  const entries: TiffEntry[] = [
    [256, [side]],
    [257, [side]],
    [258, [8]],
    [259, [8]],
    [262, [1]],
    [277, [1]],
    [322, [tile]],
    [323, [tile]],
    [324, filled(tiles, partAt(10))],
    [325, filled(tiles, part.length)],
  ];
  return tiffOf(entries, part);
}

/** Strips of so many rows each, deflated; what each holds is `stripBytes` long. */
export function tiffOfStrips(side: number, rows: number, stripBytes: number): Buffer {
  const part = deflateSync(Buffer.alloc(stripBytes, 90));
  const strips = Math.ceil(side / rows);
  const entries: TiffEntry[] = [
    [256, [side]],
    [257, [side]],
    [258, [8]],
    [259, [8]],
    [262, [1]],
    [273, filled(strips, partAt(9))],
    [277, [1]],
    [278, [rows]],
    [279, filled(strips, part.length)],
  ];
  return tiffOf(entries, part);
}

/** A WebP with one more chunk at its end, and its length made right. */
export function withRiffChunk(webp: Buffer, type: string, data: Buffer): Buffer {
  const head = Buffer.from(`${type}\0\0\0\0`, "latin1");
  head.writeUInt32LE(data.length, 4);
  const whole = Buffer.concat([webp, head, data, Buffer.alloc(data.length % 2)]);
  whole.writeUInt32LE(whole.length - 8, 4);
  return whole;
}

/** The WebP with its first frame again and again, each shown for no time. RFC 9649, 2.7.1.1. */
export function webpOfMoments(webp: Buffer, frames: number): Buffer {
  const start = webp.indexOf("ANMF");
  const frame = Buffer.from(webp.subarray(start, start + 8 + webp.readUInt32LE(start + 4)));
  frame.writeUIntLE(0, 8 + 12, 3);
  const whole = Buffer.concat([webp.subarray(0, start), ...Array<Buffer>(frames).fill(frame)]);
  whole.writeUInt32LE(whole.length - 8, 4);
  return whole;
}

/** The sides a HEIF file gives all its pictures (`ispe`, ISO/IEC 23008-12, 6.5.3), said to be others. */
export function heifSaying(heif: Buffer, width: number, height: number): Buffer {
  const copy = Buffer.from(heif);
  for (let at = copy.indexOf("ispe"); at !== -1; at = copy.indexOf("ispe", at + 1)) {
    copy.writeUInt32BE(width, at + 8);
    copy.writeUInt32BE(height, at + 12);
  }
  return copy;
}
