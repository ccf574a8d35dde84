import sharp, { type Metadata } from "sharp";
import { MediaError } from "../media/errors.js";
import type { ImageHeader } from "../media/ports.js";
import { BITMAP_HEADER_BYTES, readBitmapHeader } from "./bitmap-header.js";
import { profileOf } from "./code-point-profile.js";
import { readCodePoints } from "./code-points.js";
import { DECODABLE_TYPES, type DecodableType } from "./decodable-types.js";
import { decoding } from "./decode-failure.js";
import { readHead } from "./file-head.js";
import { heldPixels } from "./held-pixels.js";
import { requireFewScans } from "./jpeg-scans.js";

/** Of these every frame counts; pages of others (TIFF, MPO, HEIF) are pictures of their own, and the first is meant. */
const ANIMATED_TYPES: readonly DecodableType[] = ["image/gif", "image/webp"];

/** A profile, and the space in which the numbers are taken for it. */
export type ColourProfile = { icc: Buffer; space: "srgb" | "rgb16" | "b-w" };

/** By what sharp calls the picture's own space. */
const PROFILED_SPACES: Readonly<Record<string, ColourProfile["space"]>> = {
  srgb: "srgb",
  rgb16: "rgb16",
  "b-w": "b-w",
  grey16: "b-w",
};

/** The header as the file's own decoder reads it. Width and height are those of one frame, turned upright. */
export type PictureHeader = ImageHeader & {
  contentType: DecodableType;
  decoder: "sharp" | "hevc" | "bitmap";
  /** How stored frames must be turned or mirrored to stand upright: 1 to 8 as EXIF counts, 1 being upright. */
  orientation: number;
  /** What the numbers of a picture in grey or RGB mean; null where they are sRGB. */
  profile: ColourProfile | null;
  /** True where it is left to the decoder to follow the file's own profile. */
  isCmyk: boolean;
  /** The block as stored; null where there is none, and in TIFF, where EXIF is part of the file's own structure. */
  exif: Buffer | null;
  /** Times an animation plays, 0 for ever, and milliseconds each frame is shown. */
  loop: number | null;
  delays: number[] | null;
};

/**
 * Reads the header and no pixel, whatever the size it claims. Rejects with MediaError UNSUPPORTED_TYPE where this
 * pipeline has no decoder for the sniffed type, CORRUPT_FILE where the header is damaged or of another type, or where
 * the file is made to keep its decoder busy.
 */
export async function inspectPicture(path: string, contentType: string): Promise<ImageHeader> {
  requireDecodable(contentType);
  const { width, height, frames, heldPixels, ...header } = await readHeader(path);
  if (!isSameType(contentType, header.contentType)) {
    throw new MediaError({
      code: "CORRUPT_FILE",
      reason: `it begins like ${contentType} but is ${header.contentType}`,
    });
  }
  if (contentType === "image/jpeg") await requireFewScans(path);
  return { width, height, frames, heldPixels };
}

/** The general type says nothing of what codes its pixels. */
const isSameType = (sniffed: string, read: DecodableType): boolean =>
  sniffed === read || (sniffed === "image/heif" && (read === "image/heic" || read === "image/avif"));

/** Rejects as `inspectPicture` does. */
export async function readHeader(path: string): Promise<PictureHeader> {
  const head = await readHead(path, BITMAP_HEADER_BYTES);
  return head.toString("latin1", 0, 2) === "BM" ? describeBitmap(head) : readWithSharp(path);
}

async function readWithSharp(path: string): Promise<PictureHeader> {
  const metadata = await decoding(sharp(path, { limitInputPixels: false, failOn: "error" }).metadata());
  const contentType = requireDecodable(metadata.mediaType ?? metadata.format);
  const frames = ANIMATED_TYPES.includes(contentType) ? (metadata.pages ?? 1) : 1;
  requireKnownWhite(metadata);
  return {
    ...metadata.autoOrient,
    contentType,
    decoder: metadata.compression === "hevc" ? "hevc" : "sharp",
    frames,
    heldPixels: heldPixels(contentType, {
      ...metadata.autoOrient,
      frames,
      isInterlaced: metadata.isProgressive ?? false,
    }),
    orientation: orientationOf(metadata),
    profile: await readProfile(path, contentType, metadata),
    isCmyk: metadata.space === "cmyk",
    exif: metadata.exif ?? null,
    loop: metadata.loop ?? null,
    delays: metadata.delay ?? null,
  };
}

/** Code points are followed in PNG before a profile (W3C, PNG, 4.3), elsewhere where there is none. */
async function readProfile(path: string, type: DecodableType, { space, icc }: Metadata): Promise<ColourProfile | null> {
  const taken = PROFILED_SPACES[space];
  if (!taken) return null;
  const hasPoints = type === "image/png" || (!icc && (type === "image/avif" || type === "image/heic"));
  const points = hasPoints ? await readCodePoints(path, type) : null;
  const profile = points ? profileOf(points) : icc;
  return profile ? { icc: profile, space: taken } : null;
}

const PLAIN = { frames: 1, orientation: 1, profile: null, isCmyk: false, exif: null, loop: null, delays: null };

function describeBitmap(head: Buffer): PictureHeader {
  const { width, height } = readBitmapHeader(head);
  const held = heldPixels("image/bmp", { width, height, frames: 1, isInterlaced: false });
  return { ...PLAIN, width, height, heldPixels: held, contentType: "image/bmp", decoder: "bitmap" };
}

function requireDecodable(detected: string): DecodableType {
  const type = DECODABLE_TYPES.find((decodable) => decodable === detected);
  if (!type) throw new MediaError({ code: "UNSUPPORTED_TYPE", detected, accepted: DECODABLE_TYPES });
  return type;
}

/** TIFF's greys of 32 bits have no white of their own: what is 1 in one file is 65,535 in another. */
function requireKnownWhite({ space, depth }: Metadata): void {
  if (space === "b-w" && depth !== "uchar")
    throw new MediaError({ code: "CORRUPT_FILE", reason: "its greys are no picture's" });
}

/** Values other than 1..8 mean upright. Of HEIF sharp reports none: its decoder turns the picture itself. */
const orientationOf = ({ orientation }: Metadata): number =>
  orientation !== undefined && orientation >= 1 && orientation <= 8 ? orientation : 1;
