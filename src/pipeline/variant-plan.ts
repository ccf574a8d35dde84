import type { VariantName, VariantSpec } from "../media/variants.js";
import type { Size } from "./pixels.js";
import type { Target } from "./resize.js";

/** `fill`: the whole picture at this size. `cover`: this size is filled and what stands over is cropped. */
export type PlannedVariant = Target & { name: VariantName; quality: number };

export type VariantPlan = {
  /**
   * The whole picture at the smallest size from which everything else can be made without enlarging: decode to this,
   * once. Its longer side exceeds every box where the picture is a narrow strip that must fill a square.
   */
  base: Size;
  /** By box, largest first; without those that would enlarge the picture. */
  variants: PlannedVariant[];
};

/**
 * Which variants a picture gets and how large, all computed from the oriented original so that no size drifts by
 * rounding twice. `atLeast` is what other uses need of `base`; neither of its sides exceeds the picture's.
 */
export function planVariants(
  picture: Size,
  specs: Readonly<Partial<Record<VariantName, VariantSpec>>>,
  atLeast: Size,
): VariantPlan {
  const rows = (Object.entries(specs) as [VariantName, VariantSpec][])
    .filter(([, spec]) => !fitsInside(picture, spec))
    .sort(([, a], [, b]) => b.width * b.height - a.width * a.height);
  const shrink = Math.min(shrinkToCover(picture, atLeast), ...rows.map(([, spec]) => shrinkFor(picture, spec)));
  return { base: shrunk(picture, shrink), variants: rows.map(([name, spec]) => planVariant(picture, name, spec)) };
}

/** The size of the whole picture inside the box, never enlarged: rounded as sharp's `fit: "inside"` rounds. */
export const sizeInside = (picture: Size, box: Size): Size => shrunk(picture, Math.max(1, shrinkToFit(picture, box)));

function planVariant(picture: Size, name: VariantName, spec: VariantSpec): PlannedVariant {
  const { quality } = spec;
  return spec.fit === "inside"
    ? { name, quality, fit: "fill", ...sizeInside(picture, spec) }
    : { name, quality, fit: "cover", ...croppedSize(picture, spec) };
}

/** The factor by which the picture can shrink before the variant must be made of it. */
const shrinkFor = (picture: Size, spec: VariantSpec): number =>
  spec.fit === "inside" ? shrinkToFit(picture, spec) : shrinkToCover(picture, croppedSize(picture, spec));

const croppedSize = (picture: Size, box: Size): Size => ({
  width: Math.min(box.width, picture.width),
  height: Math.min(box.height, picture.height),
});

const fitsInside = (picture: Size, box: Size): boolean => shrinkToFit(picture, box) <= 1;

const shrinkToFit = (picture: Size, box: Size): number =>
  Math.max(picture.width / box.width, picture.height / box.height);

const shrinkToCover = (picture: Size, box: Size): number =>
  Math.min(picture.width / box.width, picture.height / box.height);

const shrunk = ({ width, height }: Size, factor: number): Size => ({
  width: Math.max(1, Math.round(width / factor)),
  height: Math.max(1, Math.round(height / factor)),
});
