import sharp, { type Sharp } from "sharp";

/** Pixels. */
export type Size = { width: number; height: number };

/** 8-bit sRGB, row by row from the top left; a fourth channel is alpha, not premultiplied. */
export type Pixels = Size & { data: Buffer; channels: 3 | 4 };

/** What transparent parts are laid on where alpha cannot be kept: the contract's white. */
const PAPER = "#ffffff";

export const openPixels = ({ data, width, height, channels }: Pixels): Sharp =>
  sharp(data, { raw: { width, height, channels } });

/** Runs the operations and answers 8-bit sRGB, whatever the colour space and depth they started from. */
export async function takePixels(picture: Sharp): Promise<Pixels> {
  const { data, info } = await picture.toColourspace("srgb").raw().toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  if (channels !== 3 && channels !== 4) throw new Error(`a picture in sRGB has 3 or 4 channels, not ${channels}`);
  return { data, width, height, channels };
}

export async function flattenPixels(pixels: Pixels): Promise<Pixels> {
  return pixels.channels === 3 ? pixels : takePixels(openPixels(pixels).flatten({ background: PAPER }));
}

/** The same picture with three channels where its alpha hides nothing. */
export async function dropOpaqueAlpha(pixels: Pixels): Promise<Pixels> {
  return pixels.channels === 3 || isTransparent(pixels) ? pixels : takePixels(openPixels(pixels).removeAlpha());
}

function isTransparent({ data }: Pixels): boolean {
  for (let alpha = 3; alpha < data.length; alpha += 4) if (data[alpha] !== 255) return true;
  return false;
}
