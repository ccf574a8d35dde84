import type { Extent } from "./gps-extents.js";

/**
 * Reading of TIFF 6.0 and BigTIFF image file directories in a block that may be damaged: nothing here throws, and
 * what lies outside the block reads as OUTSIDE. Offsets count from the block's first byte, the byte order mark.
 */
export type TiffView = {
  readonly block: Buffer;
  readonly littleEndian: boolean;
  /** Bytes of an entry count, of an entry, and of a count or offset. */
  readonly countBytes: 2 | 8;
  readonly entryBytes: 12 | 20;
  readonly wordBytes: 4 | 8;
};

/** A directory: `declared` is what its count says, `held` is how many entries have room in the block. */
export type Ifd = { start: number; entriesAt: number; declared: number; held: number; end: number };

export type IfdEntry = {
  at: number;
  tag: number;
  type: number;
  count: number;
  /** Where the value lies, in the entry or elsewhere; null where type or place make no sense. */
  value: Extent | null;
  isInline: boolean;
};

/** Bytes of one value, by type. 1..12 are TIFF 6.0's, 13 is IFD, 16..18 are BigTIFF's LONG8, SLONG8 and IFD8. */
const TYPE_BYTES: Readonly<Record<number, number>> = {
  1: 1,
  2: 1,
  3: 2,
  4: 4,
  5: 8,
  6: 1,
  7: 1,
  8: 2,
  9: 4,
  10: 8,
  11: 4,
  12: 8,
  13: 4,
  16: 8,
  17: 8,
  18: 8,
};
const WHOLE_NUMBER_TYPES = new Set([1, 3, 4, 6, 8, 9, 13, 16, 17, 18]);
const BIG_TIFF_VERSION = 43;
const BIG_TIFF_WORD_BYTES = 8;
const OUTSIDE = -1;

/**
 * The block in its byte order. A block that starts with neither `II` nor `MM` comes in both: there are readers which
 * take any other mark for big endian. No other version than BigTIFF's is asked for, as readers do not.
 */
export function tiffViews(block: Buffer): TiffView[] {
  const mark = block.toString("latin1", 0, 2);
  const orders = mark === "II" ? [true] : mark === "MM" ? [false] : [false, true];
  return orders.map((littleEndian) => {
    const classic: TiffView = { block, littleEndian, countBytes: 2, entryBytes: 12, wordBytes: 4 };
    const isBig = readUint(classic, 2, 2) === BIG_TIFF_VERSION && readUint(classic, 4, 2) === BIG_TIFF_WORD_BYTES;
    return isBig ? { ...classic, countBytes: 8, entryBytes: 20, wordBytes: 8 } : classic;
  });
}

/** Length of the header, which ends with the offset of the first directory. */
export const headerBytes = (view: TiffView): number => 2 * view.wordBytes;
export const firstIfd = (view: TiffView): number => readUint(view, view.wordBytes, view.wordBytes);

/** The directory at `start`, or null where none can be. */
export function readIfd(view: TiffView, start: number): Ifd | null {
  const declared = readUint(view, start, view.countBytes);
  if (declared <= 0) return null;
  const entriesAt = start + view.countBytes;
  const held = Math.min(declared, Math.floor((view.block.length - entriesAt) / view.entryBytes));
  return { start, entriesAt, declared, held, end: entriesAt + held * view.entryBytes };
}

/** Offset of the directory that follows, 0 for none. */
export function nextIfd(view: TiffView, ifd: Ifd): number {
  return ifd.held < ifd.declared ? 0 : Math.max(0, readUint(view, ifd.end, view.wordBytes));
}

export function readEntry(view: TiffView, ifd: Ifd, index: number): IfdEntry {
  const at = ifd.entriesAt + index * view.entryBytes;
  const type = readUint(view, at + 2, 2);
  const count = readUint(view, at + 4, view.wordBytes);
  const size = (TYPE_BYTES[type] ?? 0) * count;
  const isInline = size <= view.wordBytes;
  const start = isInline ? at + 4 + view.wordBytes : entryWord(view, at);
  const value = size > 0 && start + size <= view.block.length ? { start, end: start + size } : null;
  return { at, tag: readUint(view, at, 2), type, count, value, isInline };
}

/** The last field of the entry at `at`, read as an offset. */
export const entryWord = (view: TiffView, at: number): number =>
  readUint(view, at + 4 + view.wordBytes, view.wordBytes);

/** The entry's first values as whole numbers, at most `limit`; its last field where the type has no whole numbers. */
export function wholeNumbers(view: TiffView, entry: IfdEntry, limit: number): number[] {
  const bytes = TYPE_BYTES[entry.type] ?? 0;
  if (!entry.value || !WHOLE_NUMBER_TYPES.has(entry.type)) return [entryWord(view, entry.at)];
  const { start } = entry.value;
  return Array.from({ length: Math.min(entry.count, limit) }, (_, i) => readUint(view, start + i * bytes, bytes));
}

/** Takes entries out of a directory that has room for all it declares: those behind move up, the count and the link to the next directory follow. */
export function dropEntries(view: TiffView, ifd: Ifd, dropped: ReadonlySet<number>): void {
  const { block, wordBytes } = view;
  const hasLink = ifd.end + wordBytes <= block.length;
  const oldEnd = ifd.end + (hasLink ? wordBytes : 0);
  const staying = Array.from({ length: ifd.held }, (_, i) => i).filter((i) => !dropped.has(i));
  const packed = Buffer.concat([
    ...staying.map((i) =>
      block.subarray(ifd.entriesAt + i * view.entryBytes, ifd.entriesAt + (i + 1) * view.entryBytes),
    ),
    block.subarray(ifd.end, oldEnd),
  ]);
  block.fill(0, ifd.entriesAt, oldEnd);
  packed.copy(block, ifd.entriesAt);
  writeUint(view, ifd.start, view.countBytes, ifd.declared - dropped.size);
}

/** An unsigned number of 1, 2, 4 or 8 bytes; OUTSIDE where it does not lie in the block. */
function readUint({ block, littleEndian }: TiffView, at: number, bytes: number): number {
  if (!(at >= 0 && at + bytes <= block.length)) return OUTSIDE;
  if (bytes === 8) return Number(littleEndian ? block.readBigUInt64LE(at) : block.readBigUInt64BE(at));
  return littleEndian ? block.readUIntLE(at, bytes) : block.readUIntBE(at, bytes);
}

function writeUint({ block, littleEndian }: TiffView, at: number, bytes: 2 | 8, value: number): void {
  const number = Buffer.alloc(bytes);
  number.writeUIntBE(value, Math.max(0, bytes - 6), Math.min(bytes, 6));
  block.set(littleEndian ? number.reverse() : number, at);
}
