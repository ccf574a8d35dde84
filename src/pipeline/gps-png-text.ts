import { constants, deflateSync, inflateSync } from "node:zlib";
import { blankBlock } from "./gps-blocks.js";

/** What becomes of a chunk: it stays as it is, its data is replaced, or it leaves the file. */
export type ChunkVerdict = "keep" | "drop" | Buffer;
/** Bytes that one file's chunks may still inflate to, together. */
export type InflateBudget = { bytesLeft: number };

/** tEXt, zTXt and iTXt (PNG 1.2, 4.2.3) taken apart: `head` is all before the text. */
type TextChunk = { head: Buffer; text: Buffer; isCompressed: boolean };

const MAX_INFLATED_BYTES = 16 * 1024 * 1024;
const MAX_KEYWORD_BYTES = 79;
const POSITION_KEYWORD = /gps|latitude|longt?itude/i;
/** ImageMagick's: a line with the profile's name, one with its length in bytes, then hex digits in lines. */
const RAW_PROFILE = /^raw profile type /i;
const RAW_PROFILE_HEAD = /^\n[^\n]*\n\s*\d+\n/;
const MAX_PROFILE_HEAD_BYTES = 256;
const HEX_DIGITS = "0123456789abcdef";
const NO_HEX_DIGIT = 255;
/** The value of each byte as a hex digit. */
const HEX_VALUES = new Uint8Array(256).map((_, byte) => {
  const value = HEX_DIGITS.indexOf(String.fromCharCode(byte).toLowerCase());
  return value < 0 ? NO_HEX_DIGIT : value;
});

/** Judges a text chunk. One named for a position leaves, and so does one that inflates beyond the limits. */
export function judgeText(type: string, data: Buffer, budget: InflateBudget): ChunkVerdict {
  const keywordEnd = data.indexOf(0);
  const keyword = data.toString("latin1", 0, keywordEnd < 0 ? MAX_KEYWORD_BYTES : keywordEnd);
  if (POSITION_KEYWORD.test(keyword)) return "drop";
  const chunk = readText(type, data, keywordEnd);
  if (!chunk) return "keep";
  const blank = RAW_PROFILE.test(keyword) ? blankRawProfile : blankBlock;
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
  return blank(inflated) ? Buffer.concat([head, deflateSync(inflated)]) : "keep";
}

function inflate(compressed: Buffer, maxBytes: number): Buffer | "keep" | "drop" {
  if (maxBytes < 1) return "drop";
  try {
    return inflateSync(compressed, { maxOutputLength: maxBytes, finishFlush: constants.Z_SYNC_FLUSH });
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE" ? "drop" : "keep";
  }
}

function readText(type: string, data: Buffer, keywordEnd: number): TextChunk | null {
  const textAt = type === "iTXt" ? internationalTextAt(data, keywordEnd) : keywordEnd + (type === "zTXt" ? 2 : 1);
  if (keywordEnd < 0 || textAt < 0) return null;
  const isCompressed = type === "zTXt" || (type === "iTXt" && data[keywordEnd + 1] === 1);
  return { head: data.subarray(0, textAt), text: data.subarray(textAt), isCompressed };
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
  const profile = Buffer.alloc((text.length - from) >> 1);
  const digits = eachHexDigit(text, from, (value, index) => {
    const byte = profile[index >> 1] ?? 0;
    profile[index >> 1] = (byte << 4) | value;
    return value;
  });
  const whole = profile.subarray(0, digits >> 1);
  if (!blankBlock(whole)) return false;
  eachHexDigit(text, from, (value, index) => {
    const byte = whole[index >> 1];
    return byte === undefined ? value : index % 2 === 0 ? byte >> 4 : byte & 15;
  });
  return true;
}

/** Shows each hex digit's value and index, and writes the value answered in its place. Answers how many there were. */
function eachHexDigit(text: Buffer, from: number, replace: (value: number, index: number) => number): number {
  let index = 0;
  for (let at = from; at < text.length; at++) {
    const value = HEX_VALUES[text[at] ?? 0] ?? NO_HEX_DIGIT;
    if (value === NO_HEX_DIGIT) continue;
    const replaced = replace(value, index++);
    if (replaced !== value) text[at] = HEX_DIGITS.charCodeAt(replaced);
  }
  return index;
}
