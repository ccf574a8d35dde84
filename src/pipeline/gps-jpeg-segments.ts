import type { Extent } from "./gps-extents.js";

/** A JPEG segment's marker and payload; the payload lies in the file even when the length says otherwise. */
export type JpegSegment = Extent & { readonly marker: number };

export type JpegImage = {
  /** Its application segments. */
  segments: JpegSegment[];
  /** Where anything may stand: its comments, and what lies between segments. */
  loose: Extent[];
  /** Behind its EOI marker, or the end of the file. */
  end: number;
};

const EOI = 0xd9;
const SOS = 0xda;
const COMMENT = 0xfe;
const IN_SCAN = -1;
/** Neither a shorter segment nor a shorter stretch of bytes holds a position. */
const MIN_BYTES = 20;

type Marker = { code: number; place: number; payload: Extent | null };

/** Reads the image that starts at `at` (ITU-T T.81, annex B). */
export function readJpegImage(file: Buffer, at: number): JpegImage {
  const image: JpegImage = { segments: [], loose: [], end: file.length };
  let between = at;
  for (const { code, place, payload } of readMarkers(file, at)) {
    if (code === EOI) image.end = place + 2;
    if (!payload) continue;
    if (between >= 0) addLoose(image, { start: between, end: place });
    if (code === COMMENT) addLoose(image, payload);
    if (code >= 0xe0 && code <= 0xef && isLong(payload)) image.segments.push({ marker: code, ...payload });
    between = code === SOS ? IN_SCAN : payload.end;
  }
  if (between >= 0) addLoose(image, { start: between, end: image.end });
  return image;
}

function addLoose({ loose }: JpegImage, extent: Extent): void {
  if (isLong(extent)) loose.push(extent);
}

const isLong = ({ start, end }: Extent): boolean => end - start >= MIN_BYTES;

/**
 * The markers up to EOI. Bytes between segments are passed over up to the next marker, and so is entropy-coded data,
 * in which no marker but a restart stands.
 */
function* readMarkers(file: Buffer, at: number): Generator<Marker> {
  let place = file.indexOf(0xff, at);
  while (place >= 0 && place + 1 < file.length) {
    const code = file[place + 1] ?? 0;
    const payload = readPayload(file, place, code);
    yield { code, place, payload };
    if (code === EOI) return;
    place = file.indexOf(0xff, payload?.end ?? place + (code === 0xff ? 1 : 2));
  }
}

/** Null for restarts, for stuffed bytes and all else that no segment starts with, and where the length makes no sense. */
function readPayload(file: Buffer, place: number, code: number): Extent | null {
  const isSegment = (code >= 0xc0 && code <= 0xcf) || (code >= SOS && code <= 0xef) || code === COMMENT;
  if (!isSegment || place + 4 > file.length) return null;
  const length = file.readUInt16BE(place + 2);
  return length < 2 ? null : { start: place + 4, end: Math.min(file.length, place + 2 + length) };
}
