import type { DecodableType } from "./decodable-types.js";
import type { Size } from "./pixels.js";

/** What of a header decides how its pixels are read. Interlaced: progressive JPEG, Adam7 in PNG. */
type Layout = Size & { frames: number; isInterlaced: boolean };

/** Read row by row a picture is in memory only as what is made of it: the largest variant and those below it. */
const STREAMED_PIXELS = 4_000_000;
/** Of GIF a few frames at a time: the one shown, the one before, and what is written. */
const FRAMES_OF_GIF = 3;

const whole = ({ width, height, frames }: Layout): number => width * height * frames;
const streamed = (layout: Layout): number => Math.min(whole(layout), STREAMED_PIXELS);

/** How each format's decoder in libvips, libheif or `bitmap.ts` goes about it. */
const HELD: Record<DecodableType, (layout: Layout) => number> = {
  "image/jpeg": (layout) => (layout.isInterlaced ? whole(layout) : streamed(layout)),
  "image/png": (layout) => (layout.isInterlaced ? whole(layout) : streamed(layout)),
  "image/gif": (layout) => whole({ ...layout, frames: Math.min(layout.frames, FRAMES_OF_GIF) }),
  "image/webp": whole,
  "image/avif": whole,
  "image/heic": whole,
  "image/heif": whole,
  // A strip may be all of it, and the header does not say.
  "image/tiff": whole,
  "image/bmp": whole,
};

/** Pixels in memory at once while a picture of this type is decoded: what it costs among others. */
export const heldPixels = (type: DecodableType, layout: Layout): number => HELD[type](layout);
