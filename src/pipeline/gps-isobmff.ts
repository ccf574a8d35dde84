/** A box of the ISO base media file format (ISO/IEC 14496-12, 4.2): its payload is `data` up to `end`. */
export type Box = { readonly type: string; readonly start: number; readonly data: number; readonly end: number };

const CONTAINERS = new Set(["moov", "trak", "udta", "mdia", "minf", "meta", "ilst", "moof", "traf"]);
/** QuickTime's ©xyz, 3GPP's loci, and the tables dash cameras and GoPro write. */
const LOCATION_BOXES = new Set(["\xa9xyz", "loci", "gps ", "GPS ", "gps0", "GPMF"]);
const LOCATION_KEY = /location|gps|latitude|longitude/i;
const MAX_DEPTH = 8;
const MAX_BOXES = 100_000;
const MAX_MOVIES = 64;

/** The boxes that follow one another in `from..to`, clipped to it; ends at the first that cannot be one. */
export function readBoxes(bytes: Buffer, from: number, to: number): Box[] {
  const boxes: Box[] = [];
  let start = from;
  while (start + 8 <= to && boxes.length < MAX_BOXES) {
    const { size, header } = boxSize(bytes, start, to);
    if (size < header) break;
    const end = Math.min(to, start + size);
    boxes.push({ type: bytes.toString("latin1", start + 4, start + 8), start, data: start + header, end });
    start = end;
  }
  return boxes;
}

/** A size of 1 says that 64 bits of size follow, 0 that the box takes all there is. */
function boxSize(bytes: Buffer, start: number, to: number): { size: number; header: number } {
  const size = bytes.readUInt32BE(start);
  if (size === 1) return { size: start + 16 <= to ? Number(bytes.readBigUInt64BE(start + 8)) : 0, header: 16 };
  return { size: size === 0 ? to - start : size, header: 8 };
}

/** Blanks position in every movie that starts among the bytes, such as the one behind a motion photo. */
export function blankMovies(bytes: Buffer): boolean {
  let changed = false;
  let at = bytes.indexOf("ftyp");
  for (let found = 0; at >= 0 && found < MAX_MOVIES; found++) {
    if (at >= 4) changed = blankBoxes(bytes, readBoxes(bytes, at - 4, bytes.length), 0) || changed;
    at = bytes.indexOf("ftyp", at + 4);
  }
  return changed;
}

/** Boxes that hold a position become `free` boxes of zeros; no other byte moves. */
function blankBoxes(bytes: Buffer, boxes: readonly Box[], depth: number): boolean {
  let changed = false;
  for (const box of boxes) {
    if (LOCATION_BOXES.has(box.type)) changed = freeBox(bytes, box) || changed;
    else if (CONTAINERS.has(box.type) && depth < MAX_DEPTH) changed = blankContainer(bytes, box, depth) || changed;
  }
  return changed;
}

function blankContainer(bytes: Buffer, box: Box, depth: number): boolean {
  const children = readBoxes(bytes, box.data + metaPrefix(bytes, box), box.end);
  const items = box.type === "meta" ? freeLocationItems(bytes, children) : false;
  return blankBoxes(bytes, children, depth + 1) || items;
}

/** ISO's `meta` starts with version and flags, QuickTime's does not. */
const metaPrefix = (bytes: Buffer, box: Box): number =>
  box.type === "meta" && bytes.toString("latin1", box.data + 4, box.data + 8) !== "hdlr" ? 4 : 0;

/** QuickTime metadata: `keys` names the items, `ilst` holds them under their 1-based index in `keys`. */
function freeLocationItems(bytes: Buffer, children: readonly Box[]): boolean {
  const keys = children.find((box) => box.type === "keys");
  const list = children.find((box) => box.type === "ilst");
  if (!list) return false;
  const named = keys ? readBoxes(bytes, keys.data + 8, keys.end) : [];
  const isLocation = (item: Box): boolean => {
    const key = named[bytes.readUInt32BE(item.start + 4) - 1];
    if (key) return LOCATION_KEY.test(bytes.toString("latin1", key.data, key.end));
    return item.type === "----" && LOCATION_KEY.test(bytes.toString("latin1", item.data, item.end));
  };
  const freed = readBoxes(bytes, list.data, list.end).filter(isLocation);
  return freed.map((item) => freeBox(bytes, item)).includes(true);
}

function freeBox(bytes: Buffer, box: Box): boolean {
  bytes.write("free", box.start + 4, "latin1");
  bytes.fill(0, box.data, box.end);
  return true;
}
