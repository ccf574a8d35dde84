import type { Sharp } from "sharp";
import type { FocalPoint } from "../media/model.js";
import { cropAround } from "./crop.js";
import { openPixels, type Pixels, type Size, takePixels } from "./pixels.js";

/** How a picture comes to a size: `fill` gives exactly the size whatever the proportions; `cover` fills it and crops. */
export type Target = Size & { fit: "fill" | "cover" };

export async function resizePixels(
  pixels: Pixels,
  target: Target,
  focalPoint: FocalPoint | null = null,
): Promise<Pixels> {
  if (pixels.width === target.width && pixels.height === target.height) return pixels;
  return takePixels(resizeTo(openPixels(pixels), { picture: pixels, target, focalPoint }));
}

/** `picture`: the size of what comes in, upright. A crop keeps the focal point, or the middle where there is none. */
export function resizeTo(
  sharp: Sharp,
  { picture, target, focalPoint }: { picture: Size; target: Target; focalPoint: FocalPoint | null },
): Sharp {
  const { width, height, fit } = target;
  if (fit === "fill" || focalPoint === null) return sharp.resize(width, height, { fit });
  return sharp.extract(cropAround(picture, target, focalPoint)).resize(width, height, { fit: "fill" });
}
