/** Bytes that belong together: a segment, a chunk, a box, a directory entry, a block. */
export type Piece = { start: number; end: number };
/** A number the format reads: a length, an offset, a side, a count, a flag. */
export type NumberAt = { at: number; bytes: 1 | 2 | 3 | 4; isLittle: boolean };
export type Structure = { pieces: Piece[]; numbers: NumberAt[] };

/**
 * Where the parts and numbers of a picture file lie, as far as it can be followed; nothing of what no reader of these
 * formats would look at. Never throws: mutated files are read too.
 */
export function findStructure(file: Buffer): Structure {
  const found: Structure = { pieces: [], numbers: [] };
  const row = READERS.find(({ magic, at }) => file.toString("latin1", at, at + magic.length) === magic);
  row?.read(file, found);
  found.pieces = found.pieces.filter(({ start, end }) => end > start && end <= file.length);
  found.numbers = found.numbers.filter(({ at, bytes }) => at >= 0 && at + bytes <= file.length);
  return found;
}

type Read = (file: Buffer, found: Structure) => void;
const READERS: readonly { magic: string; at: number; read: Read }[] = [
  { magic: "\xff\xd8", at: 0, read: readJpeg },
  { magic: "\x89PNG", at: 0, read: readPng },
  { magic: "RIFF", at: 0, read: readRiff },
  { magic: "GIF8", at: 0, read: readGif },
  { magic: "II*\0", at: 0, read: (file, found) => readTiff(file, found, 0) },
  { magic: "MM\0*", at: 0, read: (file, found) => readTiff(file, found, 0) },
  { magic: "BM", at: 0, read: (_file, found) => addWords(found, { start: 2, end: 54 }, true) },
  { magic: "ftyp", at: 4, read: (file, found) => readBoxes(file, found, { start: 0, end: file.length }) },
];

const big = (at: number, bytes: NumberAt["bytes"]): NumberAt => ({ at, bytes, isLittle: false });
const little = (at: number, bytes: NumberAt["bytes"]): NumberAt => ({ at, bytes, isLittle: true });

/** Every number of two and of four bytes there could be. */
function addWords({ numbers }: Structure, { start, end }: Piece, isLittle: boolean): void {
  for (let at = start; at + 2 <= end; at += 2) numbers.push({ at, bytes: 2, isLittle });
  for (let at = start; at + 4 <= end; at += 4) numbers.push({ at, bytes: 4, isLittle });
}

/** ITU-T T.81, B.1: markers with a length, and coded data up to the next one. */
function readJpeg(file: Buffer, found: Structure): void {
  for (let at = 2; at + 4 <= file.length && file[at] === 0xff; ) {
    const code = file[at + 1] as number;
    const end = at + 2 + file.readUInt16BE(at + 2);
    found.pieces.push({ start: at, end });
    found.numbers.push(big(at + 1, 1), big(at + 2, 2));
    for (let byte = at + 4; byte < Math.min(end, at + 24); byte++) found.numbers.push(big(byte, 1));
    if (code >= 0xc0 && code <= 0xc2) found.numbers.push(big(at + 5, 2), big(at + 7, 2));
    if (file.toString("latin1", at + 4, at + 8) === "Exif") readTiff(file, found, at + 10);
    at = code === 0xda ? nextMarker(file, end) : end;
    if (code === 0xda) found.pieces.push({ start: end, end: at });
  }
}

function nextMarker(file: Buffer, from: number): number {
  for (let at = file.indexOf(0xff, from); at !== -1; at = file.indexOf(0xff, at + 1)) {
    const code = file[at + 1] ?? 0;
    if (code !== 0 && (code < 0xd0 || code > 0xd7)) return at;
  }
  return file.length;
}

function readPng(file: Buffer, found: Structure): void {
  for (let at = 8; at + 12 <= file.length; ) {
    const length = file.readUInt32BE(at);
    found.pieces.push({ start: at, end: at + 12 + length });
    found.numbers.push(big(at, 4));
    const head = { start: at + 8, end: Math.min(at + 8 + length, at + 8 + 26, file.length) };
    addWords(found, head, false);
    for (let byte = head.start; byte < head.end; byte++) found.numbers.push(big(byte, 1));
    if (file.toString("latin1", at + 4, at + 8) === "eXIf") readTiff(file, found, at + 8);
    at += 12 + length;
  }
}

