import { crc32 } from "node:zlib";
import type { Dice } from "./dice.js";
import { findStructure, type NumberAt, type Piece, type Structure } from "./picture-structure.js";

type Given = Structure & { file: Buffer; dice: Dice; others: readonly Buffer[] };
type Mutation = (given: Given) => Buffer;

/** Lengths, offsets and sides that readers of formats were wrong about before. */
const EXTREMES = [
  0, 1, 2, 3, 7, 8, 16, 255, 256, 16_383, 16_384, 16_385, 0x7fff, 0x8000, 0xffff, 0x1_0000, 0xff_ffff, 0x100_0000,
  0x7fff_ffff, 0x8000_0000, 0xffff_fff0, 0xffff_ffff,
];
/** No grown file is larger: many copies of a large part say no more than of a small one. */
const MAX_BYTES = 2 * 1024 * 1024;
const MAX_COPIES = 300;

/**
 * One to three changes of a picture file: anywhere in its bytes, of numbers its format reads, of its parts, and with
 * parts of `others`. Checksums of PNG are made right in most of them, so that readers come past them.
 */
export function mutatePicture(picture: Buffer, dice: Dice, others: readonly Buffer[]): Buffer {
  let file = Buffer.from(picture);
  for (let left = 1 + dice.below(3); left > 0 && file.length > 0; left--) {
    const structure = findStructure(file);
    const kinds = [EVERYWHERE];
    if (structure.numbers.length > 0) kinds.push(OF_NUMBERS);
    if (structure.pieces.length > 0) kinds.push(OF_PARTS);
    // A copy: what is taken out of the middle of a buffer shares its bytes.
    file = Buffer.from(dice.pick(dice.pick(kinds))({ ...structure, file, dice, others }));
  }
  return dice.chance(0.8) ? withChecksums(file) : file;
}

type Range = { from: number; to: number };
function someRange({ file, dice }: Given): Range {
  const from = dice.below(file.length);
  return { from, to: Math.min(file.length, from + 1 + dice.below(dice.pick([8, 64, 2000]))) };
}

const EVERYWHERE: readonly Mutation[] = [
  function flipBits({ file, dice }) {
    for (let left = 1 + dice.below(16); left > 0; left--) {
      const at = dice.below(file.length);
      file[at] = (file[at] as number) ^ (1 << dice.below(8));
    }
    return file;
  },
  function setBytes({ file, dice }) {
    const at = dice.below(file.length);
    dice.bytes(Math.min(1 + dice.below(16), file.length - at)).copy(file, at);
    return file;
  },
  function fillRange(given) {
    const { from, to } = someRange(given);
    return given.file.fill(given.dice.pick([0, 0xff, 0x7f, given.dice.below(256)]), from, to);
  },
  function removeRange(given) {
    const { from, to } = someRange(given);
    return Buffer.concat([given.file.subarray(0, from), given.file.subarray(to)]);
  },
  function repeatRange(given) {
    const { from, to } = someRange(given);
    return Buffer.concat([given.file.subarray(0, to), given.file.subarray(from)]);
  },
  function insertNoise({ file, dice }) {
    const at = dice.below(file.length);
    return Buffer.concat([file.subarray(0, at), dice.bytes(1 + dice.below(64)), file.subarray(at)]);
  },
  function cut({ file, dice }) {
    return file.subarray(0, dice.below(file.length + 1));
  },
  splice,
];

/** The beginning of one file and the end of another. */
function splice({ file, dice, others }: Given): Buffer {
  const other = dice.pick(others);
  return Buffer.concat([file.subarray(0, dice.below(file.length)), other.subarray(dice.below(other.length))]);
}

function write(file: Buffer, { at, bytes, isLittle }: NumberAt, value: number): Buffer {
  const fitting = value % 2 ** (8 * bytes);
  if (isLittle) file.writeUIntLE(fitting, at, bytes);
  else file.writeUIntBE(fitting, at, bytes);
  return file;
}

const OF_NUMBERS: readonly Mutation[] = [
  function setNumber({ file, dice, numbers }) {
    return write(file, dice.pick(numbers), dice.pick([...EXTREMES, file.length, dice.below(2 ** 32)]));
  },
  function stepNumber({ file, dice, numbers }) {
    const number = dice.pick(numbers);
    const { at, bytes, isLittle } = number;
    const value = isLittle ? file.readUIntLE(at, bytes) : file.readUIntBE(at, bytes);
    const others = [value + 1, value + 2 ** 32 - 1, value * 2, Math.floor(value / 2), value + 256];
    return write(file, number, dice.pick(others));
  },
];

const OF_PARTS: readonly Mutation[] = [
  function repeatPiece({ file, dice, pieces }) {
    const { start, end } = dice.pick(pieces);
    const room = Math.floor((MAX_BYTES - file.length) / (end - start));
    const copies = Math.max(0, Math.min(room, dice.pick([1, 2, 1 + dice.below(MAX_COPIES)])));
    const more = Array<Buffer>(copies).fill(file.subarray(start, end));
    return Buffer.concat([file.subarray(0, end), ...more, file.subarray(end)]);
  },
  function removePiece({ file, dice, pieces }) {
    const { start, end } = dice.pick(pieces);
    return Buffer.concat([file.subarray(0, start), file.subarray(end)]);
  },
  function swapPieces({ file, dice, pieces }) {
    const [one, other] = [dice.pick(pieces), dice.pick(pieces)];
    const [a, b] = one.start <= other.start ? [one, other] : [other, one];
    if (a.end > b.start) return file;
    const part = (from: number, to?: number): Buffer => file.subarray(from, to);
    return Buffer.concat([
      part(0, a.start),
      part(b.start, b.end),
      part(a.end, b.start),
      part(a.start, a.end),
      part(b.end),
    ]);
  },
  plantPiece,
  /** What a part holds is replaced; its first bytes, which name and measure it, stay. */
  function fillPiece({ file, dice, pieces }) {
    const { start, end } = dice.pick(pieces);
    const from = Math.min(start + 8, end);
    const length = Math.min(end - from, 4096);
    const content = dice.chance(0.5) ? Buffer.alloc(length, dice.below(256)) : dice.bytes(length);
    content.copy(file, from);
    return file;
  },
];

/** A part of another file, mostly one of the same format, before or instead of a part of this one. */
function plantPiece(given: Given): Buffer {
  const { file, dice, pieces, others } = given;
  const alike = others.filter((other) => other.subarray(0, 2).equals(file.subarray(0, 2)));
  const other = dice.pick(alike.length > 0 && dice.chance(0.8) ? alike : others);
  const donors: readonly Piece[] = findStructure(other).pieces;
  if (donors.length === 0) return splice(given);
  const [place, donor] = [dice.pick(pieces), dice.pick(donors)];
  const rest = dice.chance(0.5) ? place.start : place.end;
  return Buffer.concat([file.subarray(0, place.start), other.subarray(donor.start, donor.end), file.subarray(rest)]);
}

/** Of PNG each chunk's checksum made right; any other file as it is. */
function withChecksums(file: Buffer): Buffer {
  if (file.toString("latin1", 1, 4) !== "PNG") return file;
  for (let at = 8; at + 12 <= file.length; ) {
    const end = at + 8 + file.readUInt32BE(at);
    if (end + 4 > file.length) break;
    file.writeUInt32BE(crc32(file.subarray(at + 4, end)), end);
    at = end + 4;
  }
  return file;
}
