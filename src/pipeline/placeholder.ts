import { rgbaToThumbHash } from "thumbhash";
import { openPixels, type Pixels } from "./pixels.js";
import { sizeInside } from "./variant-plan.js";

/**
 * ThumbHash takes up to 100 and keeps 7 waves a side at most. From 50 it comes out as from 100, for a quarter of the
 * work: a process that has just started needs 2 ms for it instead of 24.
 */
const BOX = { width: 50, height: 50 } as const;

/** `placeholder`: thumbhash, base64, alpha kept. `dominantColor`: `#rrggbb` of the picture on white. */
export type Placeholder = { placeholder: string; dominantColor: string };

/** What can be shown before the picture has loaded, from any rendition of it at least 50 px long. */
export async function describeAtAGlance(pixels: Pixels): Promise<Placeholder> {
  const size = sizeInside(pixels, BOX);
  const { data, info } = await openPixels(pixels)
    .resize(size.width, size.height, { fit: "fill" })
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const hash = rgbaToThumbHash(info.width, info.height, data);
  return { placeholder: Buffer.from(hash).toString("base64"), dominantColor: dominantColor(data) };
}

/** Shades of a channel that count as one. */
const SHADES = 16;
const WIDTH_OF_SHADE = 256 / SHADES;

/**
 * The middle of the most frequent of 4096 colours, of the darker one where two are equally frequent. As sharp's
 * `stats()` counts, which takes 5 ms of CPU for much else that nobody asks for here; this takes 0.1.
 */
function dominantColor(rgba: Uint8Array): string {
  const counts = new Uint32Array(SHADES ** 3);
  const shade = (at: number, alpha: number): number =>
    Math.floor((255 + ((rgba[at] ?? 0) - 255) * alpha) / WIDTH_OF_SHADE);
  for (let at = 0; at < rgba.length; at += 4) {
    const alpha = (rgba[at + 3] ?? 0) / 255;
    const colour = (shade(at, alpha) * SHADES + shade(at + 1, alpha)) * SHADES + shade(at + 2, alpha);
    counts[colour] = (counts[colour] ?? 0) + 1;
  }
  const most = counts.reduce((best, count, colour) => (count > (counts[best] ?? 0) ? colour : best), 0);
  const channels = [Math.floor(most / SHADES ** 2), Math.floor(most / SHADES) % SHADES, most % SHADES];
  return `#${channels.map(hexMiddleOf).join("")}`;
}

const hexMiddleOf = (shade: number): string => ((shade + 0.5) * WIDTH_OF_SHADE).toString(16).padStart(2, "0");
