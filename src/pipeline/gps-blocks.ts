import type { Extent } from "./gps-extents.js";
import { blankMovies } from "./gps-isobmff.js";
import { blankNamedCoordinates } from "./gps-text.js";
import { removeGps } from "./gps-tiff.js";
import { blankXmp, blankXmpPackets } from "./gps-xmp.js";

/**
 * Blanking of the metadata blocks that every container carries. Each function writes into the bytes it is given,
 * within them and without moving any, and answers whether it changed something.
 */
const EXIF_HEADER = "Exif\0\0";
export const XMP_NAMESPACE = "http://ns.adobe.com/xap/1.0/\0";

/** Photoshop image resources, by id: EXIF, EXIF 3, XMP. Adobe Photoshop file formats, image resource blocks. */
const EXIF_RESOURCES = new Set([1058, 1059]);
const XMP_RESOURCE = 1060;
const RESOURCE_SIGNATURE = /^(?:8BIM|PHUT|DCSR|AgHg|MeSa)$/;
/** Blocks lie in blocks: a thumbnail's EXIF in EXIF, EXIF in image resources in TIFF. */
const MAX_DEPTH = 2;
/** Byte order mark and version, and the whole header of a block whose first directory follows it at once. */
type TiffHeader = { mark: Buffer; usual: Buffer };
const TIFF_HEADERS: readonly TiffHeader[] = ["II*\0\b\0\0\0", "MM\0*\0\0\0\b"].map((usual) => ({
  mark: Buffer.from(usual.slice(0, 4), "latin1"),
  usual: Buffer.from(usual, "latin1"),
}));
/** What none of the searches through unknown bytes finds anything without; asked of short bytes, to be quick. */
const HINT = /II\*\0|MM\0\*|<[xr]|<\0|\0<|ftyp|itude/i;
const SHORT_BYTES = 0xffff;
/** A header and a directory of one entry. */
const MIN_EXIF_BYTES = 22;
/** How far an EXIF block is taken to reach whose end nothing tells: what a JPEG segment holds. */
const OPEN_EXIF_BYTES = 0xffff;
const MAX_OPEN_EXIF_BLOCKS = 8;

/** A whole TIFF file; what is picture in it is not searched. */
export function blankTiff(file: Buffer): boolean {
  return blankTiffBlock(file, 0);
}

/** An EXIF block with or without its `Exif` header, image resources, or XMP: whichever the first bytes say. */
export function blankBlock(block: Buffer, depth = 0): boolean {
  const start = block.toString("latin1", 0, XMP_NAMESPACE.length);
  if (start.startsWith(EXIF_HEADER)) return blankExif(block.subarray(EXIF_HEADER.length), depth);
  if (/^(?:II|MM)/.test(start)) return blankExif(block, depth);
  if (RESOURCE_SIGNATURE.test(start.slice(0, 4))) return blankImageResources(block, depth);
  if (start === XMP_NAMESPACE) return blankXmp(block.subarray(start.length));
  return [blankXmp(block), blankNamedCoordinates(block)].includes(true);
}

/** An EXIF block from its byte order mark on. An outermost one's thumbnail may have EXIF of its own. */
export function blankExif(block: Buffer, depth = 0): boolean {
  if (block.length < MIN_EXIF_BYTES) return false;
  const changed = blankTiffBlock(block, depth);
  return (depth === 0 && blankEmbeddedExif(block)) || changed;
}

function blankTiffBlock(block: Buffer, depth: number): boolean {
  const { changed, xmp, imageResources } = removeGps(block);
  const at = ({ start, end }: Extent): Buffer => block.subarray(start, end);
  const packets = xmp.map((extent) => blankXmp(at(extent)));
  const resources = depth < MAX_DEPTH ? imageResources.map((extent) => blankImageResources(at(extent), depth + 1)) : [];
  return [changed, ...packets, ...resources].includes(true);
}

/** Photoshop image resources: signature, id, padded Pascal name, length, padded data, over and over. */
export function blankImageResources(bytes: Buffer, depth = 0): boolean {
  let changed = false;
  let at = 0;
  while (at + 12 <= bytes.length && RESOURCE_SIGNATURE.test(bytes.toString("latin1", at, at + 4))) {
    const nameBytes = (bytes[at + 6] ?? 0) + 1;
    const lengthAt = at + 6 + nameBytes + (nameBytes % 2);
    if (lengthAt + 4 > bytes.length) break;
    const length = bytes.readUInt32BE(lengthAt);
    const data = bytes.subarray(lengthAt + 4, lengthAt + 4 + length);
    changed = blankResource(bytes.readUInt16BE(at + 4), data, depth) || changed;
    at = lengthAt + 4 + length + (length % 2);
  }
  return changed;
}

function blankResource(id: number, data: Buffer, depth: number): boolean {
  if (EXIF_RESOURCES.has(id)) return blankBlock(data, depth + 1);
  return id === XMP_RESOURCE ? blankXmp(data) : blankEmbeddedExif(data);
}

/** Bytes of unknown make-up: every EXIF block, XMP packet, movie and named coordinate that lies anywhere in them. */
export function blankUnknown(bytes: Buffer): boolean {
  if (bytes.length <= SHORT_BYTES && !HINT.test(bytes.toString("latin1"))) return false;
  const blankers = [blankEmbeddedExif, blankXmpPackets, blankMovies, blankNamedCoordinates];
  return blankers.map((blank) => blank(bytes)).includes(true);
}

/**
 * EXIF blocks are known by a TIFF header with `Exif` in front of it, or with the usual first offset behind it. They end
 * with the JPEG segment they stand in, if any.
 */
function blankEmbeddedExif(bytes: Buffer): boolean {
  return TIFF_HEADERS.map((header) => blankExifAt(bytes, header)).includes(true);
}

function blankExifAt(bytes: Buffer, header: TiffHeader): boolean {
  let changed = false;
  let openBlocks = 0;
  let at = bytes.indexOf(header.mark);
  while (at >= 0 && openBlocks < MAX_OPEN_EXIF_BLOCKS) {
    const hasName = bytes.toString("latin1", Math.max(0, at - EXIF_HEADER.length), at) === EXIF_HEADER;
    const segmentEnd = hasName ? segmentEndAround(bytes, at - EXIF_HEADER.length) : null;
    const isBlock = hasName || bytes.subarray(at, at + header.usual.length).equals(header.usual);
    if (isBlock) changed = blankExif(bytes.subarray(at, segmentEnd ?? at + OPEN_EXIF_BYTES), MAX_DEPTH) || changed;
    if (isBlock && segmentEnd === null) openBlocks++;
    at = bytes.indexOf(header.mark, segmentEnd ?? at + header.mark.length);
  }
  return changed;
}

/** End of the APP1 segment whose payload starts at `at`, or null where none does. */
function segmentEndAround(bytes: Buffer, at: number): number | null {
  if (at < 4 || bytes.readUInt16BE(at - 4) !== 0xffe1) return null;
  const end = at - 2 + bytes.readUInt16BE(at - 2);
  return end > at + EXIF_HEADER.length ? end : null;
}
