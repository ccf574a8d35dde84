import sharp, { type Sharp } from "sharp";
import { decoding } from "./decode-failure.js";
import type { PictureSource } from "./decode-picture.js";
import { type Size, takePixels } from "./pixels.js";
import type { PlannedVariant } from "./variant-plan.js";

/**
 * Writes all frames at the variant's size as animated WebP to `target`; loop and delays stay. Rejects as `decoding`
 * does, for reading and writing are one stream here. Of GIF a few frames are in memory at a time; WebP's reader holds
 * all of the source's, 4 bytes a pixel: the pixel limit is the limit of memory too.
 */
export async function writeAnimation(source: PictureSource, variant: PlannedVariant, target: string): Promise<void> {
  const frames = source.header.isTurned ? await turnedFrames(source, variant) : streamedFrames(source, variant);
  const { loop, delays } = source.header;
  await decoding(
    frames
      .webp({
        quality: variant.quality,
        effort: 2,
        ...(loop === null ? {} : { loop }),
        ...(delays ? { delay: delays } : {}),
      })
      .toFile(target),
  );
}

const streamedFrames = ({ path, maxPixels }: PictureSource, { width, height, fit }: PlannedVariant): Sharp =>
  sharp(path, { animated: true, limitInputPixels: maxPixels, failOn: "error" })
    .resize(width, height, { fit })
    .toColourspace("srgb");

/** libvips sees the frames as one tall picture, which cannot be turned as a whole: each is read and turned by itself. */
async function turnedFrames(source: PictureSource, size: PlannedVariant): Promise<Sharp> {
  const frames: Buffer[] = [];
  for (let page = 0; page < source.header.frames; page++) frames.push(await turnedFrame(source, size, page));
  const { width, height } = size;
  return sharp(Buffer.concat(frames), {
    raw: { width, height: height * frames.length, channels: 4, pageHeight: height },
    limitInputPixels: source.maxPixels,
  });
}

async function turnedFrame(
  source: PictureSource,
  size: Size & { fit: "fill" | "cover" },
  page: number,
): Promise<Buffer> {
  const frame = sharp(source.path, { page, autoOrient: true, limitInputPixels: source.maxPixels, failOn: "error" });
  const { width, height, fit } = size;
  const pixels = await decoding(takePixels(frame.resize(width, height, { fit }).ensureAlpha()));
  return pixels.data;
}
