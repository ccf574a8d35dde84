import { rgbaToDataURL, thumbHashToDataURL } from "thumbhash";
import type { MediaOut } from "./media-out.js";

export type SrcsetOptions = {
  /** How wide the picture is shown, as the `sizes` of an `<img>`; without it browsers assume the whole window. */
  sizes?: string | undefined;
  /** The square thumbnail too: for frames that cut every picture to a square. */
  thumbnail?: boolean | undefined;
  /** The original too. Browsers do not show every type that can be stored. */
  original?: boolean | undefined;
};

/** Can be spread over an `<img>`. Where a video has no still picture, or the address is withheld, `src` is absent. */
export type Picture = {
  src?: string;
  /** Absent where there is nothing to choose from. */
  srcSet?: string;
  sizes?: string;
  /** Of the whole picture, upright: browsers keep its place free. Absent while they are not known. */
  width?: number;
  height?: number;
};

type Source = { url: string; width: number };
type Shown = Pick<MediaOut, "mediaType" | "variants" | "originalUrl" | "width" | "height">;

/**
 * The addresses of one picture for browsers to choose from by width. `src` is the largest whole variant; a picture too
 * small to have one is its original.
 */
export function srcset(media: Shown, options: SrcsetOptions = {}): Picture {
  const sources = sourcesOf(media, options);
  const whole = media.variants.filter(({ name }) => name !== "thumbnail").sort(byWidth);
  const src = whole.at(-1)?.url ?? originalOf(media)?.url ?? sources.at(-1)?.url;
  return {
    ...(src ? { src } : {}),
    ...(sources.length > 0 ? { srcSet: sources.map(({ url, width }) => `${url} ${width}w`).join(", ") } : {}),
    ...(options.sizes !== undefined && sources.length > 0 ? { sizes: options.sizes } : {}),
    ...(media.width !== null && media.height !== null ? { width: media.width, height: media.height } : {}),
  };
}

const byWidth = (a: Source, b: Source): number => a.width - b.width;

/** Smallest first. */
function sourcesOf(media: Shown, { thumbnail, original }: SrcsetOptions): Source[] {
  const variants = media.variants.filter(({ name }) => thumbnail || name !== "thumbnail");
  const whole = original ? originalOf(media) : null;
  return [...variants, ...(whole ? [whole] : [])].sort(byWidth);
}

function originalOf({ mediaType, originalUrl, width }: Shown): Source | null {
  return mediaType === "IMAGE" && originalUrl && width !== null ? { url: originalUrl, width } : null;
}

/**
 * A few blurred pixels to show until the picture has come, as a PNG in a `data:` address; else one pixel of its dominant
 * colour; null where neither is known.
 */
export function placeholderDataUrl(media: Pick<MediaOut, "placeholder" | "dominantColor">): string | null {
  const { placeholder, dominantColor } = media;
  if (placeholder)
    return thumbHashToDataURL(Uint8Array.from(atob(placeholder), (character) => character.charCodeAt(0)));
  const [, red, green, blue] = /^#(..)(..)(..)$/.exec(dominantColor ?? "") ?? [];
  if (!red || !green || !blue) return null;
  return rgbaToDataURL(1, 1, [...[red, green, blue].map((hex) => Number.parseInt(hex, 16)), 255]);
}
