import { MediaError } from "../media/errors.js";
import type { RenderedImage, RenderedVariant, RenderJob } from "../media/ports.js";
import { writeAnimations } from "./animation.js";
import { decodePicture } from "./decode-picture.js";
import { encodeStill } from "./encode-still.js";
import { readExif } from "./exif.js";
import { blankGpsInFile } from "./gps-blank.js";
import { hashSourceSize, perceptualHash } from "./perceptual-hash.js";
import { type PictureHeader, readHeader } from "./picture-header.js";
import { variantPath } from "./pixel-messages.js";
import { dropOpaqueAlpha, openPixels, type Pixels, type Size } from "./pixels.js";
import { describeAtAGlance } from "./placeholder.js";
import { resizePixels } from "./resize.js";
import { type PlannedVariant, planVariants } from "./variant-plan.js";

/** A variant and its pixels. */
type Rendition = { variant: PlannedVariant; pixels: Pixels };

/**
 * Decodes the picture once, to the largest size anything needs, and makes the rest of it step by step, each from the
 * smallest one that is large enough. JPEG for opaque pictures, WebP where there is transparency or animation; neither
 * carries metadata. GPS is blanked last, when the picture is known to be whole.
 * Rejects with MediaError as the port says, also UNSUPPORTED_TYPE and TOO_MANY_PIXELS, before a pixel is decoded.
 */
export async function renderPicture(job: RenderJob, maxPixels: number): Promise<RenderedImage> {
  const header = await readHeader(job.path);
  requireFewPixels(header, maxPixels);
  const hashSource = hashSourceSize(header);
  const plan = planVariants(header, job.variants, hashSource);
  const base = await dropOpaqueAlpha(await decodePicture({ path: job.path, header, maxPixels }, plan.base));
  const { renditions, steps } = await stepDown(base, plan.variants, job.focalPoint);
  const perceptual = await perceptualHash(smallestCovering(steps, hashSource));
  const glance = await describeAtAGlance(steps.at(-1) ?? base);
  const variants =
    header.frames > 1
      ? await writeAnimations({ ...job, header, maxPixels }, plan, job.outputFolder)
      : await writeStills(renditions, job.outputFolder);
  const exif = await readExif(job.path, header, job.keepGps);
  const originalChanged = !job.keepGps && (await blankGpsInFile(job.path, header.contentType));
  return {
    width: header.width,
    height: header.height,
    variants,
    perceptualHash: perceptual,
    ...glance,
    exif,
    originalChanged,
  };
}

export function requireFewPixels(
  { width, height, frames }: Pick<PictureHeader, "width" | "height" | "frames">,
  maxPixels: number,
): void {
  const pixels = width * height * frames;
  if (pixels > maxPixels) throw new MediaError({ code: "TOO_MANY_PIXELS", pixels, maxPixels });
}

/** `steps` are the whole pictures, largest first, `base` among them; crops are none. */
async function stepDown(
  base: Pixels,
  variants: PlannedVariant[],
  focalPoint: RenderJob["focalPoint"],
): Promise<{ renditions: Rendition[]; steps: Pixels[] }> {
  const steps = [base];
  const renditions: Rendition[] = [];
  for (const variant of variants) {
    const pixels = await resizePixels(smallestCovering(steps, variant), variant, focalPoint);
    renditions.push({ variant, pixels });
    if (variant.fit === "fill") steps.push(pixels);
  }
  return { renditions, steps };
}

/** The plan made the first step large enough for everything. */
const smallestCovering = (steps: Pixels[], size: Size): Pixels =>
  steps.findLast(({ width, height }) => width >= size.width && height >= size.height) ?? (steps[0] as Pixels);

/** One after the other: the other core is another process's, and side by side they take a tenth more of both. */
async function writeStills(renditions: readonly Rendition[], folder: string): Promise<RenderedVariant[]> {
  const written: RenderedVariant[] = [];
  for (const rendition of renditions) written.push(await writeStill(rendition, folder));
  return written;
}

async function writeStill({ variant, pixels }: Rendition, folder: string): Promise<RenderedVariant> {
  const { name, quality, width, height } = variant;
  const contentType = pixels.channels === 4 ? "image/webp" : "image/jpeg";
  const path = variantPath(folder, { name, contentType });
  await encodeStill(openPixels(pixels), contentType, quality).toFile(path);
  return { name, path, width, height, contentType };
}
