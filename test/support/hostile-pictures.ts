import { crc32, deflateSync } from "node:zlib";

/** A JPEG segment: marker, length, content. */
const segment = (marker: number, content: readonly number[] | Buffer): Buffer =>
  Buffer.concat([
    Buffer.from([0xff, marker, (content.length + 2) >> 8, (content.length + 2) & 0xff]),
    Buffer.from(content),
  ]);

const START = Buffer.from([0xff, 0xd8]);
const END = Buffer.from([0xff, 0xd9]);

/** ITU-T T.81 B.2.2, one component of 8 bits; 0xc0 is baseline, 0xc2 progressive. */
const frameHeader = (marker: number, width: number, height: number): Buffer =>
  segment(marker, [8, height >> 8, height & 0xff, width >> 8, width & 0xff, 1, 1, 0x11, 0]);

/** A Huffman table whose only code, the bit 0, means `symbol`. */
const huffmanTable = (kind: number, symbol: number): Buffer =>
  segment(0xc4, [kind << 4, 1, ...Array(15).fill(0), symbol]);

/**
 * A grey progressive JPEG, valid in every scan: one for the averages, then one for each frequency, from the coarsest
 * bit to finer ones. Each of them says in 15 bits that 32,767 blocks hold nothing. `side` is a multiple of 8.
 */
export function flatJpegOfScans(side: number, scans: number): Buffer {
  const blocks = (side / 8) ** 2;
  const head = [START, segment(0xdb, [0, ...Array(64).fill(1)]), frameHeader(0xc2, side, side)];
  const averages = [segment(0xda, [1, 1, 0, 0, 0, 0]), Buffer.alloc(Math.ceil(blocks / 8))];
  const nothing = stuffed(`0${"1".repeat(14)}`.repeat(Math.ceil(blocks / 32_767)));
  const rest = Array.from({ length: scans - 1 }, (_, index) => {
    const frequency = (index % 63) + 1;
    const level = Math.floor(index / 63) % 14;
    const precision = level === 0 ? 13 : ((14 - level) << 4) | (13 - level);
    return [segment(0xda, [1, 1, 0, frequency, frequency, precision]), nothing];
  });
  return Buffer.concat([...head, huffmanTable(0, 0), huffmanTable(1, 0xe0), ...averages, ...rest.flat(), END]);
}

/** Coded bits as bytes: filled up with ones, a zero behind each 0xff. */
function stuffed(bits: string): Buffer {
  const bytes = bits.match(/.{1,8}/g) ?? [];
  const codes = bytes.map((byte) => Number.parseInt(byte.padEnd(8, "1"), 2));
  return Buffer.from(codes.flatMap((code) => (code === 0xff ? [code, 0] : [code])));
}

/** A header of this size and not one pixel. */
export const jpegHeader = (width: number, height: number): Buffer =>
  Buffer.concat([
    START,
    segment(0xdb, [0, ...Array(64).fill(1)]),
    frameHeader(0xc0, width, height),
    huffmanTable(0, 0),
    huffmanTable(1, 0),
    segment(0xda, [1, 1, 0, 0, 63, 0]),
    END,
  ]);

/** A JPEG with one more segment before all others. */
export const withSegment = (jpeg: Buffer, marker: number, content: Buffer): Buffer =>
  Buffer.concat([START, segment(marker, content), jpeg.subarray(2)]);

function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

const PNG_SIGNATURE = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");

/** One bit a pixel, and of those only a few. */
export function pngHeader(width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width);
  header.writeUInt32BE(height, 4);
  header[8] = 1;
  const data = pngChunk("IDAT", deflateSync(Buffer.alloc(1000)));
  return Buffer.concat([PNG_SIGNATURE, pngChunk("IHDR", header), data, pngChunk("IEND", Buffer.alloc(0))]);
}

/** A PNG with one more chunk behind its header. */
export const withChunk = (png: Buffer, type: string, data: Buffer): Buffer =>
  Buffer.concat([png.subarray(0, 33), pngChunk(type, data), png.subarray(33)]);

const GIF_PALETTE = Buffer.from([0, 0, 0, 255, 255, 255]);

/** GIF89a: a screen, and frames of the same size whose only pixel data is one code. */
export function gif(width: number, height: number, frames: number): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt16LE(width);
  size.writeUInt16LE(height, 2);
  const screen = Buffer.concat([Buffer.from("GIF89a"), size, Buffer.from([0x80, 0, 0]), GIF_PALETTE]);
  const delay = Buffer.from([0x21, 0xf9, 4, 0, 10, 0, 0, 0]);
  const image = Buffer.concat([Buffer.from([0x2c, 0, 0, 0, 0]), size, Buffer.from([0, 2, 2, 0x44, 0x01, 0])]);
  return Buffer.concat([screen, ...Array<Buffer[]>(frames).fill([delay, image]).flat(), Buffer.from([0x3b])]);
}

/** VP8L, whose header holds each side less one in 14 bits, and nothing behind it. RFC 9649, 3.4. */
export function webpHeader(width: number, height: number): Buffer {
  const data = Buffer.alloc(6);
  data[0] = 0x2f;
  data.writeUInt32LE(((width - 1) | ((height - 1) << 14)) >>> 0, 1);
  const chunk = Buffer.concat([Buffer.from("VP8L\x05\0\0\0", "latin1"), data]);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(chunk.length + 4);
  return Buffer.concat([Buffer.from("RIFF"), size, Buffer.from("WEBP"), chunk]);
}

/** One grey strip that is said to hold it all. TIFF 6.0, little-endian. `nextDirectory` may point anywhere. */
export function tiff(width: number, height: number, pixels: Buffer, nextDirectory = 0): Buffer {
  const entries = [
    [256, width],
    [257, height],
    [258, 8],
    [259, 1],
    [262, 1],
    [273, 8 + 2 + 9 * 12 + 4],
    [277, 1],
    [278, height],
    [279, pixels.length],
  ] as const;
  const directory = Buffer.alloc(2 + entries.length * 12 + 4);
  directory.writeUInt16LE(entries.length);
  for (const [index, [tag, value]] of entries.entries()) {
    const at = 2 + index * 12;
    directory.writeUInt16LE(tag, at);
    directory.writeUInt16LE(4, at + 2);
    directory.writeUInt32LE(1, at + 4);
    directory.writeUInt32LE(value, at + 8);
  }
  directory.writeUInt32LE(nextDirectory, directory.length - 4);
  return Buffer.concat([Buffer.from("II*\0\x08\0\0\0", "latin1"), directory, pixels]);
}
