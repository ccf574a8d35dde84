import {
  IMAGE_CROPS,
  IMAGE_WIDTHS,
  type ImageCrop,
  type ImageFormat,
  type ImageWidth,
} from "../src/media/image-sizes.js";
import type { MediaOut } from "./media-out.js";
import type { Picture } from "./picture.js";

export type ImageOptions = {
  /** Where the server is, as `createMediaClient` is told. */
  baseUrl: string;
  /** Absent: what the browser likes best. */
  format?: ImageFormat | undefined;
  /** Width to height; absent: the whole picture. */
  crop?: ImageCrop | undefined;
};

/**
 * Where the server gives a picture at this width, or at the picture's own where that is less. What is not public needs
 * the session's cookie to be shown.
 */
export function imageUrl(
  { publicId }: Pick<MediaOut, "publicId">,
  { baseUrl, width, format, crop }: ImageOptions & { width: ImageWidth },
): string {
  const query = new URLSearchParams({ w: String(width), ...(format && { format }), ...(crop && { crop }) });
  return `${baseUrl.replace(/\/+$/, "")}/v1/media/public/${encodeURIComponent(publicId)}/image?${query}`;
}

export type ImageSrcsetOptions = ImageOptions & {
  /** How wide the picture is shown, as the `sizes` of an `<img>`; without it browsers assume the whole window. */
  sizes?: string | undefined;
};

/** Every width the picture is worth, for browsers to choose from. Nothing of it is made before it is asked for. */
export function imageSrcset(
  media: Pick<MediaOut, "publicId" | "width" | "height">,
  { sizes, ...options }: ImageSrcsetOptions,
): Picture {
  const whole = sizeOf(media, options.crop);
  const widths = IMAGE_WIDTHS.filter(
    (_, at) => at === 0 || whole === null || (IMAGE_WIDTHS[at - 1] ?? 0) < whole.width,
  );
  const sources = widths.map((width) => {
    const shown = whole ? Math.min(width, Math.round(whole.width)) : width;
    return { url: imageUrl(media, { ...options, width }), shown };
  });
  const src = sources.at(-1)?.url;
  return {
    ...(src !== undefined && { src }),
    srcSet: sources.map(({ url, shown }) => `${url} ${shown}w`).join(", "),
    ...(sizes !== undefined && { sizes }),
    ...(whole && { width: Math.round(whole.width), height: Math.round(whole.height) }),
  };
}

/** Of the picture, or of the largest part that has the crop's proportions. */
function sizeOf({ width, height }: Pick<MediaOut, "width" | "height">, crop: ImageCrop | undefined) {
  if (width === null || height === null) return null;
  if (!crop) return { width, height };
  const ratio = IMAGE_CROPS[crop];
  const scale = Math.min(width / ratio.width, height / ratio.height);
  return { width: ratio.width * scale, height: ratio.height * scale };
}
