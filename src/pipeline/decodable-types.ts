/** What this pipeline decodes: bitmaps and HEVC by decoders of their own, the rest by sharp. */
export const DECODABLE_TYPES = [
  "image/jpeg",
  "image/png",
  "image/webp",
  "image/gif",
  "image/tiff",
  "image/avif",
  "image/bmp",
  "image/heic",
  "image/heif",
] as const;
export type DecodableType = (typeof DECODABLE_TYPES)[number];