/** RFC 9649, with the frames inside ANMF. */
function readRiff(file: Buffer, found: Structure, from = 12): void {
  found.numbers.push(little(4, 4));
  for (let at = from; at + 8 <= file.length; ) {
    const type = file.toString("latin1", at, at + 4);
    const length = file.readUInt32LE(at + 4);
    found.pieces.push({ start: at, end: at + 8 + length + (length % 2) });
    found.numbers.push(little(at + 4, 4));
    for (let byte = at + 8; byte < Math.min(at + 8 + length, at + 32); byte++) found.numbers.push(little(byte, 1));
    if (type === "VP8X") found.numbers.push(little(at + 12, 3), little(at + 15, 3));
    if (type === "VP8 ") found.numbers.push(little(at + 14, 2), little(at + 16, 2));
    if (type === "EXIF") readTiff(file, found, at + 8);
    at += type === "ANMF" ? 24 : 8 + length + (length % 2);
  }
}

/** GIF89a: images and extensions, each a row of blocks with a byte of length. */
function readGif(file: Buffer, found: Structure): void {
  found.numbers.push(little(6, 2), little(8, 2), little(10, 1));
  for (let at = 13 + coloursBytes(file[10]); file[at] === IMAGE || file[at] === EXTENSION; ) {
    const start = at;
    if (file[at] === IMAGE) for (const offset of [1, 3, 5, 7]) found.numbers.push(little(at + offset, 2));
    found.numbers.push(little(at, 1), little(at + (file[at] === IMAGE ? 9 : 1), 1));
    at += file[at] === IMAGE ? 11 + coloursBytes(file[at + 9]) : 2;
    for (; at < file.length && file[at] !== 0; at += 1 + (file[at] as number)) found.numbers.push(little(at, 1));
    found.pieces.push({ start, end: ++at });
  }
}

const IMAGE = 0x2c;
const EXTENSION = 0x21;
/** Of the palette that these flags announce. */
const coloursBytes = (flags = 0): number => (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0);

/** TIFF 6.0: directories that follow each other, and those EXIF hangs into them; each once. */
function readTiff(file: Buffer, found: Structure, base: number): void {
  const isLittle = file[base] === 0x49;
  const number = (at: number, bytes: 2 | 4): number => {
    if (at + bytes > file.length) return 0;
    return isLittle ? file.readUIntLE(at, bytes) : file.readUIntBE(at, bytes);
  };
  found.numbers.push({ at: base + 4, bytes: 4, isLittle });
  const seen = new Set<number>();
  const waiting = [number(base + 4, 4)];
  for (let offset = waiting.pop(); offset !== undefined; offset = waiting.pop()) {
    const at = base + offset;
    if (offset === 0 || seen.has(offset) || seen.size > 20 || at >= file.length) continue;
    seen.add(offset);
    const entries = Math.min(number(at, 2), 100);
    found.numbers.push({ at, bytes: 2, isLittle });
    for (let entry = at + 2; entry < at + 2 + entries * 12; entry += 12) {
      found.pieces.push({ start: entry, end: entry + 12 });
      found.numbers.push({ at: entry, bytes: 2, isLittle }, { at: entry + 2, bytes: 2, isLittle });
      found.numbers.push({ at: entry + 4, bytes: 4, isLittle }, { at: entry + 8, bytes: 4, isLittle });
      if (CHILD_DIRECTORIES.includes(number(entry, 2))) waiting.push(number(entry + 8, 4));
    }
    found.numbers.push({ at: at + 2 + entries * 12, bytes: 4, isLittle });
    waiting.push(number(at + 2 + entries * 12, 4));
  }
}

/** SubIFDs, EXIF, GPS. */
const CHILD_DIRECTORIES = [0x014a, 0x8769, 0x8825];

/** Boxes that hold boxes, and how many bytes stand before the first one. ISO/IEC 14496-12 and 23008-12. */
const CONTAINERS: Readonly<Record<string, number>> = { meta: 4, iprp: 0, ipco: 0, iinf: 6, iref: 4, dinf: 0, moov: 0 };
/** Of a longer box only the beginning is numbers. */
const BOX_NUMBERS_BYTES = 200;

function readBoxes(file: Buffer, found: Structure, { start, end }: Piece): void {
  for (let at = start; at + 8 <= end; ) {
    const length = file.readUInt32BE(at);
    const stop = length < 8 ? end : Math.min(at + length, end);
    const type = file.toString("latin1", at + 4, at + 8);
    found.pieces.push({ start: at, end: stop });
    found.numbers.push(big(at, 4));
    const before = CONTAINERS[type];
    if (before !== undefined) readBoxes(file, found, { start: at + 8 + before, end: stop });
    else if (type !== "mdat") addWords(found, { start: at + 8, end: Math.min(stop, at + BOX_NUMBERS_BYTES) }, false);
    at = stop;
  }
}
