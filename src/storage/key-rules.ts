/** Longest key, in bytes of UTF-8: the limit of S3, so that a key fits every store. */
const MAX_KEY_BYTES = 1024;
/** Longest name of a file on Linux and macOS, in bytes (NAME_MAX). */
const MAX_SEGMENT_BYTES = 255;
/** First segments that are not the store's objects: files under way, and what ext4 keeps at the root of a disk. */
export const RESERVED_NAMES: ReadonlySet<string> = new Set([".tmp", "lost+found"]);

/**
 * The segments of an object key. Throws `TypeError` for a key that is empty, absolute or too long, whose first
 * segment is reserved, or that holds an empty, `.` or `..` segment, a backslash, a control character or half a
 * surrogate pair (two such keys would become the same bytes).
 */
export function keySegments(key: string): string[] {
  const segments = key.split("/");
  const objection = objectionTo(key, segments);
  if (objection) throw new TypeError(`Not an object key: it ${objection}.`);
  return segments;
}

export const isObjectKey = (key: string): boolean => objectionTo(key, key.split("/")) === null;

function objectionTo(key: string, segments: readonly string[]): string | null {
  if (byteLength(key) > MAX_KEY_BYTES) return `is longer than ${MAX_KEY_BYTES} bytes`;
  if (/[\p{Cc}\p{Surrogate}\\]/u.test(key)) return "holds a backslash, a control character or half a character";
  if (segments.some((s) => s === "" || s === "." || s === "..")) return "holds an empty, '.' or '..' segment";
  if (segments.some((s) => byteLength(s) > MAX_SEGMENT_BYTES)) return "holds a segment over 255 bytes";
  return RESERVED_NAMES.has(segments[0] ?? "") ? "starts with a reserved name" : null;
}

const byteLength = (text: string): number => new TextEncoder().encode(text).byteLength;

/** Orders keys by their UTF-8 bytes, as S3 lists them. JavaScript's own order differs beyond U+FFFF. */
export function compareKeys(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  let at = 0;
  while (at < shorter && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  return at === shorter ? a.length - b.length : rank(a.charCodeAt(at)) - rank(b.charCodeAt(at));
}

/** Halves of surrogate pairs stand for characters beyond U+FFFF, whose UTF-8 sorts behind all others. */
const rank = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);

export type KeyWindow = { startAfter?: string; prefix?: string };

/** Whether a key lies in the part of the listing that is asked for. */
export const isListed = (key: string, { startAfter = "", prefix = "" }: KeyWindow): boolean =>
  key.startsWith(prefix) && compareKeys(key, startAfter) > 0;
