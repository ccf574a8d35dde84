/** What the prebuilt sharp decodes; its HEIF reader has AV1 but no HEVC, so HEIC is none of these. */
export const DECODABLE_TYPES = [
  "image/jpeg",
  "image/png",
  "image/webp",
  "image/gif",
  "image/tiff",
  "image/avif",
] as const;
export type DecodableType = (typeof DECODABLE_TYPES)[number];
