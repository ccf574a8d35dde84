import { readHeifItems } from "../../src/pipeline/gps-heif-items.js";
import { type Box, readBoxes } from "../../src/pipeline/gps-isobmff.js";

/** An item of a HEIF file with the boxes of its properties, in the order they apply. */
export type HeifItem = {
  type: string;
  data: Buffer;
  properties: readonly Buffer[];
  /** Indexes of the items this one is made of (`dimg`) or belongs to (`auxl`). */
  references?: { type: "dimg" | "auxl"; to: readonly number[] };
};

/** Bytes of a big-endian number. */
function uint(value: number, bytes: 1 | 2 | 4): Buffer {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntBE(value, 0, bytes);
  return buffer;
}

/** A box of the ISO base media file format. */
function box(type: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([uint(body.length + 8, 4), Buffer.from(type, "latin1"), body]);
}

const fullBox = (type: string, version: number, flags: number, ...parts: readonly Buffer[]): Buffer =>
  box(type, uint(version * 2 ** 24 + flags, 4), ...parts);

/** ISO/IEC 23008-12, 6.5.3; 6.5.10; 6.5.12; ISO/IEC 14496-12, 12.1.5 and 12.1.4.2. Fractions of `clap` have a divisor of 1. */
export const PROPERTIES = {
  size: (width: number, height: number): Buffer => fullBox("ispe", 0, 0, uint(width, 4), uint(height, 4)),
  turn: (quartersAnticlockwise: number): Buffer => box("irot", uint(quartersAnticlockwise, 1)),
  mirror: (axis: "top and bottom" | "left and right"): Buffer =>
    box("imir", uint(axis === "top and bottom" ? 0 : 1, 1)),
  codePoints: (primaries: number, transfer: number, matrix = 6): Buffer =>
    box("colr", Buffer.from("nclx"), uint(primaries, 2), uint(transfer, 2), uint(matrix, 2), uint(0x80, 1)),
  crop: (width: number, height: number, rightBy: number, downBy: number): Buffer =>
    box("clap", ...[width, height, rightBy, downBy].flatMap((value) => [uint(value >>> 0, 4), uint(1, 4)])),
  alpha: (): Buffer => fullBox("auxC", 0, 0, Buffer.from("urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0")),
} as const;

/** The one picture of a file, as an item to build others of. */
export function itemOf(file: Buffer): HeifItem {
  const meta = find(file, 0, file.length, "meta");
  const properties = find(file, meta.data + 4, meta.end, "iprp");
  const container = find(file, properties.data, properties.end, "ipco");
  const item = readHeifItems(file, meta).find(({ type }) => type === "hvc1" || type === "av01");
  if (!item) throw new Error("there is no coded picture");
  return {
    type: item.type,
    data: Buffer.concat(item.extents.map(({ start, end }) => file.subarray(start, end))),
    properties: readBoxes(file, container.data, container.end)
      .filter(({ type }) => ["hvcC", "av1C", "ispe", "pixi"].includes(type))
      .map(({ start, end }) => file.subarray(start, end)),
  };
}

function find(file: Buffer, from: number, to: number, type: string): Box {
  const found = readBoxes(file, from, to).find((child) => child.type === type);
  if (!found) throw new Error(`there is no ${type}`);
  return found;
}

/** Tiles of one size side by side, as one picture (ISO/IEC 23008-12, 6.6.2.3). */
export const gridItem = (
  { columns, rows, width, height }: { columns: number; rows: number; width: number; height: number },
  tiles: readonly number[],
): HeifItem => ({
  type: "grid",
  data: Buffer.concat([Buffer.from([0, 0, rows - 1, columns - 1]), uint(width, 2), uint(height, 2)]),
  properties: [PROPERTIES.size(width, height)],
  references: { type: "dimg", to: tiles },
});

/** A file of these items, the first of which is what it shows. */
export function heifFile(items: readonly HeifItem[]): Buffer {
  const brand = items.some(({ type }) => type === "av01") ? "avif" : "heic";
  const start = box("ftyp", Buffer.from(`${brand}\0\0\0\0mif1miaf${brand}`, "latin1"));
  const dataAt = start.length + metaOf(items, 0).length + 8;
  return Buffer.concat([start, metaOf(items, dataAt), box("mdat", ...items.map(({ data }) => data))]);
}

/** Item n has the id n + 1. */
function metaOf(items: readonly HeifItem[], dataAt: number): Buffer {
  const infos = items.map(({ type }, at) =>
    fullBox("infe", 2, 0, uint(at + 1, 2), uint(0, 2), Buffer.from(`${type}\0`, "latin1")),
  );
  const references = items.flatMap(({ references }, at) =>
    references
      ? [box(references.type, ...[at + 1, references.to.length, ...references.to.map((to) => to + 1)].map(short))]
      : [],
  );
  return fullBox(
    "meta",
    0,
    0,
    fullBox("hdlr", 0, 0, Buffer.from("\0\0\0\0pict\0\0\0\0\0\0\0\0\0\0\0\0\0", "latin1")),
    fullBox("pitm", 0, 0, uint(1, 2)),
    locations(items, dataAt),
    fullBox("iinf", 0, 0, uint(items.length, 2), ...infos),
    ...(references.length > 0 ? [fullBox("iref", 0, 0, ...references)] : []),
    propertiesOf(items),
  );
}

const short = (value: number): Buffer => uint(value, 2);

function locations(items: readonly HeifItem[], dataAt: number): Buffer {
  let at = dataAt;
  const entries = items.map(({ data }, index) => {
    const entry = Buffer.concat([uint(index + 1, 2), uint(0, 2), uint(1, 2), uint(at, 4), uint(data.length, 4)]);
    at += data.length;
    return entry;
  });
  return fullBox("iloc", 0, 0, uint(0x4400, 2), uint(items.length, 2), ...entries);
}

/**
 * Items that are given the same box share it. What changes the picture's shape is essential: a reader that does not know
 * it must refuse.
 */
function propertiesOf(items: readonly HeifItem[]): Buffer {
  const isEssential = (property: Buffer): boolean =>
    !["ispe", "pixi", "colr"].includes(property.toString("latin1", 4, 8));
  const all = [...new Set(items.flatMap(({ properties }) => properties))];
  const entries = items.map(({ properties }, at) =>
    Buffer.concat([
      uint(at + 1, 2),
      uint(properties.length, 1),
      ...properties.map((property) => uint((all.indexOf(property) + 1) | (isEssential(property) ? 0x80 : 0), 1)),
    ]),
  );
  return box("iprp", box("ipco", ...all), fullBox("ipma", 0, 0, uint(items.length, 4), ...entries));
}
