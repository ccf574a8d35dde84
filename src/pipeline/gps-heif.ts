import { blankBlock, blankUnknown } from "./gps-blocks.js";
import { editGathered, mergeExtents, outside, withinBytes } from "./gps-extents.js";
import { type HeifItem, readHeifItems } from "./gps-heif-items.js";
import { blankMovies, readBoxes } from "./gps-isobmff.js";

/** Item types that are metadata; every other item is picture. ISO/IEC 23008-12, annex A. */
const METADATA_TYPES = new Set(["Exif", "mime", "uri "]);

/**
 * Blanks position in HEIF and AVIF: the EXIF and XMP items, and whatever else lies outside the coded pictures, such as
 * the movie of a motion photo. Changes `file` in place; null when nothing was there.
 */
export function blankHeif(file: Buffer): Buffer | null {
  const meta = readBoxes(file, 0, file.length).find((box) => box.type === "meta");
  const items = meta ? readHeifItems(file, meta) : [];
  const isMetadata = (item: HeifItem): boolean => METADATA_TYPES.has(item.type);
  const metadata = items.filter(isMetadata);
  const searched = new Set(
    withinBytes(
      metadata.flatMap((item) => item.extents),
      2 * file.length,
    ),
  );
  const pictures = mergeExtents(items.filter((item) => !isMetadata(item)).flatMap((item) => item.extents));
  const done = [
    blankMovies(file),
    ...metadata.map(({ type, extents }) =>
      editGathered(
        file,
        extents.filter((extent) => searched.has(extent)),
        (block) => blankItem(type, block),
      ),
    ),
    ...outside({ start: 0, end: file.length }, pictures).map(({ start, end }) =>
      blankUnknown(file.subarray(start, end)),
    ),
  ];
  return done.includes(true) ? file : null;
}

function blankItem(type: string, block: Buffer): boolean {
  if (type !== "Exif" || block.length < 4) return blankBlock(block);
  const exif = block.subarray(4);
  const tiff = block.subarray(4 + block.readUInt32BE(0));
  return [blankBlock(tiff), blankBlock(exif)].includes(true);
}
