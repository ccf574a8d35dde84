import { blankUnknown } from "./gps-blocks.js";
import { blankXmp } from "./gps-xmp.js";

const SCREEN_BYTES = 13;
const EXTENSION = 0x21;
const IMAGE = 0x2c;
const APPLICATION = 0xff;
const APPLICATION_HEADER_BYTES = 14;
const IMAGE_DESCRIPTOR_BYTES = 10;
/** A shorter extension holds no position. */
const MIN_EXTENSION_BYTES = 24;
/** XMP part 3, 1.1.2: 0x01, then 0xff down to 0x00, then 0x00, behind XMP that is not cut into sub-blocks. */
const LANDING_BYTES = 258;

/** Blanks position in XMP and other extensions and behind the last block, in place; null when nothing was there. */
export function blankGif(file: Buffer): Buffer | null {
  let changed = false;
  let at = SCREEN_BYTES + colourTableBytes(file[10] ?? 0);
  while (file[at] === EXTENSION || file[at] === IMAGE) {
    const isImage = file[at] === IMAGE;
    const from = isImage ? imageData(file, at) : at + 2;
    const end = walkSubBlocks(file, from);
    if (!isImage && end - at >= MIN_EXTENSION_BYTES) changed = blankExtension(file, at, end) || changed;
    at = end;
  }
  changed = blankUnknown(file.subarray(at)) || changed;
  return changed ? file : null;
}

/** Size of the table the packed byte announces: 3 bytes a colour, a power of two of them. */
const colourTableBytes = (packed: number): number => (packed & 0x80 ? 3 << ((packed & 7) + 1) : 0);

const imageData = (file: Buffer, at: number): number =>
  at + IMAGE_DESCRIPTOR_BYTES + colourTableBytes(file[at + 9] ?? 0) + 1;

/** Where the sub-blocks from `at` on end, behind their terminator; `visit` is shown where each content starts and ends. */
function walkSubBlocks(file: Buffer, at: number, visit?: (start: number, end: number) => void): number {
  let place = at;
  for (let size = file[place] ?? 0; size > 0; size = file[place] ?? 0) {
    visit?.(place + 1, Math.min(file.length, place + 1 + size));
    place += 1 + size;
  }
  return Math.min(file.length, place + 1);
}

function blankExtension(file: Buffer, at: number, end: number): boolean {
  const name = file.toString("latin1", at + 3, at + APPLICATION_HEADER_BYTES);
  const isXmp = file[at + 1] === APPLICATION && name.includes("XMP");
  const landing = end - LANDING_BYTES;
  const isWhole = landing > at && file[landing] === 1 && file[landing + 1] === 0xff;
  if (isXmp && isWhole) return blankXmp(file.subarray(at + APPLICATION_HEADER_BYTES, landing));
  return editSubBlocks(file, at + 2, end, isXmp ? blankXmp : blankUnknown);
}

/** Edits the contents of sub-blocks as one block of the same length. */
function editSubBlocks(file: Buffer, at: number, end: number, edit: (block: Buffer) => boolean): boolean {
  const block = Buffer.alloc(end - at);
  let length = 0;
  walkSubBlocks(file, at, (from, to) => {
    length += file.copy(block, length, from, to);
  });
  if (!edit(block.subarray(0, length))) return false;
  length = 0;
  walkSubBlocks(file, at, (from, to) => {
    length += block.copy(file, from, length, length + to - from);
  });
  return true;
}
