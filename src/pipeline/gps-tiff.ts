import { clearGpsIfd, clearOrphans, GPS_TAG, isGpsIfd, padEntry, removeStrayPointers } from "./gps-directory.js";
import { type Extent, mergeExtents, outside, withinBytes } from "./gps-extents.js";
import {
  dropEntries,
  entryWord,
  firstIfd,
  headerBytes,
  type Ifd,
  type IfdEntry,
  nextIfd,
  readEntry,
  readIfd,
  type TiffView,
  tiffViews,
  wholeNumbers,
} from "./gps-ifd.js";

/** What was done to a TIFF block, and the blocks of other kinds that lie in it. */
export type TiffFindings = {
  changed: boolean;
  /** Values of tag 700. */
  xmp: Extent[];
  /** Values of tag 34377, Photoshop image resources. */
  imageResources: Extent[];
};

const XMP_TAG = 700;
const IMAGE_RESOURCES_TAG = 34377;
/** SubIFDs, GlobalParametersIFD, Exif, Interoperability. */
const IFD_TAGS = new Set([0x014a, 0x0190, 0x8769, 0xa005]);
const IFD_TYPES = new Set([13, 18]);
/** Tags of offsets and of byte counts of what is picture: strips, tiles, the thumbnail. */
const PICTURE_TAGS = [
  [273, 279],
  [324, 325],
  [513, 514],
] as const;
const PICTURE_TAG_SET = new Set<number>(PICTURE_TAGS.flat());
/** An offset takes two bytes at least, so a sound block has no more of them; a file of 10,000 pages has 150,000 entries. */
const MIN_BYTES_A_STEP = 2;
const MAX_STEPS = 1_000_000;
/** Directories that overlap can show a new pointer when one is taken out; the last round takes none out but blanks. */
const MAX_ROUNDS = 4;

type Pointer = { ifd: Ifd; index: number; targets: number[] };
type Survey = Omit<TiffFindings, "changed"> & {
  pointers: Pointer[];
  kept: Extent[];
  picture: Extent[];
  /** Entries and offsets that may still be looked at; a block that needs more is damaged. */
  stepsLeft: number;
};

/**
 * Takes every GPS directory out of a TIFF block (an EXIF block or a whole TIFF file): its entries and values become
 * zeros and the entry that points to it leaves its directory. What any other directory uses, and what is picture, is
 * never written over, so a value that is shared with another tag stays. Damage never throws.
 */
export function removeGps(block: Buffer): TiffFindings {
  const findings: TiffFindings = { changed: false, xmp: [], imageResources: [] };
  for (const view of tiffViews(block)) {
    let survey = surveyIfds(view);
    for (let round = 1; survey.pointers.length > 0 && round <= MAX_ROUNDS; round++) {
      removePointers(view, survey, round === MAX_ROUNDS);
      findings.changed = true;
      survey = surveyIfds(view);
    }
    const spared = { kept: mergeExtents(survey.kept), picture: mergeExtents(survey.picture) };
    findings.changed = removeStrayPointers(view, spared) || findings.changed;
    findings.changed = clearOrphans(view, spared) || findings.changed;
    findings.xmp.push(...searchable(survey.xmp, spared.picture));
    findings.imageResources.push(...searchable(survey.imageResources, spared.picture));
  }
  return findings;

  function searchable(extents: readonly Extent[], picture: readonly Extent[]): Extent[] {
    return withinBytes(extents, 2 * block.length).flatMap((extent) => outside(extent, picture));
  }
}

function surveyIfds(view: TiffView): Survey {
  const stepsLeft = Math.min(MAX_STEPS, view.block.length / MIN_BYTES_A_STEP);
  const survey: Survey = { xmp: [], imageResources: [], pointers: [], kept: [], picture: [], stepsLeft };
  survey.kept.push({ start: 0, end: headerBytes(view) });
  const queue = [firstIfd(view)];
  const seen = new Set<number>();
  for (const start of queue) {
    if (seen.has(start) || start < headerBytes(view) || survey.stepsLeft < 0) continue;
    seen.add(start);
    const ifd = readIfd(view, start);
    if (ifd) for (const offset of surveyIfd(view, ifd, survey)) queue.push(offset);
  }
  if (survey.stepsLeft < 0) survey.kept.push({ start: 0, end: view.block.length });
  return survey;
}

