import type { Attachment } from "./attachments.js";
import { detectForeign, mediaTypeOf, sniffContentType } from "./content-type.js";
import { MediaError } from "./errors.js";
import type { Limits } from "./limits.js";
import type { Deps, ImageHeader, ServiceDeps, SpooledFile } from "./ports.js";

/** A file whose type, size and dimensions are within the limits; nothing is decoded yet. */
export type InspectedFile = { file: SpooledFile; contentType: string; mediaType: "IMAGE" } & ImageHeader;

type InspectDeps = Pick<Deps, "images" | "limits">;
type AdmitDeps = Pick<ServiceDeps, "images" | "limits">;

/** What this attachment takes on this installation; null asks for any attachment. */
const acceptedTypes = ({ images }: AdmitDeps, attachment: Attachment | null): readonly string[] =>
  images.contentTypes.filter((type) => !attachment || attachment.accepts.some((taken) => taken === mediaTypeOf(type)));

/**
 * Decides by a file's first bytes, before the rest is read, how many bytes it may have. While the place is not known
 * (null) the widest limit holds, and `inspectFile` judges again. Throws UNSUPPORTED_TYPE for what is not taken here and EMPTY_FILE for no bytes at all.
 */
export function admit(
  deps: AdmitDeps,
  attachment: Attachment | null,
  head: Uint8Array,
): { contentType: string; maxBytes: number } {
  if (head.length === 0) throw new MediaError({ code: "EMPTY_FILE" });
  const contentType = sniffContentType(head);
  const accepted = acceptedTypes(deps, attachment);
  if (contentType === null || !accepted.includes(contentType))
    throw new MediaError({ code: "UNSUPPORTED_TYPE", detected: contentType ?? detectForeign(head), accepted });
  return { contentType, maxBytes: maxBytesFor(attachment, deps.limits) };
}

/**
 * The same by what is said of a file before its first byte is sent; a type of null says nothing, and the widest limit
 * of what is taken here holds. Throws UNSUPPORTED_TYPE and FILE_TOO_LARGE.
 */
export function admitDeclared(
  deps: AdmitDeps,
  attachment: Attachment,
  { contentType, fileSize }: { contentType: string | null; fileSize: number },
): void {
  const accepted = acceptedTypes(deps, attachment);
  const types = accepted.filter((type) => contentType === null || type === contentType);
  if (types.length === 0) throw new MediaError({ code: "UNSUPPORTED_TYPE", detected: contentType, accepted });
  const { videoMaxBytes } = deps.limits;
  const imageMaxBytes = maxBytesFor(attachment, deps.limits);
  const maxBytes = Math.max(...types.map((type) => (mediaTypeOf(type) === "VIDEO" ? videoMaxBytes : imageMaxBytes)));
  if (fileSize > maxBytes) throw new MediaError({ code: "FILE_TOO_LARGE", maxBytes });
}

const maxBytesFor = (attachment: Attachment | null, limits: Limits): number =>
  attachment?.imageLimit === "avatar" ? limits.avatarMaxBytes : limits.imageMaxBytes;

/** The most bytes any file may have here, for judging a declared length; null asks for any attachment. */
export function maxUploadBytes(attachment: Attachment | null, limits: Limits): number {
  const image = maxBytesFor(attachment, limits);
  return !attachment || attachment.accepts.includes("VIDEO") ? Math.max(image, limits.videoMaxBytes) : image;
}

/**
 * Type, size and header against the limits, before any pixel is decoded.
 * Throws EMPTY_FILE, UNSUPPORTED_TYPE, FILE_TOO_LARGE, BAD_DIMENSIONS, TOO_MANY_PIXELS, CORRUPT_FILE.
 */
export async function inspectFile(
  deps: InspectDeps,
  attachment: Attachment,
  file: SpooledFile,
): Promise<InspectedFile> {
  const { contentType, maxBytes } = admit(deps, attachment, file.head);
  if (file.size > maxBytes) throw new MediaError({ code: "FILE_TOO_LARGE", maxBytes });
  const header = await deps.images.inspect(file.path, contentType);
  checkDimensions(header, attachment, deps.limits);
  return { file, contentType, mediaType: "IMAGE", ...header };
}

function checkDimensions({ width, height, frames }: ImageHeader, attachment: Attachment, limits: Limits): void {
  const minSide = attachment.kind === "slot" ? limits.slotMinSide : limits.minSide;
  const { maxSide } = limits;
  if (Math.min(width, height) < minSide || Math.max(width, height) > maxSide)
    throw new MediaError({ code: "BAD_DIMENSIONS", width, height, minSide, maxSide });
  const maxPixels = frames > 1 ? limits.maxAnimatedPixels : limits.maxPixels;
  const pixels = width * height * frames;
  if (pixels > maxPixels) throw new MediaError({ code: "TOO_MANY_PIXELS", pixels, maxPixels });
}
