import sharp, { type Sharp } from "sharp";
import type { RenderJob } from "../media/ports.js";
import { decoding } from "./decode-failure.js";
import type { PictureSource } from "./decode-picture.js";
import { takePixels } from "./pixels.js";
import { resizeTo, type Target } from "./resize.js";
import type { PlannedVariant } from "./variant-plan.js";

type AnimationSource = PictureSource & Pick<RenderJob, "focalPoint">;
/** The longest delay in milliseconds, and the most plays, that the writer takes; GIF and WebP may say more of both. */
const MOST = 65_535;

/**
 * Writes all frames at the variant's size as animated WebP to `target`; loop and delays stay, up to MOST. Rejects as
 * `decoding` does, for reading and writing are one stream here. Of GIF a few frames are in memory at a time; WebP's
 * reader holds all of the source's, 4 bytes a pixel: the pixel limit is the limit of memory too.
 */
export async function writeAnimation(source: AnimationSource, variant: PlannedVariant, target: string): Promise<void> {
  const frames = source.header.isTurned ? await turnedFrames(source, variant) : streamedFrames(source, variant);
  const { loop, delays } = source.header;
  await decoding(
    frames
      .webp({
        quality: variant.quality,
        effort: 2,
        ...(loop === null ? {} : { loop: Math.min(loop, MOST) }),
        ...(delays ? { delay: delays.map((delay) => Math.min(delay, MOST)) } : {}),
      })
      .toFile(target),
  );
}

function streamedFrames({ path, header, maxPixels, focalPoint }: AnimationSource, target: Target): Sharp {
  const frames = sharp(path, { animated: true, limitInputPixels: maxPixels, failOn: "error" });
  return resizeTo(frames, { picture: header, target, focalPoint }).toColourspace("srgb");
}

/** libvips sees the frames as one tall picture, which cannot be turned as a whole: each is read and turned by itself. */
async function turnedFrames(source: AnimationSource, size: Target): Promise<Sharp> {
  const frames: Buffer[] = [];
  for (let page = 0; page < source.header.frames; page++) frames.push(await turnedFrame(source, size, page));
  const { width, height } = size;
  return sharp(Buffer.concat(frames), {
    raw: { width, height: height * frames.length, channels: 4, pageHeight: height },
    limitInputPixels: source.maxPixels,
  });
}

async function turnedFrame(source: AnimationSource, target: Target, page: number): Promise<Buffer> {
  const { path, header, maxPixels, focalPoint } = source;
  const frame = sharp(path, { page, autoOrient: true, limitInputPixels: maxPixels, failOn: "error" });
  const resized = resizeTo(frame, { picture: header, target, focalPoint });
  const pixels = await decoding(takePixels(resized.ensureAlpha()));
  return pixels.data;
}
