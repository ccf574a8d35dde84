import type { MediaType } from "./attachments.js";
import { findEbmlType } from "./ebml-type.js";
import { findIsoMediaType } from "./iso-media-type.js";
import { findTextType } from "./text-type.js";

/** Every content type that can be stored: what it is, and the extension its objects carry. */
export const CONTENT_TYPES = {
  "image/jpeg": { mediaType: "IMAGE", extension: "jpg" },
  "image/png": { mediaType: "IMAGE", extension: "png" },
  "image/gif": { mediaType: "IMAGE", extension: "gif" },
  "image/webp": { mediaType: "IMAGE", extension: "webp" },
  "image/avif": { mediaType: "IMAGE", extension: "avif" },
  "image/tiff": { mediaType: "IMAGE", extension: "tiff" },
  "image/bmp": { mediaType: "IMAGE", extension: "bmp" },
  "image/heic": { mediaType: "IMAGE", extension: "heic" },
  "image/heif": { mediaType: "IMAGE", extension: "heif" },
  "video/mp4": { mediaType: "VIDEO", extension: "mp4" },
  "video/quicktime": { mediaType: "VIDEO", extension: "mov" },
  "video/x-m4v": { mediaType: "VIDEO", extension: "m4v" },
  "video/webm": { mediaType: "VIDEO", extension: "webm" },
  "video/x-matroska": { mediaType: "VIDEO", extension: "mkv" },
  "video/x-msvideo": { mediaType: "VIDEO", extension: "avi" },
} as const satisfies Record<string, { mediaType: MediaType; extension: string }>;

export type ContentType = keyof typeof CONTENT_TYPES;

const ALL_TYPES = Object.keys(CONTENT_TYPES) as readonly ContentType[];
export const ACCEPTED_IMAGE_TYPES = ALL_TYPES.filter((type) => CONTENT_TYPES[type].mediaType === "IMAGE");
export const ACCEPTED_VIDEO_TYPES = ALL_TYPES.filter((type) => CONTENT_TYPES[type].mediaType === "VIDEO");

export const isContentType = (value: string): value is ContentType => Object.hasOwn(CONTENT_TYPES, value);

/** Null for a type that is not stored. */
export const mediaTypeOf = (contentType: string): MediaType | null =>
  isContentType(contentType) ? CONTENT_TYPES[contentType].mediaType : null;

/** What the first bytes say a file is; null for everything that is not stored, however well it is known. */
export function sniffContentType(head: Uint8Array): ContentType | null {
  const type = recognise(head);
  return type !== null && isContentType(type) ? type : null;
}

/** The type of a file that is not stored, for messages; null where it is not recognised, or is stored. */
export function detectForeign(head: Uint8Array): string | null {
  const type = recognise(head);
  return type === null || isContentType(type) ? null : type;
}

/** `bytes` (Latin-1) at `at`, and where a second part is needed, that too. */
type Signature = { type: string; bytes: string; at?: number; also?: { bytes: string; at: number } };

/**
 * Magic numbers, the first match wins. Sources: PNG (W3C, 5.2 and 5.6: IHDR comes first), TIFF 6.0, GIF89a, WebP
 * container (Google), JPEG XL (ISO 18181-2), JPEG 2000 (ISO 15444-1), RFC 1952 (gzip), and the `file` program's
 * database for the rest. BigTIFF is told from TIFF by its version 43.
 */
const SIGNATURES: readonly Signature[] = [
  { type: "image/jpeg", bytes: "\xff\xd8\xff" },
  { type: "image/png", bytes: "\x89PNG\r\n\x1a\n", also: { bytes: "IHDR", at: 12 } },
  { type: "image/gif", bytes: "GIF87a" },
  { type: "image/gif", bytes: "GIF89a" },
  { type: "image/webp", bytes: "RIFF", also: { bytes: "WEBP", at: 8 } },
  { type: "video/x-msvideo", bytes: "RIFF", also: { bytes: "AVI ", at: 8 } },
  { type: "audio/wav", bytes: "RIFF", also: { bytes: "WAVE", at: 8 } },
  { type: "image/x-canon-cr2", bytes: "II*\0", also: { bytes: "CR", at: 8 } },
  { type: "image/tiff", bytes: "II*\0" },
  { type: "image/tiff", bytes: "MM\0*" },
  { type: "image/x-bigtiff", bytes: "II+\0" },
  { type: "image/x-bigtiff", bytes: "MM\0+" },
  { type: "image/jxl", bytes: "\xff\x0a" },
  { type: "image/jxl", bytes: "\0\0\0\x0cJXL \r\n\x87\n" },
  { type: "image/jp2", bytes: "\0\0\0\x0cjP  \r\n\x87\n" },
  { type: "image/j2c", bytes: "\xff\x4f\xff\x51" },
  { type: "image/vnd.adobe.photoshop", bytes: "8BPS" },
  { type: "image/x-icon", bytes: "\0\0\x01\0" },
  { type: "image/x-exr", bytes: "\x76\x2f\x31\x01" },
  { type: "application/gzip", bytes: "\x1f\x8b" },
  { type: "application/zip", bytes: "PK\x03\x04" },
  { type: "application/zip", bytes: "PK\x05\x06" },
  { type: "application/x-7z-compressed", bytes: "7z\xbc\xaf\x27\x1c" },
  { type: "application/vnd.rar", bytes: "Rar!\x1a\x07" },
  { type: "application/x-bzip2", bytes: "BZh" },
  { type: "application/x-xz", bytes: "\xfd7zXZ\0" },
  { type: "application/pdf", bytes: "%PDF-" },
  { type: "application/postscript", bytes: "%!PS" },
  { type: "application/vnd.microsoft.portable-executable", bytes: "MZ" },
  { type: "application/x-executable", bytes: "\x7fELF" },
  { type: "application/ogg", bytes: "OggS" },
  { type: "audio/mpeg", bytes: "ID3" },
  { type: "video/x-flv", bytes: "FLV\x01" },
  { type: "video/x-ms-asf", bytes: "\x30\x26\xb2\x75\x8e\x66\xcf\x11" },
  { type: "video/mpeg", bytes: "\0\0\x01\xba" },
  { type: "video/mp2t", bytes: "G", also: { bytes: "G", at: 188 } },
];

const recognise = (head: Uint8Array): string | null =>
  SIGNATURES.find((signature) => matches(head, signature))?.type ??
  findBitmapType(head) ??
  findIsoMediaType(head) ??
  findEbmlType(head) ??
  findTextType(head);

const matches = (head: Uint8Array, { bytes, at = 0, also }: Signature): boolean =>
  holds(head, bytes, at) && (!also || holds(head, also.bytes, also.at));

const holds = (head: Uint8Array, bytes: string, at: number): boolean =>
  head.length >= at + bytes.length && Array.from(bytes, (_, i) => head[at + i] === bytes.charCodeAt(i)).every(Boolean);

/** Lengths of the known information headers, OS/2 1.x to Windows V5: two letters alone are too little to go by. */
const BITMAP_HEADER_BYTES: readonly number[] = [12, 16, 40, 52, 56, 64, 108, 124];

function findBitmapType(head: Uint8Array): "image/bmp" | null {
  if (!holds(head, "BM", 0) || head.length < 18) return null;
  const headerBytes = new DataView(head.buffer, head.byteOffset).getUint32(14, true);
  return BITMAP_HEADER_BYTES.includes(headerBytes) ? "image/bmp" : null;
}
