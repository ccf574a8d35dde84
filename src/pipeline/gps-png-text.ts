import { constants, deflateSync, inflateSync } from "node:zlib";
import { blankBlock } from "./gps-blocks.js";

/** What becomes of a chunk: it stays as it is, its data is replaced, or it leaves the file. */
export type ChunkVerdict = "keep" | "drop" | Buffer;
/** Bytes that one file's chunks may still inflate to, together. */
export type InflateBudget = { bytesLeft: number };

/** tEXt, zTXt and iTXt (PNG 1.2, 4.2.3) taken apart: `head` is all before the text. */
type TextChunk = { keyword: string; head: Buffer; text: Buffer; isCompressed: boolean };

const MAX_INFLATED_BYTES = 16 * 1024 * 1024;
const POSITION_KEYWORD = /gps|latitude|longt?itude/i;
/** ImageMagick's: a line with the profile's name, one with its length in bytes, then hex digits in lines. */
const RAW_PROFILE = /^raw profile type /i;
const RAW_PROFILE_HEAD = /^\n[^\n]*\n\s*\d+\n/;
const MAX_PROFILE_HEAD_BYTES = 256;

/** Judges a text chunk. One named for a position leaves, and so does one that inflates beyond the limits. */
export function judgeText(type: string, data: Buffer, budget: InflateBudget): ChunkVerdict {
  const chunk = readText(type, data);
  if (!chunk) return "keep";
  if (POSITION_KEYWORD.test(chunk.keyword)) return "drop";
  const blank = RAW_PROFILE.test(chunk.keyword) ? blankRawProfile : blankBlock;
  if (chunk.isCompressed) return judgeCompressed(chunk.head, chunk.text, blank, budget);
  return blank(chunk.text) ? data : "keep";
}

/** Judges zlib data behind `head`; what cannot be inflated cannot be read by anyone and stays. */
export function judgeCompressed(
  head: Buffer,
  compressed: Buffer,
  blank: (bytes: Buffer) => boolean,
  budget: InflateBudget,
): ChunkVerdict {
  const inflated = inflate(compressed, Math.min(MAX_INFLATED_BYTES, budget.bytesLeft));
  if (typeof inflated === "string") return inflated;
  budget.bytesLeft -= inflated.length;
  return blank(inflated) ? Buffer.concat([head, deflateSync(inflated, { level: 9 })]) : "keep";
}

function inflate(compressed: Buffer, maxBytes: number): Buffer | "keep" | "drop" {
  if (maxBytes < 1) return "drop";
  try {
    return inflateSync(compressed, { maxOutputLength: maxBytes, finishFlush: constants.Z_SYNC_FLUSH });
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE" ? "drop" : "keep";
  }
}

function readText(type: string, data: Buffer): TextChunk | null {
  const keywordEnd = data.indexOf(0);
  const textAt = type === "iTXt" ? internationalTextAt(data, keywordEnd) : keywordEnd + (type === "zTXt" ? 2 : 1);
  if (keywordEnd < 0 || textAt < 0) return null;
  const isCompressed = type === "zTXt" || (type === "iTXt" && data[keywordEnd + 1] === 1);
  const keyword = data.toString("latin1", 0, keywordEnd);
  return { keyword, head: data.subarray(0, textAt), text: data.subarray(textAt), isCompressed };
}

/** Behind the two compression bytes, the language tag and the translated keyword; -1 where they do not end. */
function internationalTextAt(data: Buffer, keywordEnd: number): number {
  const languageEnd = data.indexOf(0, keywordEnd + 3);
  const translatedEnd = languageEnd < 0 ? -1 : data.indexOf(0, languageEnd + 1);
  return translatedEnd < 0 ? -1 : translatedEnd + 1;
}

/** Decodes the hex digits, blanks, and writes the digits back to their places. */
function blankRawProfile(text: Buffer): boolean {
  const from = RAW_PROFILE_HEAD.exec(text.toString("latin1", 0, MAX_PROFILE_HEAD_BYTES))?.[0].length ?? 0;
  const digits = text.subarray(from).filter(isHexDigit);
  const profile = Buffer.from(Buffer.from(digits).toString("latin1"), "hex");
  if (!blankBlock(profile)) return false;
  const blanked = Buffer.from(profile.toString("hex"), "latin1");
  let next = 0;
  for (let at = from; at < text.length && next < blanked.length; at++)
    if (isHexDigit(text[at] ?? 0)) text[at] = blanked[next++] ?? 0;
  return true;
}

const isHexDigit = (byte: number): boolean =>
  (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66);
