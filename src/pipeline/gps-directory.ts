import { clearExcept, type Extent, isTouched } from "./gps-extents.js";
import { entryWord, type IfdEntry, readEntry, readIfd, type TiffView } from "./gps-ifd.js";

/** The GPS directory of EXIF 2.32, 4.6.6: clearing it, and finding one that nothing leads to. */
export const GPS_TAG = 0x8825;

/** EXIF knows 32 GPS tags. A longer directory is taken for damage from its first odd entry on. */
const MAX_GPS_ENTRIES = 64;
const MAX_GPS_TAG = 0xff;
/** Three rationals, the size of a latitude: what is cleared where an entry's own size makes no sense. */
const COORDINATE_BYTES = 24;

type EntryHead = { tag: number; type: number; count: number };
const POINTER: EntryHead = { tag: GPS_TAG, type: 4, count: 1 };
const LATITUDE: EntryHead = { tag: 2, type: 5, count: 3 };
const LONGITUDE: EntryHead = { tag: 4, type: 5, count: 3 };
/** A tag of no meaning (Microsoft's Padding) and the type UNDEFINED, for entries that cannot be taken out. */
const PADDING: EntryHead = { tag: 0xea1c, type: 7, count: 4 };
const ENTRY_HEAD_BYTES = 8;

/** What may not be written over, and what is picture, both merged. */
type Spared = { kept: readonly Extent[]; picture: readonly Extent[] };

/** Whether a whole, sound GPS directory stands at `start`. */
export function isGpsIfd(view: TiffView, start: number): boolean {
  const ifd = readIfd(view, start);
  if (!ifd || ifd.declared !== ifd.held || ifd.declared > MAX_GPS_ENTRIES) return false;
  return Array.from({ length: ifd.held }, (_, index) => readEntry(view, ifd, index)).every(isGpsEntry);
}

/** Zeroes the GPS directory at `start` with its values, sparing the merged extents `kept`. */
export function clearGpsIfd(view: TiffView, start: number, kept: readonly Extent[]): void {
  const ifd = readIfd(view, start);
  if (!ifd) return;
  const isShort = ifd.declared <= MAX_GPS_ENTRIES;
  const cleared: Extent[] = [{ start: ifd.start, end: ifd.entriesAt }];
  for (let index = 0; index < ifd.held; index++) {
    const entry = readEntry(view, ifd, index);
    if (!isShort && !isGpsEntry(entry)) break;
    cleared.push(...entryExtents(view, entry));
  }
  if (isShort) cleared.push({ start: ifd.end, end: ifd.end + view.wordBytes });
  for (const extent of cleared) clearExcept(view.block, extent, kept);
}

/**
 * Pointers to a GPS directory that no chain of directories leads to, as in blocks whose chain is damaged. They are
 * known by their tag, type and count, and by what they point to; they become entries of no meaning.
 */
export function removeStrayPointers(view: TiffView, { kept, picture }: Spared): boolean {
  let changed = false;
  for (const at of entriesLike(view, POINTER)) {
    const target = entryWord(view, at);
    if (isTouched({ start: at, end: at + view.entryBytes }, picture) || !isGpsIfd(view, target)) continue;
    clearGpsIfd(view, target, kept);
    padEntry(view, at);
    changed = true;
  }
  return changed;
}

/** Makes the entry at `at` one of no meaning and no value, where it stands. BigTIFF's is left without a type. */
export function padEntry(view: TiffView, at: number): void {
  view.block.fill(0, at, at + view.entryBytes);
  if (view.wordBytes === 4) entryHead(view, PADDING).copy(view.block, at);
}

/** Coordinates that a pointer was once taken from: a latitude next to a longitude, with the GPS entries around them. */
export function clearOrphans(view: TiffView, { kept }: Spared): boolean {
  let changed = false;
  for (const at of entriesLike(view, LATITUDE)) {
    const run = gpsRunAround(view, at);
    if (!run || isTouched(run, kept)) continue;
    const entries = entriesWithin(view, run);
    for (const extent of entries.flatMap((entry) => entryExtents(view, entry))) clearExcept(view.block, extent, kept);
    changed = true;
  }
  return changed;
}

/** The entries in a row around the latitude at `at`, or null where no longitude is next or next but one. */
function gpsRunAround(view: TiffView, at: number): Extent | null {
  const longitude = entryHead(view, LONGITUDE);
  const isLongitude = (place: number): boolean =>
    view.block.subarray(place, place + ENTRY_HEAD_BYTES).equals(longitude);
  if (!isLongitude(at + view.entryBytes) && !isLongitude(at + 2 * view.entryBytes)) return null;
  let start = at;
  let end = at + view.entryBytes;
  while (at - start < 2 * view.entryBytes && continuesRun(view, start - view.entryBytes)) start -= view.entryBytes;
  while (end - at < MAX_GPS_ENTRIES * view.entryBytes && continuesRun(view, end)) end += view.entryBytes;
  return { start, end };
}

function continuesRun(view: TiffView, at: number): boolean {
  const [entry] = entriesWithin(view, { start: at, end: at + view.entryBytes });
  return at >= 0 && entry !== undefined && isGpsEntry(entry);
}

function entriesWithin(view: TiffView, { start, end }: Extent): IfdEntry[] {
  const held = Math.floor((Math.min(end, view.block.length) - start) / view.entryBytes);
  const ifd = { start, entriesAt: start, declared: held, held, end };
  return Array.from({ length: Math.max(0, held) }, (_, index) => readEntry(view, ifd, index));
}

/** The entry and the value it points to. */
function entryExtents(view: TiffView, entry: IfdEntry): Extent[] {
  const start = Math.max(0, entryWord(view, entry.at));
  return [
    { start: entry.at, end: entry.at + view.entryBytes },
    entry.value ?? { start, end: start + COORDINATE_BYTES },
  ];
}

const isGpsEntry = (entry: IfdEntry): boolean => entry.tag <= MAX_GPS_TAG && entry.value !== null;

/** Offsets of all that starts like this entry; BigTIFF, whose entries start otherwise, has none. */
function entriesLike(view: TiffView, head: EntryHead): number[] {
  const found: number[] = [];
  if (view.wordBytes !== 4) return found;
  const bytes = entryHead(view, head);
  for (let at = view.block.indexOf(bytes); at >= 0; at = view.block.indexOf(bytes, at + bytes.length)) found.push(at);
  return found;
}

/** Tag, type and count of an entry of classic TIFF. */
function entryHead({ littleEndian }: TiffView, { tag, type, count }: EntryHead): Buffer {
  const bytes = Buffer.alloc(ENTRY_HEAD_BYTES);
  bytes.writeUInt16BE(tag, 0);
  bytes.writeUInt16BE(type, 2);
  bytes.writeUInt32BE(count, 4);
  if (!littleEndian) return bytes;
  bytes.subarray(0, 4).swap16();
  bytes.subarray(4).swap32();
  return bytes;
}
