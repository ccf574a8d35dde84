import { thumbHashToDataURL } from "thumbhash";
import type { MediaOut } from "../client/index.js";
import { element } from "./elements.js";

/** Rendered width in the grid and in the detail view, for the browser's choice among the sizes. */
const GRID_SIZES = "(max-width: 36rem) 45vw, 13rem";
const DETAIL_SIZES = "(max-width: 60rem) 100vw, 52rem";

/** A few blurred pixels out of the item's thumbhash, as a PNG the page's policy lets in. */
function placeholderUrl(base64: string): string {
  return thumbHashToDataURL(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));
}

const widthOf = (media: MediaOut, name: string): number =>
  media.variants.find((variant) => variant.name === name)?.width ?? 0;

/** The square thumbnail first, then the small picture for dense screens, cut to a square by the style. */
function gridSources(media: MediaOut): string {
  const { thumbnailUrl, smallUrl } = media;
  const sources = [thumbnailUrl && `${thumbnailUrl} 150w`, smallUrl && `${smallUrl} ${widthOf(media, "small")}w`];
  return sources.filter(Boolean).join(", ");
}

/** Every size that shows the whole picture, smallest first. */
function wholeSources(media: MediaOut): string {
  const whole = media.variants.filter((variant) => variant.name !== "thumbnail").sort((a, b) => a.width - b.width);
  return whole.map(({ url, width }) => `${url} ${width}w`).join(", ");
}

type View = { sources: string; sizes: string; fallback: string };

/** The placeholder with the picture fading in over it; where the picture cannot be loaded the frame says so. */
function frame(media: MediaOut, { sources, sizes, fallback }: View): HTMLElement {
  const box = element("span", { className: "frame" });
  if (media.dominantColor) box.style.backgroundColor = media.dominantColor;
  if (media.placeholder)
    box.append(element("img", { className: "blur", src: placeholderUrl(media.placeholder), alt: "" }));
  const picture = element("img", {
    className: "picture",
    alt: media.altText ?? "",
    decoding: "async",
    loading: "lazy",
  });
  picture.addEventListener("load", () => box.classList.add("is-loaded"));
  picture.addEventListener("error", () => box.classList.add("is-broken"));
  if (media.width !== null && media.height !== null)
    Object.assign(picture, { width: media.width, height: media.height });
  Object.assign(picture, { sizes, srcset: sources, src: fallback });
  box.append(picture);
  return box;
}

export const gridPicture = (media: MediaOut): HTMLElement =>
  frame(media, {
    sources: gridSources(media),
    sizes: GRID_SIZES,
    fallback: media.thumbnailUrl ?? media.originalUrl,
  });

export const wholePicture = (media: MediaOut): HTMLElement =>
  frame(media, { sources: wholeSources(media), sizes: DETAIL_SIZES, fallback: media.largeUrl ?? media.originalUrl });
