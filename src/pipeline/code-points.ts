import { readHead } from "./file-head.js";
import { createReader } from "./gps-heif-items.js";
import { type Box, readBoxes } from "./gps-isobmff.js";

/** What the numbers of a picture mean, itself told in numbers (ITU-T H.273, tables 2 and 3). */
export type CodePoints = { primaries: number; transfer: number };

/** Where the headers of a file end at the latest; what lies behind is not looked at. */
const HEAD_BYTES = 1 << 20;
const PNG_SIGNATURE_BYTES = 8;

/** The code points of a PNG, HEIC or AVIF file, or null; damage counts as none. Those inside coded pixels are not read. */
export async function readCodePoints(path: string, contentType: string): Promise<CodePoints | null> {
  const head = await readHead(path, HEAD_BYTES);
  return contentType === "image/png" ? pngCodePoints(head) : heifCodePoints(head);
}

/** The `cICP` chunk, which stands before the pixels (W3C, PNG, 11.3.2.6). */
function pngCodePoints(file: Buffer): CodePoints | null {
  let at = PNG_SIGNATURE_BYTES;
  while (at + 12 <= file.length) {
    const length = file.readUInt32BE(at);
    const type = file.toString("latin1", at + 4, at + 8);
    if (type === "cICP" && length === 4) return { primaries: file[at + 8] ?? 0, transfer: file[at + 9] ?? 0 };
    if (type === "IDAT") return null;
    at += 12 + length;
  }
  return null;
}

/** The `colr` box of the primary item (ISO/IEC 23008-12, 6.5.5; ISO/IEC 14496-12, 12.1.5). */
function heifCodePoints(file: Buffer): CodePoints | null {
  const meta = readBoxes(file, 0, file.length).find(({ type }) => type === "meta");
  const children = meta ? readBoxes(file, meta.data + 4, meta.end) : [];
  const primary = children.find(({ type }) => type === "pitm");
  const properties = children.find(({ type }) => type === "iprp");
  if (!primary || !properties) return null;
  const [container, ...associations] = readBoxes(file, properties.data, properties.end);
  if (container?.type !== "ipco") return null;
  const id = primaryItem(file, primary);
  const all = readBoxes(file, container.data, container.end);
  const own = associations.flatMap((box) => propertiesOf(file, box, id)).flatMap((index) => all[index - 1] ?? []);
  const colours = own.find((box) => box.type === "colr" && file.toString("latin1", box.data, box.data + 4) === "nclx");
  if (!colours) return null;
  const { uint } = createReader(file, colours.data + 4, colours.end);
  return { primaries: uint(2), transfer: uint(2) };
}

function primaryItem(file: Buffer, { data, end }: Box): number {
  const { uint } = createReader(file, data, end);
  const version = uint(1);
  uint(3);
  return uint(version === 0 ? 2 : 4);
}

/** The 1-based indexes of the item's properties by one `ipma` box (ISO/IEC 23008-12, 9.3). */
function propertiesOf(file: Buffer, { data, end }: Box, item: number): number[] {
  const reader = createReader(file, data, end);
  const { uint } = reader;
  const version = uint(1);
  const isWide = (uint(3) & 1) === 1;
  const entries = uint(4);
  for (let entry = 0; entry < entries && !reader.isAtEnd(); entry++) {
    const id = uint(version === 0 ? 2 : 4);
    const indexes = Array.from({ length: uint(1) }, () => uint(isWide ? 2 : 1) & (isWide ? 0x7fff : 0x7f));
    if (id === item) return indexes;
  }
  return [];
}
