import type { Sharp } from "sharp";
import type { DeriveJob } from "../media/ports.js";
import type { RenditionType } from "../media/rendition-ports.js";
import { decodePicture } from "./decode-picture.js";
import { readHeader } from "./picture-header.js";
import { derivedPath } from "./pixel-messages.js";
import { dropOpaqueAlpha, flattenPixels, openPixels, type Pixels, type Size } from "./pixels.js";
import { requireFewPixels } from "./render.js";
import { resizePixels } from "./resize.js";

/**
 * AVIF at effort 0, which is a fortieth of the time of effort 4 for files an eighth larger; WebP at 2, as for variants.
 */
const ENCODERS: Record<RenditionType, (picture: Sharp, quality: number) => Sharp> = {
  "image/avif": (picture, quality) => picture.avif({ quality, effort: 0 }),
  "image/webp": (picture, quality) => picture.webp({ quality, effort: 2 }),
  "image/jpeg": (picture, quality) => picture.jpeg({ quality, progressive: true }),
};

/**
 * Decodes the first frame to the size that is needed and writes one file, without metadata. Rejects as `renderPicture`
 * does. A size that would enlarge the picture is an error of the caller's.
 */
export async function derivePicture(job: DeriveJob, maxPixels: number): Promise<null> {
  const { path, width, height, contentType, quality, focalPoint } = job;
  const header = await readHeader(path);
  requireFewPixels({ ...header, frames: 1 }, maxPixels);
  if (width > header.width || height > header.height) throw new Error(`no ${width} x ${height} without enlarging`);
  const whole = await decodePicture({ path, header, maxPixels }, sizeCovering(header, { width, height }));
  const cropped = await resizePixels(whole, { width, height, fit: "attention" }, focalPoint);
  const pixels = await asEncodable(cropped, contentType);
  await ENCODERS[contentType](openPixels(pixels), quality).toFile(derivedPath(job));
  return null;
}

/** The whole picture at the smallest size that covers `wanted`; `wanted` itself where the proportions are the same. */
function sizeCovering(picture: Size, wanted: Size): Size {
  const shrink = Math.min(picture.width / wanted.width, picture.height / wanted.height);
  return {
    width: Math.max(wanted.width, Math.round(picture.width / shrink)),
    height: Math.max(wanted.height, Math.round(picture.height / shrink)),
  };
}

/** JPEG has no alpha: what is transparent lies on white there. */
const asEncodable = (pixels: Pixels, contentType: RenditionType): Promise<Pixels> =>
  contentType === "image/jpeg" ? flattenPixels(pixels) : dropOpaqueAlpha(pixels);
