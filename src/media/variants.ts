/**
 * The renditions of every picture: one row each, nothing else names them. Sizes and qualities are the contract's.
 * Shared with the client as values, so this file imports nothing.
 */
export type VariantSpec = {
  /** Longest width and height in pixels. */
  readonly width: number;
  readonly height: number;
  /** `cover` fills the box and crops; `inside` keeps the whole picture. Neither ever enlarges. */
  readonly fit: "cover" | "inside";
  /** Encoder quality, 1..100. */
  readonly quality: number;
  /** What stands before the extension in the object key. */
  readonly suffix: string;
};

export const VARIANTS = {
  thumbnail: { width: 150, height: 150, fit: "cover", quality: 80, suffix: "_thumb" },
  small: { width: 400, height: 400, fit: "inside", quality: 85, suffix: "_small" },
  medium: { width: 800, height: 800, fit: "inside", quality: 85, suffix: "_medium" },
  large: { width: 1600, height: 1600, fit: "inside", quality: 90, suffix: "_large" },
} as const satisfies Record<string, VariantSpec>;

export type VariantName = keyof typeof VARIANTS;
export const VARIANT_NAMES = Object.keys(VARIANTS) as readonly VariantName[];