/** Notes what the directory holds and answers the offsets of the directories it leads to. */
function surveyIfd(view: TiffView, ifd: Ifd, survey: Survey): number[] {
  const onward = [nextIfd(view, ifd)];
  const pictureEntries = new Map<number, IfdEntry>();
  survey.stepsLeft -= ifd.held;
  const sound = soundEntries(view, ifd);
  survey.kept.push({ start: ifd.start, end: ifd.entriesAt + sound * view.entryBytes + view.wordBytes });
  for (let index = 0; index < ifd.held; index++) {
    const entry = readEntry(view, ifd, index);
    if (entry.tag === GPS_TAG) survey.pointers.push({ ifd, index, targets: pointerTargets(view, entry) });
    if (entry.tag === GPS_TAG || index >= sound) continue;
    if (!entry.isInline) noteValue(view, entry, survey);
    if (IFD_TAGS.has(entry.tag) || IFD_TYPES.has(entry.type)) onward.push(...numbersOf(view, entry, survey));
    if (PICTURE_TAG_SET.has(entry.tag)) pictureEntries.set(entry.tag, entry);
  }
  notePicture(view, pictureEntries, survey);
  return onward;
}

/** How many entries to believe: all, but where they have no room for all, those in front of the first odd one. */
function soundEntries(view: TiffView, ifd: Ifd): number {
  if (ifd.held === ifd.declared) return ifd.held;
  for (let index = 0; index < ifd.held; index++) if (!readEntry(view, ifd, index).value) return index;
  return ifd.held;
}

/** Where the pointer leads by its type, and by its last field where that is a GPS directory and the type is damaged. */
function pointerTargets(view: TiffView, entry: IfdEntry): number[] {
  const offset = entryWord(view, entry.at);
  return isGpsIfd(view, offset) ? [...wholeNumbers(view, entry, 1), offset] : wholeNumbers(view, entry, 1);
}

/** XMP and image resources are searched as far as there are bytes, even where they claim to be longer. */
function noteValue(view: TiffView, entry: IfdEntry, survey: Survey): void {
  const rest = { start: Math.max(0, entryWord(view, entry.at)), end: view.block.length };
  if (entry.value) survey.kept.push(entry.value);
  if (entry.tag === XMP_TAG) survey.xmp.push(entry.value ?? rest);
  if (entry.tag === IMAGE_RESOURCES_TAG) survey.imageResources.push(entry.value ?? rest);
}

/** A strip whose byte count is missing or absurd may reach to the end of the block: nothing in it is cleared. */
function notePicture(view: TiffView, entries: ReadonlyMap<number, IfdEntry>, survey: Survey): void {
  const { length } = view.block;
  for (const [offsetsTag, countsTag] of PICTURE_TAGS) {
    const offsets = numbersOf(view, entries.get(offsetsTag), survey);
    const counts = numbersOf(view, entries.get(countsTag), survey);
    for (const [i, start] of offsets.entries()) {
      const end = start + (counts[i] ?? length);
      survey.kept.push({ start, end: Math.min(length, end) });
      if (end <= length) survey.picture.push({ start, end });
    }
  }
}

function numbersOf(view: TiffView, entry: IfdEntry | undefined, survey: Survey): number[] {
  if (!entry) return [];
  const numbers = wholeNumbers(view, entry, Math.max(0, survey.stepsLeft));
  survey.stepsLeft -= numbers.length;
  return numbers;
}

/** Clears what the pointers lead to, then takes them out of their directories, or blanks them where they stand. */
function removePointers(view: TiffView, survey: Survey, inPlace: boolean): void {
  const kept = mergeExtents(survey.kept);
  const perIfd = new Map<number, { ifd: Ifd; dropped: Set<number> }>();
  for (const { ifd, index, targets } of survey.pointers) {
    for (const target of targets) clearGpsIfd(view, target, kept);
    const known = perIfd.get(ifd.start) ?? { ifd, dropped: new Set<number>() };
    perIfd.set(ifd.start, { ifd, dropped: known.dropped.add(index) });
  }
  for (const { ifd, dropped } of perIfd.values()) {
    if (inPlace || ifd.held < ifd.declared)
      for (const index of dropped) padEntry(view, ifd.entriesAt + index * view.entryBytes);
    else dropEntries(view, ifd, dropped);
  }
}
