import type { FocalPoint } from "../media/model.js";
import type { Size } from "./pixels.js";

/** Whole pixels from the left and the top of the picture it lies in. */
export type Rectangle = Size & { left: number; top: number };

/**
 * The largest part of an upright picture that has the box's proportions, to within a pixel: around the focal point as
 * far as the edges allow, around the middle where there is none. How large the box is does not matter.
 */
export function cropAround(picture: Size, box: Size, focalPoint: FocalPoint | null): Rectangle {
  const scale = Math.min(picture.width / box.width, picture.height / box.height);
  const width = lengthWithin(picture.width, box.width * scale);
  const height = lengthWithin(picture.height, box.height * scale);
  const { x, y } = focalPoint ?? { x: 0.5, y: 0.5 };
  return {
    left: startAround(picture.width * x, width, picture.width),
    top: startAround(picture.height * y, height, picture.height),
    width,
    height,
  };
}

const lengthWithin = (whole: number, length: number): number => Math.min(Math.max(1, Math.round(length)), whole);

const startAround = (centre: number, length: number, whole: number): number =>
  Math.min(Math.max(0, Math.round(centre - length / 2)), whole - length);
