import { type BitmapHeader, readBitmapHeader, truncated } from "./bitmap-header.js";
import { readRuns } from "./bitmap-runs.js";
import type { Pixels } from "./pixels.js";

/**
 * Decodes a Windows or OS/2 bitmap: 1, 4, 8, 16, 24 and 32 bits, with palettes, masks, alpha and runs (Microsoft,
 * "Bitmap Storage" and "Bitmap Compression"). What the header promises is taken as checked: the caller has limited the
 * size. Throws MediaError CORRUPT_FILE where pixels are missing.
 */
export function decodeBitmap(file: Buffer): Pixels {
  const header = readBitmapHeader(file);
  if (header.bits <= 8) return paint(header, readIndexes(file, header), readPalette(file, header));
  return header.bits === 24 ? readTriples(file, header) : readMasked(file, header);
}

/** Rows are padded to four bytes; of the last one the padding may be missing. */
function requireRows(file: Buffer, { width, height, bits, pixelsAt }: BitmapHeader): number {
  const used = Math.ceil((width * bits) / 8);
  const rowBytes = Math.ceil(used / 4) * 4;
  if (pixelsAt + rowBytes * (height - 1) + used > file.length) throw truncated();
  return rowBytes;
}

/** Of the picture's row `y`, counted from the top, the row in the file. */
const rowInFile = ({ height, isTopDown }: BitmapHeader, y: number): number => (isTopDown ? y : height - 1 - y);

function readTriples(file: Buffer, header: BitmapHeader): Pixels {
  const { width, height, pixelsAt } = header;
  const rowBytes = requireRows(file, header);
  const data = Buffer.allocUnsafe(width * height * 3);
  for (let y = 0, to = 0; y < height; y++) {
    let from = pixelsAt + rowInFile(header, y) * rowBytes;
    for (let x = 0; x < width; x++, from += 3, to += 3) {
      data[to] = file[from + 2] as number;
      data[to + 1] = file[from + 1] as number;
      data[to + 2] = file[from] as number;
    }
  }
  return { data, width, height, channels: 3 };
}

/** Bits under a mask as 0..255; a mask of none is opaque. */
function underMask(mask: number): (pixel: number) => number {
  if (mask === 0) return () => 255;
  const shift = 31 - Math.clz32(mask & -mask);
  const most = mask >>> shift;
  return (pixel) => Math.round((((pixel & mask) >>> shift) * 255) / most);
}

function readMasked(file: Buffer, header: BitmapHeader): Pixels {
  const { width, height, pixelsAt, bits, masks } = header;
  const rowBytes = requireRows(file, header);
  const channels = masks[3] === 0 ? 3 : 4;
  const [red, green, blue, alpha] = masks.map(underMask) as [Reader, Reader, Reader, Reader];
  const data = Buffer.allocUnsafe(width * height * channels);
  for (let y = 0, to = 0; y < height; y++) {
    let from = pixelsAt + rowInFile(header, y) * rowBytes;
    for (let x = 0; x < width; x++, from += bits / 8) {
      const pixel = bits === 16 ? file.readUInt16LE(from) : file.readUInt32LE(from);
      data[to++] = red(pixel);
      data[to++] = green(pixel);
      data[to++] = blue(pixel);
      if (channels === 4) data[to++] = alpha(pixel);
    }
  }
  return { data, width, height, channels };
}
type Reader = (pixel: number) => number;

/** Red, green, blue of 256 colours; those the file leaves out are black, as viewers show them. */
function readPalette(file: Buffer, { palette }: BitmapHeader): Uint8Array {
  const colours = new Uint8Array(256 * 3);
  if (palette.at + palette.colours * palette.bytes > file.length) throw truncated();
  for (let n = 0; n < palette.colours; n++) {
    const at = palette.at + n * palette.bytes;
    colours.set([file[at + 2] ?? 0, file[at + 1] ?? 0, file[at] ?? 0], n * 3);
  }
  return colours;
}

function paint({ width, height }: BitmapHeader, indexes: Uint8Array, palette: Uint8Array): Pixels {
  const data = Buffer.allocUnsafe(width * height * 3);
  for (let at = 0, to = 0; at < indexes.length; at++, to += 3) {
    const colour = (indexes[at] as number) * 3;
    data[to] = palette[colour] as number;
    data[to + 1] = palette[colour + 1] as number;
    data[to + 2] = palette[colour + 2] as number;
  }
  return { data, width, height, channels: 3 };
}

/** One palette index a pixel, from the top left. */
const readIndexes = (file: Buffer, header: BitmapHeader): Uint8Array =>
  header.compression === "runs" ? readRuns(file, header) : readPacked(file, header);

function readPacked(file: Buffer, header: BitmapHeader): Uint8Array {
  const { width, height, bits, pixelsAt } = header;
  const rowBytes = requireRows(file, header);
  const indexes = new Uint8Array(width * height);
  const perByte = 8 / bits;
  for (let y = 0, to = 0; y < height; y++) {
    const from = pixelsAt + rowInFile(header, y) * rowBytes;
    for (let x = 0; x < width; x++) {
      const byte = file[from + Math.floor(x / perByte)] as number;
      indexes[to++] = (byte >> (8 - bits - (x % perByte) * bits)) & (2 ** bits - 1);
    }
  }
  return indexes;
}
