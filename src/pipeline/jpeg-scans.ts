import { readFile } from "node:fs/promises";
import { MediaError } from "../media/errors.js";
import { readHead } from "./file-head.js";

/**
 * Each scan of a progressive JPEG passes over all pixels again, and may do so in a few bytes. libjpeg's own script
 * (`jpeg_simple_progression`) has 10. Measured with sharp 0.35 on a picture of 100 megapixels: 2 s of CPU for 99 scans,
 * 8 s for 300, in 238 kB. The attack: "Two Issues with the JPEG Standard", libjpeg-turbo.org.
 */
const MAX_SCANS = 100;

const START_OF_SCAN = 0xda;
const END_OF_IMAGE = 0xd9;
/** Baseline, extended and lossless, by Huffman or arithmetic coding: no scan of theirs refines another. */
const SEQUENTIAL_FRAMES: readonly number[] = [0xc0, 0xc1, 0xc3, 0xc9, 0xcb];

/** As far as the first scan begins in nearly every file; of others all is read. */
const HEAD_BYTES = 256 * 1024;

/** Rejects with CORRUPT_FILE for more than MAX_SCANS. Reads the file as far as it must, decodes nothing. */
export async function requireFewScans(path: string): Promise<void> {
  if (hasOneScan(await readHead(path, HEAD_BYTES)) || countScans(await readFile(path)) <= MAX_SCANS) return;
  throw new MediaError({ code: "CORRUPT_FILE", reason: `it is drawn in more than ${MAX_SCANS} scans` });
}

/**
 * Whether a picture is sequential and its first scan holds all its components: then libjpeg reads no other, whatever
 * follows. False where the head ends before that scan.
 */
export function hasOneScan(head: Buffer): boolean {
  let components = 0;
  for (const at of segmentsOf(head)) {
    const code = head[at + 1] ?? 0;
    if (SEQUENTIAL_FRAMES.includes(code)) components = head[at + 9] ?? 0;
    if (code === START_OF_SCAN) return components > 0 && head[at + 4] === components;
  }
  return false;
}

/** Scans of the first picture in the file, MAX_SCANS + 1 where there are more. */
export function countScans(jpeg: Buffer): number {
  let scans = 0;
  for (const at of segmentsOf(jpeg)) if (jpeg[at + 1] === START_OF_SCAN && ++scans > MAX_SCANS) break;
  return scans;
}

/** Where the segments of the first picture begin, up to its end. ITU-T T.81, B.1 and B.2. */
function* segmentsOf(jpeg: Buffer): Generator<number> {
  let at = nextMarker(jpeg, 2);
  while (at !== -1 && jpeg[at + 1] !== END_OF_IMAGE) {
    yield at;
    at = nextMarker(jpeg, at + 2 + segmentLength(jpeg, at + 2));
  }
}

/** Zero where the file ends before it. */
const segmentLength = (jpeg: Buffer, at: number): number => (at + 2 <= jpeg.length ? jpeg.readUInt16BE(at) : 0);

/** Where the next marker begins, over coded data, fill bytes and restart marks; -1 where there is none. */
function nextMarker(jpeg: Buffer, from: number): number {
  for (let at = jpeg.indexOf(0xff, from); at !== -1; at = jpeg.indexOf(0xff, at + 1)) {
    const code = jpeg[at + 1] ?? 0;
    if (code !== 0 && code !== 0xff && (code < 0xd0 || code > 0xd7)) return at;
  }
  return -1;
}
