import type { Extent } from "./gps-extents.js";

/** A JPEG segment's marker and payload; the payload lies in the file even when the length says otherwise. */
export type JpegSegment = Extent & { readonly marker: number };

export type JpegImage = {
  /** Its application segments. */
  segments: JpegSegment[];
  /** All but entropy-coded data: stretches of segments and what stands between them. */
  headers: Extent[];
  /** Behind its EOI marker, or the end of the file. */
  end: number;
};

const EOI = 0xd9;
const TEM = 0x01;
const SOS = 0xda;
/** Neither a shorter segment nor a shorter stretch of them holds a position. */
const MIN_PAYLOAD_BYTES = 20;
const MIN_HEADER_BYTES = 48;

type Marker = { code: number; place: number; payload: Extent | null };

/** Reads the image that starts at `at` (ITU-T T.81, annex B). */
export function readJpegImage(file: Buffer, at: number): JpegImage {
  const image: JpegImage = { segments: [], headers: [], end: file.length };
  let headerStart = at;
  let isScan = false;
  for (const { code, place, payload } of readMarkers(file, at)) {
    if (code === EOI) image.end = place + 2;
    if (!payload) continue;
    if (isScan) headerStart = place;
    isScan = code === SOS;
    if (isScan) addHeader(image, headerStart, payload.end);
    if (isApplication(code, payload)) image.segments.push({ marker: code, ...payload });
  }
  if (!isScan) addHeader(image, headerStart, image.end);
  return image;
}

function addHeader({ headers }: JpegImage, start: number, end: number): void {
  if (end - start >= MIN_HEADER_BYTES) headers.push({ start, end });
}

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

/** Null where the marker stands alone, as restarts and stuffed bytes do, or its length makes no sense. */
function readPayload(file: Buffer, place: number, marker: number): Extent | null {
  const isAlone = marker <= TEM || (marker >= 0xd0 && marker <= EOI) || marker === 0xff;
  if (isAlone || place + 4 > file.length) return null;
  const length = file.readUInt16BE(place + 2);
  return length < 2 ? null : { start: place + 4, end: Math.min(file.length, place + 2 + length) };
}

const isApplication = (marker: number, { start, end }: Extent): boolean =>
  marker >= 0xe0 && marker <= 0xef && end - start >= MIN_PAYLOAD_BYTES;
