import { blankBlock, blankUnknown } from "./gps-blocks.js";

const RIFF_HEADER_BYTES = 12;
/** Chunks that are picture or colour; all others are searched. WebP container specification, RIFF chunks. */
const PICTURE_CHUNKS = new Set(["VP8 ", "VP8L", "VP8X", "ALPH", "ANIM", "ANMF", "ICCP"]);

/** Blanks position in the EXIF, XMP and unknown chunks, in place; null when nothing was there. */
export function blankWebp(file: Buffer): Buffer | null {
  let changed = false;
  let at = RIFF_HEADER_BYTES;
  while (at + 8 <= file.length) {
    const type = file.toString("latin1", at, at + 4);
    const data = file.subarray(at + 8, at + 8 + file.readUInt32LE(at + 4));
    if (!PICTURE_CHUNKS.has(type)) changed = blankChunk(type, data) || changed;
    at += 8 + data.length + (data.length % 2);
  }
  const riffEnd = file.length < RIFF_HEADER_BYTES ? 0 : 8 + file.readUInt32LE(4);
  changed = blankUnknown(file.subarray(riffEnd)) || changed;
  return changed ? file : null;
}

/** The XMP chunk's name ends in a space; some writers end it with a zero. */
const blankChunk = (type: string, data: Buffer): boolean =>
  type === "EXIF" || type.startsWith("XMP") ? blankBlock(data) : blankUnknown(data);
