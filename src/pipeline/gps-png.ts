import { crc32 } from "node:zlib";
import { blankBlock, blankUnknown } from "./gps-blocks.js";
import { type ChunkVerdict, type InflateBudget, judgeCompressed, judgeText } from "./gps-png-text.js";

const SIGNATURE_BYTES = 8;
/** Length and type in front of a chunk's data, checksum behind it. PNG 1.2, 3.2. */
const HEAD_BYTES = 8;
const CHECKSUM_BYTES = 4;
const MAX_FILE_INFLATED_BYTES = 32 * 1024 * 1024;

type PngChunk = { type: string; start: number; end: number };

/** Chunks that are picture, colour or sequence; all others are searched. */
const PICTURE_CHUNKS = new Set([
  "IHDR",
  "PLTE",
  "IDAT",
  "IEND",
  "tRNS",
  "cHRM",
  "gAMA",
  "iCCP",
  "sBIT",
  "sRGB",
  "bKGD",
  "hIST",
  "pHYs",
  "sPLT",
  "tIME",
  "acTL",
  "fcTL",
  "fdAT",
]);

/**
 * Blanks position in EXIF, XMP, raw profiles and other text, compressed or not. Chunks are edited in place where their
 * length stays, and else written anew; all others stay byte for byte. Null when nothing was there.
 */
export function blankPng(file: Buffer): Buffer | null {
  const budget = { bytesLeft: MAX_FILE_INFLATED_BYTES };
  const written: Buffer[] = [];
  let copied = 0;
  let end = SIGNATURE_BYTES;
  for (let chunk = readChunk(file, end); chunk; chunk = chunk.type === "IEND" ? null : readChunk(file, end)) {
    end = chunk.end;
    const verdict = judge(chunk.type, dataOf(file, chunk), budget);
    if (verdict === "keep") continue;
    written.push(file.subarray(copied, chunk.start), writeChunk(file, chunk, verdict));
    copied = end;
  }
  const isTrailerChanged = blankUnknown(file.subarray(end));
  return isTrailerChanged || written.length > 0 ? Buffer.concat([...written, file.subarray(copied)]) : null;
}

/** The chunk at `start`, or null where there is no room for one. */
function readChunk(file: Buffer, start: number): PngChunk | null {
  if (start + HEAD_BYTES + CHECKSUM_BYTES > file.length) return null;
  const end = start + HEAD_BYTES + file.readUInt32BE(start) + CHECKSUM_BYTES;
  return end > file.length ? null : { type: file.toString("latin1", start + 4, start + HEAD_BYTES), start, end };
}

const dataOf = (file: Buffer, { start, end }: PngChunk): Buffer =>
  file.subarray(start + HEAD_BYTES, end - CHECKSUM_BYTES);

function judge(type: string, data: Buffer, budget: InflateBudget): ChunkVerdict {
  if (PICTURE_CHUNKS.has(type)) return "keep";
  if (type === "tEXt" || type === "zTXt" || type === "iTXt") return judgeText(type, data, budget);
  if (/^[ez]xif$/i.test(type)) return judgeExif(data, budget);
  return blankUnknown(data) ? data : "keep";
}

/** EXIF; some tools wrote it compressed, behind a zero and its length. */
function judgeExif(data: Buffer, budget: InflateBudget): ChunkVerdict {
  if (data[0] === 0) return judgeCompressed(data.subarray(0, 5), data.subarray(5), blankBlock, budget);
  return blankBlock(data) ? data : "keep";
}

function writeChunk(file: Buffer, chunk: PngChunk, verdict: ChunkVerdict): Buffer {
  if (verdict === "keep") return file.subarray(chunk.start, chunk.end);
  if (verdict === "drop") return Buffer.alloc(0);
  const written = Buffer.concat([
    file.subarray(chunk.start, chunk.start + HEAD_BYTES),
    verdict,
    Buffer.alloc(CHECKSUM_BYTES),
  ]);
  written.writeUInt32BE(verdict.length, 0);
  written.writeUInt32BE(crc32(written.subarray(4, written.length - CHECKSUM_BYTES)), written.length - CHECKSUM_BYTES);
  return written;
}
