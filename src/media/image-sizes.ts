/**
 * What pictures can be asked for by size: nothing else is made, so that nobody makes a server compute without end.
 * Shared with the client as values, so this file imports nothing.
 */

/** Pixels, ascending: from a thumbnail to the width of a large screen. */
export const IMAGE_WIDTHS = [160, 320, 480, 640, 800, 960, 1280, 1600, 1920, 2560] as const;
export type ImageWidth = (typeof IMAGE_WIDTHS)[number];

/** Width to height of what a picture can be cropped to. */
export const IMAGE_CROPS = {
  "1:1": { width: 1, height: 1 },
  "4:3": { width: 4, height: 3 },
  "3:4": { width: 3, height: 4 },
  "3:2": { width: 3, height: 2 },
  "2:3": { width: 2, height: 3 },
  "16:9": { width: 16, height: 9 },
  "9:16": { width: 9, height: 16 },
} as const satisfies Record<string, { width: number; height: number }>;
export type ImageCrop = keyof typeof IMAGE_CROPS;
export const IMAGE_CROP_NAMES = Object.keys(IMAGE_CROPS) as readonly ImageCrop[];

/** `auto` is what the caller's `Accept` likes best. */
export const IMAGE_FORMATS = {
  auto: null,
  avif: "image/avif",
  webp: "image/webp",
  jpeg: "image/jpeg",
} as const satisfies Record<string, string | null>;
export type ImageFormat = keyof typeof IMAGE_FORMATS;
export const IMAGE_FORMAT_NAMES = Object.keys(IMAGE_FORMATS) as readonly ImageFormat[];
