import type { Extent } from "./gps-extents.js";
import { type Box, readBoxes } from "./gps-isobmff.js";

/** An item of a `meta` box (ISO/IEC 14496-12, 8.11): its four-character type and where its bytes lie in the file. */
export type HeifItem = { type: string; extents: Extent[] };

const FROM_FILE = 0;
const FROM_ITEM_DATA_BOX = 1;
/** Items and extents read at most; a grid of 100 megapixels has some 400 items. */
const MAX_EXTENTS = 65_536;

/** Items that have both a type and a place in this file. Damage shortens the list. */
export function readHeifItems(file: Buffer, meta: Box): HeifItem[] {
  const children = readBoxes(file, meta.data + 4, meta.end);
  const box = (type: string): Box | undefined => children.find((child) => child.type === type);
  const infos = box("iinf");
  const locations = box("iloc");
  if (!infos || !locations) return [];
  const types = readItemTypes(file, infos);
  return readItemExtents(file, locations, box("idat")).flatMap(({ id, extents }) => {
    const type = types.get(id);
    return type === undefined ? [] : [{ type, extents }];
  });
}

/** Item information entries: from version 2 on they carry a type, before it all are of MIME types. */
function readItemTypes(file: Buffer, infos: Box): Map<number, string> {
  const version = file[infos.data] ?? 0;
  const entries = readBoxes(file, infos.data + (version === 0 ? 6 : 8), infos.end);
  const types = new Map<number, string>();
  for (const entry of entries.filter(({ type }) => type === "infe")) {
    const { uint } = createReader(file, entry.data, entry.end);
    const entryVersion = uint(1);
    uint(3);
    const id = uint(entryVersion >= 3 ? 4 : 2);
    uint(2);
    const typeAt = entry.data + (entryVersion >= 3 ? 10 : 8);
    types.set(id, entryVersion >= 2 ? file.toString("latin1", typeAt, typeAt + 4) : "mime");
  }
  return types;
}

/** The item location box: sizes of its fields, then for each item where its extents lie. */
function readItemExtents(file: Buffer, locations: Box, itemData: Box | undefined): { id: number; extents: Extent[] }[] {
  const reader = createReader(file, locations.data, locations.end);
  const { uint } = reader;
  const version = uint(1);
  uint(3);
  const sizes = uint(2);
  const layout = {
    version,
    offset: sizes >> 12,
    length: (sizes >> 8) & 15,
    base: (sizes >> 4) & 15,
    index: sizes & 15,
  };
  const count = uint(version < 2 ? 2 : 4);
  const items: { id: number; extents: Extent[] }[] = [];
  let left = MAX_EXTENTS;
  for (let i = 0; i < count && left > 0 && !reader.isAtEnd(); i++) {
    const item = readItem(reader, layout, left);
    left -= 1 + item.extents.length;
    items.push({ id: item.id, extents: placeExtents(item, file, itemData) });
  }
  return items;
}

type Layout = { version: number; offset: number; length: number; base: number; index: number };
type RawItem = { id: number; method: number; base: number; extents: { offset: number; length: number }[] };

function readItem({ uint }: Reader, layout: Layout, maxExtents: number): RawItem {
  const id = uint(layout.version < 2 ? 2 : 4);
  const method = layout.version === 0 ? FROM_FILE : uint(2) & 15;
  uint(2);
  const base = uint(layout.base);
  const count = Math.min(uint(2), maxExtents);
  const extents = Array.from({ length: count }, () => {
    if (layout.version > 0) uint(layout.index);
    return { offset: uint(layout.offset), length: uint(layout.length) };
  });
  return { id, method, base, extents };
}

/** Extents in the file, clipped to it; those that count from another item are left out. A length of 0 means all. */
function placeExtents({ method, base, extents }: RawItem, file: Buffer, itemData: Box | undefined): Extent[] {
  const whole = { start: 0, end: file.length };
  const source = method === FROM_FILE ? whole : method === FROM_ITEM_DATA_BOX && itemData ? dataOf(itemData) : null;
  if (!source) return [];
  return extents
    .map(({ offset, length }) => {
      const start = source.start + base + offset;
      return { start, end: Math.min(source.end, length === 0 ? source.end : start + length) };
    })
    .filter(({ start, end }) => end > start);
}

const dataOf = ({ data, end }: Box): Extent => ({ start: data, end });

type Reader = { uint(bytes: number): number; isAtEnd(): boolean };

/** Reads big-endian numbers of 0 to 8 bytes one after another; all are 0 past the end. */
export function createReader(file: Buffer, from: number, end: number): Reader {
  let at = from;
  return {
    uint(bytes) {
      const start = at;
      at += bytes;
      if (bytes === 0 || at > end) return 0;
      return bytes === 8 ? Number(file.readBigUInt64BE(start)) : file.readUIntBE(start, Math.min(bytes, 6));
    },
    isAtEnd: () => at >= end,
  };
}
