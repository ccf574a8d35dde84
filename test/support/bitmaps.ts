/** Writes Windows and OS/2 bitmaps of every kind, after the layout of Microsoft's "Bitmap Storage". */

/** 0..255 each. */
export type Colour = readonly [red: number, green: number, blue: number, alpha?: number];
export type ColourAt = (x: number, y: number) => Colour;

export type BitmapKind = {
  /** Length of the information header: 12 (OS/2 1.x), 40, 108 or 124. */
  header?: 12 | 40 | 108 | 124;
  bits: 1 | 4 | 8 | 16 | 24 | 32;
  /** Runs, for 4 and 8 bits. */
  isRunLength?: boolean;
  /** Masks of red, green, blue and alpha, for 16 and 32 bits. */
  masks?: readonly [number, number, number, number];
  isTopDown?: boolean;
};

type Size = { width: number; height: number };

const FILE_HEADER_BYTES = 14;

/** A bitmap of the colours; with 8 bits and fewer they must be few. */
export function writeBitmap({ width, height }: Size, colourAt: ColourAt, kind: BitmapKind): Buffer {
  const { bits, header = 40, masks, isTopDown = false } = kind;
  const palette = bits <= 8 ? paletteOf({ width, height }, colourAt) : [];
  const rows = Array.from({ length: height }, (_, row) => {
    const y = isTopDown ? row : height - 1 - row;
    return Array.from({ length: width }, (__, x) => colourAt(x, y));
  });
  const indexes = rows.map((row) => row.map((colour) => palette.indexOf(nameOf(colour))));
  const pixels = kind.isRunLength ? runs(indexes, bits) : Buffer.concat(packedRows({ rows, indexes, bits, masks }));
  const masksBehind = masks && header === 40 ? masks.slice(0, 3).map((mask) => uint32(mask)) : [];
  const colours = writePalette(palette, bits, header);
  const start = FILE_HEADER_BYTES + header + masksBehind.length * 4 + colours.length;
  const info = writeInfo({ width, height: isTopDown ? -height : height, pixelBytes: pixels.length }, kind);
  const file = Buffer.alloc(FILE_HEADER_BYTES);
  file.write("BM", "latin1");
  file.writeUInt32LE(start + pixels.length, 2);
  file.writeUInt32LE(start, 10);
  return Buffer.concat([file, info, ...masksBehind, colours, pixels]);
}

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
};

const nameOf = ([red, green, blue]: Colour): string => `${red},${green},${blue}`;

const paletteOf = ({ width, height }: Size, colourAt: ColourAt): string[] => [
  ...new Set(Array.from({ length: width * height }, (_, at) => nameOf(colourAt(at % width, Math.floor(at / width))))),
];

function writePalette(palette: readonly string[], bits: number, header: number): Buffer {
  if (bits > 8) return Buffer.alloc(0);
  const entries = Array.from({ length: 2 ** bits }, (_, at) => (palette[at] ?? "0,0,0").split(",").map(Number));
  return Buffer.concat(
    entries.map(([red = 0, green = 0, blue = 0]) => Buffer.from([blue, green, red, 0].slice(0, header === 12 ? 3 : 4))),
  );
}

function writeInfo(picture: Size & { pixelBytes: number }, kind: BitmapKind): Buffer {
  const { bits, header = 40, masks } = kind;
  const info = Buffer.alloc(header);
  info.writeUInt32LE(header, 0);
  if (header === 12) {
    info.writeUInt16LE(picture.width, 4);
    info.writeUInt16LE(picture.height, 6);
    info.writeUInt16LE(1, 8);
    info.writeUInt16LE(bits, 10);
    return info;
  }
  info.writeInt32LE(picture.width, 4);
  info.writeInt32LE(picture.height, 8);
  info.writeUInt16LE(1, 12);
  info.writeUInt16LE(bits, 14);
  info.writeUInt32LE(compressionOf(kind), 16);
  info.writeUInt32LE(picture.pixelBytes, 20);
  if (header > 40) for (const [at, mask] of (masks ?? []).entries()) info.writeUInt32LE(mask >>> 0, 40 + at * 4);
  return info;
}

/** BI_RGB, BI_RLE8, BI_RLE4, BI_BITFIELDS. */
function compressionOf({ bits, isRunLength, masks }: BitmapKind): number {
  if (isRunLength) return bits === 8 ? 1 : 2;
  return masks ? 3 : 0;
}

type Rows = { rows: Colour[][]; indexes: number[][]; bits: number; masks: BitmapKind["masks"] };

function packedRows({ rows, indexes, bits, masks }: Rows): Buffer[] {
  if (bits <= 8) return indexes.map((row) => padded(packed(row, bits)));
  return rows.map((row) => padded(Buffer.concat(row.map((colour) => direct(colour, bits, masks)))));
}

const padded = (row: Buffer): Buffer => Buffer.concat([row, Buffer.alloc((4 - (row.length % 4)) % 4)]);

function packed(row: readonly number[], bits: number): Buffer {
  const bytes = Buffer.alloc(Math.ceil((row.length * bits) / 8));
  for (const [x, index] of row.entries()) {
    const at = Math.floor((x * bits) / 8);
    bytes[at] = (bytes[at] ?? 0) | (index << (8 - bits - ((x * bits) % 8)));
  }
  return bytes;
}

/** Without masks 16 bits are five a colour, 24 and 32 blue, green, red. */
function direct([red, green, blue, alpha = 255]: Colour, bits: number, masks: BitmapKind["masks"]): Buffer {
  if (bits >= 24 && !masks) return Buffer.from([blue, green, red, 0].slice(0, bits / 8));
  const parts = [red, green, blue, alpha].map((value, at) => underMask(value, (masks ?? FIVE_EACH)[at] ?? 0));
  return uint32(parts.reduce((all, part) => (all | part) >>> 0, 0)).subarray(0, bits / 8);
}

const FIVE_EACH = [0x7c00, 0x03e0, 0x001f, 0] as const;

function underMask(value: number, mask: number): number {
  if (mask === 0) return 0;
  const shift = 31 - Math.clz32(mask & -mask);
  const most = mask >>> shift;
  return (Math.round((value / 255) * most) << shift) >>> 0;
}

const END_OF_LINE = [0, 0] as const;
const END_OF_BITMAP = [0, 1] as const;

/** Runs of one colour; of what does not repeat, runs of one pixel. */
function runs(indexes: readonly number[][], bits: number): Buffer {
  const lines = indexes.map((row) => [...encodeRow(row, bits), ...END_OF_LINE]);
  return Buffer.from([...lines.flat(), ...END_OF_BITMAP]);
}

function encodeRow(row: readonly number[], bits: number): number[] {
  const bytes: number[] = [];
  for (let x = 0; x < row.length; ) {
    const index = row[x] ?? 0;
    let length = 1;
    while (length < 255 && row[x + length] === index) length++;
    bytes.push(length, bits === 8 ? index : index * 17);
    x += length;
  }
  return bytes;
}
