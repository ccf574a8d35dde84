import { MediaError } from "../media/errors.js";
import type { Size } from "./pixels.js";

/** How the pixels of a bitmap lie in its file. */
export type BitmapHeader = Size & {
  bits: 1 | 4 | 8 | 16 | 24 | 32;
  compression: "none" | "runs";
  /** Which bits of a pixel are red, green, blue and alpha, for 16 and 32 bits. Alpha 0: there is none. */
  masks: readonly [number, number, number, number];
  /** The first row is the top one; usually it is the lowest. */
  isTopDown: boolean;
  /** Where the palette begins, how many colours it has, and the bytes of each: blue, green, red and perhaps another. */
  palette: { at: number; colours: number; bytes: 3 | 4 };
  pixelsAt: number;
};

const FILE_HEADER_BYTES = 14;
/** OS/2 1.x: sizes of 16 bits, a palette of three bytes a colour. */
const CORE_HEADER_BYTES = 12;
const INFO_HEADER_BYTES = 40;
/** The first header whose masks stand inside it, and the first with one of alpha. */
const MASKS_INSIDE_BYTES = 52;
const ALPHA_INSIDE_BYTES = 56;
/** OS/2 2.x: as long as no other, and its compressions 3 and 4 are others. */
const OS2_HEADER_BYTES = [16, 64];
/** As much of a file as any header and its masks need. */
export const BITMAP_HEADER_BYTES = FILE_HEADER_BYTES + 124;

const BITS: readonly number[] = [1, 4, 8, 16, 24, 32];
/** Values of biCompression (Microsoft, "Bitmap Storage" and BITMAPINFOHEADER). */
const COMPRESSION = { none: 0, runsOf8: 1, runsOf4: 2, masks: 3, masksWithAlpha: 6 } as const;
const DEFAULT_MASKS = {
  16: [0x7c00, 0x03e0, 0x001f, 0],
  32: [0xff0000, 0x00ff00, 0x0000ff, 0],
} as const;

const corrupt = (reason: string): MediaError => new MediaError({ code: "CORRUPT_FILE", reason });
export const truncated = (): MediaError => corrupt("it ends before the picture does");

/**
 * Reads the header of a Windows or OS/2 bitmap from the file's first bytes, at least `BITMAP_HEADER_BYTES` of them where
 * the file has as many. Rejects with CORRUPT_FILE where it contradicts itself, and where the pixels are compressed in a
 * way that bitmaps of screens and cameras are not (JPEG, PNG or fax inside, CMYK).
 */
export function readBitmapHeader(file: Buffer): BitmapHeader {
  const headerBytes = file.length >= FILE_HEADER_BYTES + 4 ? file.readUInt32LE(FILE_HEADER_BYTES) : 0;
  if (file.length < FILE_HEADER_BYTES + Math.max(headerBytes, CORE_HEADER_BYTES)) throw truncated();
  return headerBytes === CORE_HEADER_BYTES ? readCore(file) : readInfo(file, headerBytes);
}

function readCore(file: Buffer): BitmapHeader {
  const at = FILE_HEADER_BYTES;
  const bits = requireBits(file.readUInt16LE(at + 10));
  return {
    width: requireSide(file.readUInt16LE(at + 4)),
    height: requireSide(file.readUInt16LE(at + 6)),
    bits,
    compression: "none",
    masks: masksOf(bits),
    isTopDown: false,
    palette: paletteOf({ at: at + CORE_HEADER_BYTES, bits, said: 0, bytes: 3 }, file),
    pixelsAt: file.readUInt32LE(10),
  };
}

function readInfo(file: Buffer, headerBytes: number): BitmapHeader {
  const at = FILE_HEADER_BYTES;
  // The short header of OS/2 2.x ends behind the depth; whatever it leaves out is 0.
  const isShort = headerBytes < INFO_HEADER_BYTES;
  const bits = requireBits(file.readUInt16LE(at + 14));
  const height = file.readInt32LE(at + 8);
  const method = isShort ? COMPRESSION.none : file.readUInt32LE(at + 16);
  const { compression, hasMasks } = readCompression(method, bits, OS2_HEADER_BYTES.includes(headerBytes));
  const masksBehind =
    hasMasks && headerBytes < MASKS_INSIDE_BYTES ? (method === COMPRESSION.masksWithAlpha ? 16 : 12) : 0;
  const hasAlpha = headerBytes >= ALPHA_INSIDE_BYTES || masksBehind === 16;
  const palette = {
    at: at + headerBytes + masksBehind,
    bits,
    said: isShort ? 0 : file.readUInt32LE(at + 32),
    bytes: 4,
  } as const;
  return {
    width: requireSide(file.readInt32LE(at + 4)),
    height: requireSide(Math.abs(height)),
    bits,
    compression,
    masks: hasMasks ? readMasks(file, at + INFO_HEADER_BYTES, hasAlpha) : masksOf(bits),
    isTopDown: height < 0,
    palette: paletteOf(palette, file),
    pixelsAt: file.readUInt32LE(10),
  };
}

function readCompression(method: number, bits: number, isOs2: boolean) {
  if (method === COMPRESSION.none) return { compression: "none", hasMasks: false } as const;
  if (method === COMPRESSION.runsOf8 && bits === 8) return { compression: "runs", hasMasks: false } as const;
  if (method === COMPRESSION.runsOf4 && bits === 4) return { compression: "runs", hasMasks: false } as const;
  const isMasked = method === COMPRESSION.masks || method === COMPRESSION.masksWithAlpha;
  if (isMasked && !isOs2 && (bits === 16 || bits === 32)) return { compression: "none", hasMasks: true } as const;
  throw corrupt("its pixels are compressed in a way that cannot be read");
}

function readMasks(file: Buffer, at: number, hasAlpha: boolean): BitmapHeader["masks"] {
  const masks = hasAlpha ? 4 : 3;
  if (file.length < at + masks * 4) throw truncated();
  const [red = 0, green = 0, blue = 0, alpha = 0] = Array.from({ length: masks }, (_, n) =>
    file.readUInt32LE(at + n * 4),
  );
  return [red, green, blue, alpha];
}

const masksOf = (bits: BitmapHeader["bits"]): BitmapHeader["masks"] => DEFAULT_MASKS[bits === 16 ? 16 : 32];

/** As many colours as are said and can be meant; none where pixels are colours themselves. */
function paletteOf(
  { at, bits, said, bytes }: { at: number; bits: number; said: number; bytes: 3 | 4 },
  file: Buffer,
): BitmapHeader["palette"] {
  const most = bits <= 8 ? 2 ** bits : 0;
  const pixelsAt = file.readUInt32LE(10);
  const room = Math.max(0, Math.floor((pixelsAt - at) / bytes));
  return { at, colours: Math.min(most, room, said === 0 ? most : said), bytes };
}

function requireBits(bits: number): BitmapHeader["bits"] {
  if (!BITS.includes(bits)) throw corrupt("its header gives a depth that bitmaps do not have");
  return bits as BitmapHeader["bits"];
}

function requireSide(side: number): number {
  if (side < 1) throw corrupt("its header gives a size that no picture has");
  return side;
}
