import sharp from "sharp";
import type { RenderedVariant, RenderJob } from "../media/ports.js";
import { decoding } from "./decode-failure.js";
import type { PictureSource } from "./decode-picture.js";
import { variantPath } from "./pixel-messages.js";
import { openPixels, type Pixels, type Size, takePixels } from "./pixels.js";
import { resizePixels } from "./resize.js";
import type { PlannedVariant, VariantPlan } from "./variant-plan.js";

type AnimationSource = PictureSource & Pick<RenderJob, "focalPoint">;

/**
 * Frames times pixels of a variant at most, 4 bytes each in memory; a longer animation is shown smaller. With it 66
 * frames of 3 megapixels, the most there may be, are worked off well within the deadline; see decision 30.
 */
const MAX_PIXELS = 60_000_000;

/** The longest delay in milliseconds, and the most plays, that the writer takes; GIF and WebP may say more of both. */
const MOST = 65_535;

/** From so many pixels on WebP is written with no effort: a fifth quicker and a sixth longer. */
const MANY_PIXELS = 16_000_000;

/**
 * Writes every variant as animated WebP with the loop and delays of the source, up to MOST. The source is decoded once;
 * each variant is as large as planned or, where there are too many frames for that, as large as all of them can be.
 * Rejects as `decoding` does. Of GIF a few frames are in memory at a time beside the shrunk ones; WebP's reader holds all of the source's, 4 bytes
 * a pixel: the pixel limit is the limit of memory too.
 */
export async function writeAnimations(
  source: AnimationSource,
  { base, variants }: VariantPlan,
  folder: string,
): Promise<RenderedVariant[]> {
  const frames = await decodeFrames(source, sizeForAll(base, source.header.frames));
  const written: RenderedVariant[] = [];
  for (const variant of variants) {
    const { name, fit } = variant;
    const { width, height } = fit === "fill" ? smaller(variant, frames[0] ?? base) : variant;
    const path = variantPath(folder, { name, contentType: "image/webp" });
    await writeFrames(source, frames, { ...variant, width, height }, path);
    written.push({ name, path, width, height, contentType: "image/webp" });
  }
  return written;
}

/** The size itself, or the largest of its proportions at which so many frames can be worked on. */
export function sizeForAll({ width, height }: Size, frames: number): Size {
  const scale = Math.min(1, Math.sqrt(MAX_PIXELS / (width * height * frames)));
  return { width: Math.max(1, Math.floor(width * scale)), height: Math.max(1, Math.floor(height * scale)) };
}

const smaller = (one: Size, other: Size): Size => (one.width > other.width || one.height > other.height ? other : one);

/** All frames, upright, at the size. libvips reads them as one tall picture, which cannot be turned as a whole. */
async function decodeFrames({ path, header, maxPixels }: PictureSource, size: Size): Promise<Pixels[]> {
  const { orientation, frames } = header;
  const isSideways = orientation >= 5;
  const stored = isSideways ? { width: size.height, height: size.width } : size;
  const tall = sharp(path, { animated: true, limitInputPixels: maxPixels, failOn: "error" });
  const { data } = await decoding(takePixels(tall.resize(stored.width, stored.height, { fit: "fill" }).ensureAlpha()));
  const bytes = stored.width * stored.height * 4;
  const upright: Pixels[] = [];
  for (let frame = 0; frame < frames; frame++) {
    const pixels = data.subarray(frame * bytes, (frame + 1) * bytes);
    upright.push(await turned({ ...stored, data: pixels, channels: 4 }, orientation));
  }
  return upright;
}

/** What a viewer does by EXIF 2.32, tag 0x0112: a turn clockwise, then a mirror. */
const TURNS: Readonly<Record<number, { degrees: number; isMirrored: boolean }>> = {
  2: { degrees: 0, isMirrored: true },
  3: { degrees: 180, isMirrored: false },
  4: { degrees: 180, isMirrored: true },
  5: { degrees: 90, isMirrored: true },
  6: { degrees: 90, isMirrored: false },
  7: { degrees: 270, isMirrored: true },
  8: { degrees: 270, isMirrored: false },
};

async function turned(pixels: Pixels, orientation: number): Promise<Pixels> {
  const turn = TURNS[orientation];
  if (!turn) return pixels;
  const upright = turn.degrees === 0 ? pixels : await takePixels(openPixels(pixels).rotate(turn.degrees));
  return turn.isMirrored ? takePixels(openPixels(upright).flop()) : upright;
}

async function writeFrames(
  { header, maxPixels, focalPoint }: AnimationSource,
  frames: readonly Pixels[],
  { width, height, fit, quality }: PlannedVariant,
  path: string,
): Promise<void> {
  const resized: Buffer[] = [];
  for (const frame of frames) resized.push((await resizePixels(frame, { width, height, fit }, focalPoint)).data);
  const raw = { width, height: height * resized.length, channels: 4, pageHeight: height } as const;
  const effort = width * height * resized.length > MANY_PIXELS ? 0 : 2;
  const { loop, delays } = header;
  await sharp(Buffer.concat(resized), { raw, limitInputPixels: maxPixels })
    .webp({
      quality,
      effort,
      ...(loop === null ? {} : { loop: Math.min(loop, MOST) }),
      ...(delays ? { delay: delays.map((delay) => Math.min(delay, MOST)) } : {}),
    })
    .toFile(path);
}
