import { readFile, writeFile } from "node:fs/promises";
import { blankTiff, blankUnknown } from "./gps-blocks.js";
import { blankGif } from "./gps-gif.js";
import { blankHeif } from "./gps-heif.js";
import { blankJpeg } from "./gps-jpeg.js";
import { blankPng } from "./gps-png.js";
import { blankWebp } from "./gps-webp.js";

/**
 * How position is taken out of each kind of picture. A blanker may write into the file's bytes and answers the bytes
 * to keep, or null when there was nothing to blank. Coded picture data is never touched, nothing is decoded.
 */
const BLANKERS: Readonly<Record<string, (file: Buffer) => Buffer | null>> = {
  "image/jpeg": blankJpeg,
  "image/png": blankPng,
  "image/webp": blankWebp,
  "image/gif": blankGif,
  "image/tiff": (file) => (blankTiff(file) ? file : null),
  "image/avif": blankHeif,
  "image/heic": blankHeif,
  "image/heif": blankHeif,
  "image/bmp": blankBmp,
};

/**
 * Removes the position from a picture file: GPS directories of EXIF, position in XMP, and their copies in thumbnails,
 * further pictures, appended movies and text. All other metadata stays byte for byte, and so do the pixels.
 *
 * Reads the whole file (at most 20 MiB) into memory and writes it back in place, synced before this resolves; a crash
 * in between leaves a torn file, so the file must be a private copy. True when its bytes changed; its size may have.
 * Throws TypeError for a content type that is not a picture's: none may pass unblanked.
 */
export async function blankGpsInFile(path: string, contentType: string): Promise<boolean> {
  const blank = Object.hasOwn(BLANKERS, contentType) ? BLANKERS[contentType] : undefined;
  if (!blank) throw new TypeError(`GPS cannot be blanked in ${contentType}`);
  const blanked = blank(await readFile(path));
  if (blanked) await writeFile(path, blanked, { flush: true });
  return blanked !== null;
}

/** A bitmap has no metadata, but something may follow it; its header says how long it is. */
function blankBmp(file: Buffer): Buffer | null {
  const size = file.length >= 6 ? file.readUInt32LE(2) : file.length;
  return blankUnknown(file.subarray(size)) ? file : null;
}
