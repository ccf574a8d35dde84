import type { Sharp } from "sharp";
import type { FocalPoint } from "../media/model.js";
import { cropAround } from "./crop.js";
import { openPixels, type Pixels, type Size, takePixels } from "./pixels.js";

/**
 * How a picture comes to a size: `fill` gives exactly the size whatever the proportions; `cover` and `attention` fill it
 * and crop, where nobody said what to keep around the middle or around what catches the eye, which is libvips' measure
 * of edges, saturation and skin.
 */
export type Target = Size & { fit: "fill" | "cover" | "attention" };

export async function resizePixels(
  pixels: Pixels,
  target: Target,
  focalPoint: FocalPoint | null = null,
): Promise<Pixels> {
  if (pixels.width === target.width && pixels.height === target.height) return pixels;
  return takePixels(resizeTo(openPixels(pixels), { picture: pixels, target, focalPoint }));
}

/** `picture`: the size of what comes in, upright. */
function resizeTo(
  sharp: Sharp,
  { picture, target, focalPoint }: { picture: Size; target: Target; focalPoint: FocalPoint | null },
): Sharp {
  const { width, height, fit } = target;
  if (fit === "fill") return sharp.resize(width, height, { fit });
  if (focalPoint !== null)
    return sharp.extract(cropAround(picture, target, focalPoint)).resize(width, height, { fit: "fill" });
  return sharp.resize(width, height, { fit: "cover", position: fit === "attention" ? "attention" : "centre" });
}
