import { CONTENT_TYPES } from "./content-type.js";
import { IMAGE_CROPS, type ImageCrop, type ImageWidth } from "./image-sizes.js";
import type { FocalPoint, Media, Variant } from "./model.js";
import type { RenditionType } from "./rendition-ports.js";
import { VARIANTS, type VariantName } from "./variants.js";

/** Everything that is needed to make one rendition. */
export type RenditionOrder = {
  media: Media;
  /** Names it among those of its item, and says all that makes it what it is but the focal point and its source. */
  spec: string;
  /** The stored object it is made of. */
  source: { key: string; fileSize: number; pixels: number };
  /** Pixels; never larger than the picture. */
  width: number;
  height: number;
  isCropped: boolean;
  focalPoint: FocalPoint | null;
  contentType: RenditionType;
  quality: number;
  /** Bytes above which it is not worth an object; null where it is wanted whatever it weighs. */
  maxBytes: number | null;
};

/**
 * Measured on ten photographs and drawings at 150 to 1600 px against the stored JPEG of the same size, medians: AVIF 60
 * at effort 0 has 44 to 72 % of its bytes and an SSIM (of luma, to the picture before any encoding) lower by 0.010 to
 * 0.016; WebP 80 at effort 2 has 60 to 82 % and loses 0.016 to 0.021. JPEG is what medium variants have.
 */
const RENDITION_QUALITY: Record<RenditionType, number> = {
  "image/avif": 60,
  "image/webp": 80,
  "image/jpeg": VARIANTS.medium.quality,
};

/** What saves less than a tenth of the JPEG is not worth an object, nor the time until it is there. */
const WORTHWHILE = 0.9;

const extensionOf = (contentType: RenditionType): string => CONTENT_TYPES[contentType].extension;

/** The same picture as a stored JPEG variant, in another type; only where that is clearly smaller. */
export const orderOfVariant = (media: Media, variant: Variant, contentType: RenditionType): RenditionOrder => ({
  media,
  spec: `${variant.name}.${extensionOf(contentType)}`,
  source: sourceOf(variant),
  width: variant.width,
  height: variant.height,
  isCropped: false,
  focalPoint: null,
  contentType,
  quality: RENDITION_QUALITY[contentType],
  maxBytes: Math.floor(variant.fileSize * WORTHWHILE),
});

/** Whether the spec names a stored variant in another type. */
export const isSpecOf = (spec: string, name: VariantName): boolean => spec.startsWith(`${name}.`);

export type ImageSize = { width: number; height: number };
export type SizedImage = { width: ImageWidth; crop: ImageCrop | null };

/** Nothing is taller: a narrow strip would become far more pixels than its width promises. */
const MAX_IMAGE_HEIGHT = 5120;

/**
 * The picture, or what its crop leaves of it, at this width, or at its own where that is less; and at most 5120 high.
 */
export function sizeOfImage(picture: ImageSize, { width, crop }: SizedImage): ImageSize {
  const whole = crop ? largestCrop(picture, IMAGE_CROPS[crop]) : picture;
  const shrink = Math.max(1, whole.width / width, whole.height / MAX_IMAGE_HEIGHT);
  const atMost = (side: number, limit: number) => Math.min(limit, Math.max(1, Math.round(side / shrink)));
  return { width: atMost(whole.width, picture.width), height: atMost(whole.height, picture.height) };
}

/** Sides need not be whole. */
function largestCrop(picture: ImageSize, ratio: ImageSize): ImageSize {
  const scale = Math.min(picture.width / ratio.width, picture.height / ratio.height);
  return { width: ratio.width * scale, height: ratio.height * scale };
}

/** A rendition by size, of the smallest stored picture that is large enough. Null where the item has no size. */
export function orderOfSize(media: Media, wanted: SizedImage, contentType: RenditionType): RenditionOrder | null {
  const { width, height } = media;
  if (width === null || height === null) return null;
  const size = sizeOfImage({ width, height }, wanted);
  const { crop } = wanted;
  return {
    media,
    spec: `w${size.width}${crop ? `-${crop.replace(":", "x")}` : ""}.${extensionOf(contentType)}`,
    source: sourceCovering(media, { width, height }, size),
    ...size,
    isCropped: crop !== null,
    focalPoint: crop ? media.focalPoint : null,
    contentType,
    quality: RENDITION_QUALITY[contentType],
    maxBytes: null,
  };
}

/** Specs of crops have a ratio in their middle. */
export const isCropSpec = (spec: string): boolean => /^w\d+-/.test(spec);

/** Variants that show the whole picture, smallest first. */
export const wholeVariants = (media: Media): Variant[] =>
  media.variants.filter(({ name }) => VARIANTS[name].fit === "inside").sort((a, b) => a.width - b.width);

function sourceCovering(media: Media, picture: ImageSize, size: ImageSize): RenditionOrder["source"] {
  const covers = ({ width, height }: ImageSize) => {
    // Of a crop only part of the picture is needed, at this scale.
    const scale = Math.max(size.width / picture.width, size.height / picture.height);
    return width >= Math.floor(picture.width * scale) && height >= Math.floor(picture.height * scale);
  };
  const variant = wholeVariants(media).find((stored) => covers(stored) && fits(stored, size));
  if (variant) return sourceOf(variant);
  return { key: media.storagePath, fileSize: media.fileSize, pixels: picture.width * picture.height };
}

const sourceOf = ({ key, fileSize, width, height }: Variant) => ({ key, fileSize, pixels: width * height });

/** Rounding may leave a variant a pixel short of what is asked for. */
const fits = (variant: ImageSize, size: ImageSize): boolean =>
  variant.width >= size.width && variant.height >= size.height;
