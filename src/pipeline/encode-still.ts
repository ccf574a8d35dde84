import type { Sharp } from "sharp";

/** JPEG for opaque pictures, WebP where there is transparency. */
export type StillType = "image/jpeg" | "image/webp";

const ENCODERS: Record<StillType, (picture: Sharp, quality: number) => Sharp> = {
  "image/jpeg": (picture, quality) => picture.jpeg({ quality, progressive: true }),
  "image/webp": (picture, quality) => picture.webp({ quality, effort: 2 }),
};

/** The picture as it is stored; `quality` is 1..100. */
export const encodeStill = (picture: Sharp, contentType: StillType, quality: number): Sharp =>
  ENCODERS[contentType](picture, quality);
