/**
 * Position in XMP, blanked without moving a byte: whole attributes (`exif:GPSLatitude="…"`) and whole elements
 * (`<exif:GPSLatitude>…</exif:GPSLatitude>`) are overwritten with spaces. Names are found anywhere in the text, not
 * through a parsed tree: readers take XMP that no XML parser would.
 */

/** How a character of XMP is laid down: bytes a character, and which of them holds ASCII. XMP part 1, 7.1. */
type Encoding = { readonly bytes: number; readonly asciiAt: number };

const UTF_8: Encoding = { bytes: 1, asciiAt: 0 };
const WIDE_ENCODINGS: readonly Encoding[] = [
  { bytes: 2, asciiAt: 0 },
  { bytes: 2, asciiAt: 1 },
  { bytes: 4, asciiAt: 0 },
  { bytes: 4, asciiAt: 3 },
];

/** In characters of the decoded text. */
type Range = { start: number; end: number };

/**
 * Local names that hold a position: exif:GPS…, drone-dji:GpsLatitude (and its maker's GpsLongtitude), Camera and Pose
 * Latitude and Longitude, geo:lat and geo:long. EXIF's ISOSpeedLatitude is about exposure.
 */
const POSITION_NAME = /^gps|(?<!isospeed)latitude|longt?itude|^(?:lat|lon|lng|long|lat_long)$/i;
const POSITION_PREFIX = /^gps/i;

/** Names are what no delimiter interrupts: readers take names that XML does not allow. */
const ATTRIBUTE = /(?<![^\s=<>"'/:])(?:([^\s=<>"'/:]{1,64}):)?([^\s=<>"'/:]{1,64})\s*=\s*(["'])/g;
const ELEMENT = /<(?:([^\s=<>"'/:]{1,64}):)?([^\s=<>"'/:]{1,64})(?=[\s/>])/g;
const PACKET_ROOTS = ["x:xmpmeta", "x:xapmeta", "rdf:RDF"] as const;
/** How far an XMP packet without an end is taken to reach, in bytes: the most a JPEG segment holds. */
const OPEN_PACKET_BYTES = 0xffff;
const MAX_PACKETS = 1024;

/** Blanks position in bytes that are XMP as a whole, in any of its encodings. True when something was blanked. */
export function blankXmp(bytes: Buffer): boolean {
  const isWide = bytes.includes("<\0") || bytes.includes("\0<");
  const encodings = isWide ? [UTF_8, ...WIDE_ENCODINGS] : [UTF_8];
  return encodings.map((encoding) => blankEncoded(bytes, encoding)).includes(true);
}

/** Blanks position in every XMP packet among other bytes. Writes nothing outside the packets. */
export function blankXmpPackets(bytes: Buffer): boolean {
  let changed = false;
  for (const encoding of [UTF_8, ...WIDE_ENCODINGS])
    for (const root of PACKET_ROOTS)
      for (const packet of findPackets(bytes, root, encoding)) changed = blankEncoded(packet, encoding) || changed;
  return changed;
}

function findPackets(bytes: Buffer, root: string, encoding: Encoding): Buffer[] {
  const opening = encode(`<${root}`, encoding);
  const closing = encode(`</${root}>`, encoding);
  const packets: Buffer[] = [];
  let start = bytes.indexOf(opening);
  let close = start;
  while (start >= 0 && packets.length < MAX_PACKETS) {
    if (close >= 0) close = bytes.indexOf(closing, start);
    const end = close < 0 ? Math.min(bytes.length, start + OPEN_PACKET_BYTES) : close + closing.length;
    packets.push(bytes.subarray(start, end));
    start = bytes.indexOf(opening, end);
  }
  return packets;
}

function blankEncoded(bytes: Buffer, encoding: Encoding): boolean {
  const ranges = positionRanges(decode(bytes, encoding));
  for (const { start, end } of ranges)
    for (let i = start; i < end; i++) {
      bytes.fill(0, i * encoding.bytes, (i + 1) * encoding.bytes);
      bytes[i * encoding.bytes + encoding.asciiAt] = 0x20;
    }
  return ranges.length > 0;
}

function positionRanges(text: string): Range[] {
  if (!/gps|itude|lat|lon|lng/i.test(text)) return [];
  return [...attributeRanges(text), ...elementRanges(text)];
}

function attributeRanges(text: string): Range[] {
  const ranges: Range[] = [];
  for (const match of text.matchAll(ATTRIBUTE)) {
    const [matched, prefix, name = "", quote = '"'] = match;
    if (prefix === "xmlns" || !holdsPosition(prefix, name)) continue;
    ranges.push({ start: match.index, end: quoteEnd(text, match.index + matched.length, quote) });
  }
  return ranges;
}

/** Behind the closing quote; where it is missing, at the next tag. */
function quoteEnd(text: string, from: number, quote: string): number {
  const close = text.indexOf(quote, from);
  if (close >= 0) return close + 1;
  const tag = text.indexOf("<", from);
  return tag < 0 ? text.length : tag;
}

function elementRanges(text: string): Range[] {
  const ranges: Range[] = [];
  let covered = 0;
  for (const match of text.matchAll(ELEMENT)) {
    const [opening, prefix, name = ""] = match;
    if (match.index < covered || !holdsPosition(prefix, name)) continue;
    covered = elementEnd(text, match.index, opening);
    ranges.push({ start: match.index, end: covered });
  }
  return ranges;
}

/** Behind the closing tag, or behind the tag itself where it is empty; an element without an end takes all that follows. */
function elementEnd(text: string, start: number, opening: string): number {
  const tagEnd = text.indexOf(">", start);
  if (tagEnd < 0) return text.length;
  if (text[tagEnd - 1] === "/") return tagEnd + 1;
  const close = text.indexOf(`</${opening.slice(1)}`, tagEnd);
  const closeEnd = close < 0 ? -1 : text.indexOf(">", close);
  return closeEnd < 0 ? text.length : closeEnd + 1;
}

const holdsPosition = (prefix: string | undefined, name: string): boolean =>
  POSITION_NAME.test(name) || (prefix !== undefined && POSITION_PREFIX.test(prefix));

/** One character for each encoded one, so that indexes times `encoding.bytes` are byte offsets. */
function decode(bytes: Buffer, encoding: Encoding): string {
  if (encoding.bytes === 1) return bytes.toString("latin1");
  const narrow = Buffer.alloc(Math.floor(bytes.length / encoding.bytes));
  for (let i = 0; i < narrow.length; i++) narrow[i] = asciiOf(bytes, i * encoding.bytes, encoding);
  return narrow.toString("latin1");
}

/** The ASCII character at `at`, or 0xff for any other. */
function asciiOf(bytes: Buffer, at: number, encoding: Encoding): number {
  for (let i = 0; i < encoding.bytes; i++) if (i !== encoding.asciiAt && bytes[at + i] !== 0) return 0xff;
  return bytes[at + encoding.asciiAt] ?? 0xff;
}

function encode(ascii: string, encoding: Encoding): Buffer {
  const bytes = Buffer.alloc(ascii.length * encoding.bytes);
  for (let i = 0; i < ascii.length; i++) bytes[i * encoding.bytes + encoding.asciiAt] = ascii.charCodeAt(i);
  return bytes;
}
