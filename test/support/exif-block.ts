/** One tag of a TIFF directory; the bytes are written as they are. */
export type Tag = { tag: number; type: number; count: number; bytes: Buffer };

/** ASCII, NUL at its end; the text may hold any byte as its Latin-1 character. */
export function ascii(tag: number, text: string): Tag {
  const bytes = Buffer.from(`${text}\0`, "latin1");
  return { tag, type: 2, count: bytes.length, bytes };
}

export function rationals(tag: number, ...pairs: readonly (readonly [number, number])[]): Tag {
  const bytes = Buffer.alloc(pairs.length * 8);
  for (const [at, value] of pairs.flat().entries()) bytes.writeUInt32LE(value, at * 4);
  return { tag, type: 5, count: pairs.length, bytes };
}

export function short(tag: number, ...values: readonly number[]): Tag {
  const bytes = Buffer.alloc(values.length * 2);
  for (const [at, value] of values.entries()) bytes.writeUInt16LE(value, at * 2);
  return { tag, type: 3, count: values.length, bytes };
}

/** A little-endian EXIF block (a TIFF without a picture), for what no well-behaved writer would write. */
export function exifBlock({ main = [], exif = [], gps = [] }: { main?: Tag[]; exif?: Tag[]; gps?: Tag[] }): Buffer {
  const start = 8;
  const exifStart = start + directory([...main, pointer(0x8769, 0), pointer(0x8825, 0)], start).length;
  const exifBytes = directory(exif, exifStart);
  const gpsStart = exifStart + exifBytes.length;
  const mainBytes = directory([...main, pointer(0x8769, exifStart), pointer(0x8825, gpsStart)], start);
  return Buffer.concat([Buffer.from("II*\0\x08\0\0\0", "latin1"), mainBytes, exifBytes, directory(gps, gpsStart)]);
}

function pointer(tag: number, target: number): Tag {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(target);
  return { tag, type: 4, count: 1, bytes };
}

/** Entries, the end mark, then the values that need more than the four bytes of an entry. */
function directory(tags: readonly Tag[], offset: number): Buffer {
  const head = Buffer.alloc(2 + tags.length * 12 + 4);
  head.writeUInt16LE(tags.length);
  const values: Buffer[] = [];
  let free = offset + head.length;
  for (const [index, { tag, type, count, bytes }] of tags.entries()) {
    const at = 2 + index * 12;
    head.writeUInt16LE(tag, at);
    head.writeUInt16LE(type, at + 2);
    head.writeUInt32LE(count, at + 4);
    if (bytes.length <= 4) bytes.copy(head, at + 8);
    else {
      head.writeUInt32LE(free, at + 8);
      values.push(bytes);
      free += bytes.length;
    }
  }
  return Buffer.concat([head, ...values]);
}
