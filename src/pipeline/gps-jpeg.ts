import { createHash } from "node:crypto";
import { blankExif, blankImageResources, blankUnknown, XMP_NAMESPACE } from "./gps-blocks.js";
import { type Extent, editGathered } from "./gps-extents.js";
import { type JpegImage, type JpegSegment, readJpegImage } from "./gps-jpeg-segments.js";
import { blankXmp } from "./gps-xmp.js";

const APP1 = 0xe1;
const APP13 = 0xed;
const IMAGE_RESOURCES_HEADER = "Photoshop 3.0\0";
/** XMP part 3, 1.1.3.1: namespace, 32 hex digits of MD5 over the whole, its length, this part's offset. */
const EXTENDED_XMP_HEADER = "http://ns.adobe.com/xmp/extension/\0";
const DIGEST_CHARACTERS = 32;
const EXTENDED_XMP_HEADER_BYTES = EXTENDED_XMP_HEADER.length + DIGEST_CHARACTERS + 8;
/** An image has one extended XMP; more are damage, and are searched like any other segment. */
const MAX_EXTENDED_GROUPS = 16;
/** As lenient as the readers: the second zero may differ, the case too, and four odd bytes may come first. */
const LENIENT_EXIF_HEADER = /^.{0,4}?exif\0./is;
const TIFF_HEADER = /^(?:II\*\0|MM\0\*)/;

type ExtendedPart = Extent & { digest: string; offset: number };

/**
 * Blanks position in every image of a JPEG file and in all that stands between and behind them: second pictures of
 * multi-picture files, gain maps, motion photos, camera trailers. Changes `file` in place; null when nothing was there.
 */
export function blankJpeg(file: Buffer): Buffer | null {
  let changed = false;
  const first = readJpegImage(file, 0);
  for (let image: JpegImage | null = first; image; image = nextImage(file, image.end))
    changed = blankImage(file, image) || changed;
  changed = blankUnknown(file.subarray(first.end)) || changed;
  return changed ? file : null;
}

function nextImage(file: Buffer, from: number): JpegImage | null {
  const start = file.indexOf("\xff\xd8\xff", from, "latin1");
  return start < 0 ? null : readJpegImage(file, start);
}

function blankImage(file: Buffer, { segments, loose }: JpegImage): boolean {
  const isExif = (segment: JpegSegment): boolean => exifHeaderBytes(file, segment) > 0;
  const done = [blankExifSegments(file, segments), blankExtendedXmp(file, segments), blankResources(file, segments)];
  for (const segment of segments) {
    if (segment.marker === APP1 && !isExif(segment)) done.push(blankXmpSegment(file, segment));
    if (!isExif(segment)) done.push(blankUnknown(file.subarray(segment.start, segment.end)));
  }
  for (const { start, end } of loose) done.push(blankUnknown(file.subarray(start, end)));
  return done.includes(true);
}

const startsWith = (file: Buffer, { start }: Extent, header: string): boolean =>
  file.toString("latin1", start, start + header.length) === header;

/** Length of the EXIF header the segment starts with, 0 where it holds something else. */
function exifHeaderBytes(file: Buffer, { marker, start, end }: JpegSegment): number {
  if (marker !== APP1) return 0;
  return LENIENT_EXIF_HEADER.exec(file.toString("latin1", start, Math.min(end, start + 10)))?.[0].length ?? 0;
}

/** A segment right behind one with EXIF, with the header but no TIFF header, continues its block. */
function blankExifSegments(file: Buffer, segments: readonly JpegSegment[]): boolean {
  const blocks: Extent[][] = [];
  let previousEnd = -1;
  for (const segment of segments) {
    const header = exifHeaderBytes(file, segment);
    if (header === 0) continue;
    const part = { start: segment.start + header, end: segment.end };
    const block = blocks.at(-1);
    const isFirst = TIFF_HEADER.test(file.toString("latin1", part.start, part.start + 4));
    if (block && !isFirst && segment.start - 4 === previousEnd) block.push(part);
    else blocks.push([part]);
    previousEnd = segment.end;
  }
  return blocks.map((block) => editGathered(file, block, blankExif)).includes(true);
}

function blankXmpSegment(file: Buffer, segment: JpegSegment): boolean {
  const start = segment.start + (startsWith(file, segment, XMP_NAMESPACE) ? XMP_NAMESPACE.length : 0);
  return blankXmp(file.subarray(start, segment.end));
}

/** Image resources longer than a segment go on in the next one. */
function blankResources(file: Buffer, segments: readonly JpegSegment[]): boolean {
  const parts = segments
    .filter((segment) => segment.marker === APP13 && startsWith(file, segment, IMAGE_RESOURCES_HEADER))
    .map(({ start, end }) => ({ start: start + IMAGE_RESOURCES_HEADER.length, end }));
  return editGathered(file, parts, (block) => blankImageResources(block));
}

/** Extended XMP, put together by offset, and as it stands in the file, since readers do either. */
function blankExtendedXmp(file: Buffer, segments: readonly JpegSegment[]): boolean {
  const xmp = segments.filter((segment) => segment.marker === APP1);
  const groups = new Map<string, ExtendedPart[]>();
  for (const segment of xmp.filter((one) => startsWith(file, one, EXTENDED_XMP_HEADER))) {
    const part = readExtendedPart(file, segment);
    if (!part) continue;
    const group = groups.get(part.digest);
    if (group) group.push(part);
    else groups.set(part.digest, [part]);
  }
  const used = [...groups.values()].slice(0, MAX_EXTENDED_GROUPS);
  return used.map((parts) => blankExtendedGroup(file, parts, xmp)).includes(true);
}

function readExtendedPart(file: Buffer, { start, end }: JpegSegment): ExtendedPart | null {
  if (end - start <= EXTENDED_XMP_HEADER_BYTES) return null;
  const digestAt = start + EXTENDED_XMP_HEADER.length;
  return {
    digest: file.toString("latin1", digestAt, digestAt + DIGEST_CHARACTERS),
    offset: file.readUInt32BE(digestAt + DIGEST_CHARACTERS + 4),
    start: start + EXTENDED_XMP_HEADER_BYTES,
    end,
  };
}

/** A digest that was right is renewed, in the parts it stands in and in the main packet that names it. */
function blankExtendedGroup(file: Buffer, parts: readonly ExtendedPart[], xmp: readonly Extent[]): boolean {
  const byOffset = [...parts].sort((a, b) => a.offset - b.offset);
  const before = md5Of(file, byOffset);
  const changed = [byOffset, parts].map((order) => editGathered(file, order, blankXmp)).includes(true);
  const digest = parts[0]?.digest ?? "";
  const renewed = md5Of(file, byOffset);
  if (changed && digest.toUpperCase() === before)
    for (const { start, end } of xmp) replaceAll(file.subarray(start, end), digest, renewed);
  return changed;
}

function replaceAll(bytes: Buffer, text: string, replacement: string): void {
  for (let at = bytes.indexOf(text, 0, "latin1"); at >= 0; at = bytes.indexOf(text, at + text.length, "latin1"))
    bytes.write(replacement, at, "latin1");
}

function md5Of(file: Buffer, parts: readonly Extent[]): string {
  const hash = createHash("md5");
  for (const { start, end } of parts) hash.update(file.subarray(start, end));
  return hash.digest("hex").toUpperCase();
}
