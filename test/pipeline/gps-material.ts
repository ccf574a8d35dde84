import exifr from "exifr";
import sharp, { type Sharp } from "sharp";

/** Makers of metadata with a position in it, well formed and not, for the tests of what takes the position out. */
export type Order = "II" | "MM";

/** The value of a TIFF entry: text, whole numbers, rationals as pairs, bytes, or the place of something else. */
export type Value =
  | { text: string }
  | { shorts: readonly number[] }
  | { longs: readonly number[] }
  | { rationals: readonly (readonly [number, number])[] }
  | { bytes: Buffer }
  | { ifd: string }
  | { placeOf: Buffer };
export type Tags = Readonly<Record<number, Value>>;

export type TiffPlan = {
  order?: Order;
  big?: boolean;
  /** Directories by name, laid down in this order; `first` is the one the header leads to. */
  ifds: Readonly<Record<string, Tags>>;
  first?: string;
  /** Which directory links to which. */
  next?: Readonly<Record<string, string>>;
};

export const LATITUDE: Value = {
  rationals: [
    [51, 1],
    [30, 1],
    [3230, 100],
  ],
};
const LONGITUDE: Value = {
  rationals: [
    [7, 1],
    [8, 1],
    [4366, 100],
  ],
};
/** The latitude's and the longitude's last rational as they stand in a file: what must be nowhere. */
const SECONDS = [3230, 4366] as const;

export const GPS_TAGS: Tags = { 1: { text: "N" }, 2: LATITUDE, 3: { text: "E" }, 4: LONGITUDE };
export const CAMERA_TAGS: Tags = { 271: { text: "Acme Cameras" }, 272: { text: "Model One" } };
export const LENS_TAGS: Tags = { 36867: { text: "2020:01:02 03:04:05" }, 42036: { text: "A long lens" } };

/** An EXIF block as cameras write it: main directory, Exif directory, GPS directory. */
export const camera = (order: Order, gps: Tags = GPS_TAGS): Buffer =>
  composeTiff({
    order,
    ifds: {
      main: { ...CAMERA_TAGS, 34665: { ifd: "exif" }, 34853: { ifd: "gps" }, 40091: { text: "behind the pointer" } },
      exif: LENS_TAGS,
      gps,
    },
  });

/** The same block as if no position had ever been in it. */
export const cameraWithoutGps = (order: Order): Buffer =>
  composeTiff({
    order,
    ifds: {
      main: { ...CAMERA_TAGS, 34665: { ifd: "exif" }, 40091: { text: "behind the pointer" } },
      exif: LENS_TAGS,
    },
  });

type Sizes = { count: number; entry: number; word: number; header: number };
const CLASSIC: Sizes = { count: 2, entry: 12, word: 4, header: 8 };
const BIG: Sizes = { count: 8, entry: 20, word: 8, header: 16 };

/** Writes the directories one after another, each with its values behind it. Entries are sorted by tag. */
export function composeTiff({ order = "II", big = false, ifds, first, next = {} }: TiffPlan): Buffer {
  const sizes = big ? BIG : CLASSIC;
  const places = new Map<string, number>();
  let end = sizes.header;
  for (const [name, tags] of Object.entries(ifds)) {
    places.set(name, end);
    end += ifdBytes(tags, sizes);
  }
  const block = Buffer.alloc(end);
  const put = (value: number, at: number, bytes: number) => putUint(block, order, { value, at, bytes });
  block.write(order, "latin1");
  put(big ? 43 : 42, 2, 2);
  if (big) put(8, 4, 2);
  put(places.get(first ?? Object.keys(ifds)[0]!)!, sizes.word, sizes.word);
  for (const [name, tags] of Object.entries(ifds)) writeIfd(name, tags);
  return block;

  function writeIfd(name: string, tags: Tags): void {
    const at = places.get(name)!;
    const entries = Object.entries(tags);
    const linkAt = at + sizes.count + entries.length * sizes.entry;
    put(entries.length, at, sizes.count);
    put(places.get(next[name] ?? "") ?? 0, linkAt, sizes.word);
    let free = linkAt + sizes.word;
    for (const [index, [tag, value]] of entries.entries())
      free += writeEntry(at + sizes.count + index * sizes.entry, Number(tag), { value, free });
  }

  function writeEntry(at: number, tag: number, { value, free }: { value: Value; free: number }): number {
    const { type, count, bytes } = encodeValue(value, order, { places, free });
    put(tag, at, 2);
    put(type, at + 2, 2);
    put(count, at + 4, sizes.word);
    const isInline = bytes.length <= sizes.word && !("placeOf" in value);
    if (isInline) bytes.copy(block, at + 4 + sizes.word);
    else put(free, at + 4 + sizes.word, sizes.word);
    if (!isInline) bytes.copy(block, free);
    return isInline ? 0 : bytes.length;
  }
}

function encodeValue(value: Value, order: Order, { places }: { places: Map<string, number>; free: number }) {
  if ("text" in value)
    return { type: 2, count: value.text.length + 1, bytes: Buffer.from(`${value.text}\0`, "latin1") };
  if ("bytes" in value) return { type: 7, count: value.bytes.length, bytes: value.bytes };
  if ("placeOf" in value) return { type: 4, count: 1, bytes: value.placeOf };
  if ("shorts" in value) return { type: 3, count: value.shorts.length, bytes: numbers(value.shorts, 2, order) };
  if ("longs" in value) return { type: 4, count: value.longs.length, bytes: numbers(value.longs, 4, order) };
  if ("rationals" in value)
    return { type: 5, count: value.rationals.length, bytes: numbers(value.rationals.flat(), 4, order) };
  return { type: 4, count: 1, bytes: numbers([places.get(value.ifd)!], 4, order) };
}

function ifdBytes(tags: Tags, sizes: Sizes): number {
  const values = Object.values(tags).map((value) => {
    const { bytes } = encodeValue(value, "II", { places: new Map([["ifd" in value ? value.ifd : "", 0]]), free: 0 });
    return bytes.length <= sizes.word && !("placeOf" in value) ? 0 : bytes.length;
  });
  return sizes.count + values.length * sizes.entry + sizes.word + values.reduce((sum, bytes) => sum + bytes, 0);
}

function numbers(values: readonly number[], bytes: number, order: Order): Buffer {
  const block = Buffer.alloc(values.length * bytes);
  for (const [index, value] of values.entries()) putUint(block, order, { value, at: index * bytes, bytes });
  return block;
}

export function putUint(
  block: Buffer,
  order: Order,
  { value, at, bytes }: { value: number; at: number; bytes: number },
) {
  const low = Math.min(bytes, 6);
  if (order === "II") block.writeUIntLE(value, at, low);
  else block.writeUIntBE(value, at + bytes - low, low);
}

/** Whether a number of the position stands in the bytes, in either byte order. */
export const holdsSeconds = (bytes: Buffer): boolean =>
  SECONDS.some(
    (seconds) => bytes.includes(numbers([seconds, 100], 4, "II")) || bytes.includes(numbers([seconds, 100], 4, "MM")),
  );

export const XMP_POSITION = "51,30.5384N";

export const xmpPacket = (properties: string, inside = ""): string =>
  `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` +
  `<rdf:Description rdf:about="" xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" ${properties}>` +
  `${inside}</rdf:Description></rdf:RDF></x:xmpmeta>`;

export const XMP_WITH_GPS = xmpPacket(`tiff:Make="Acme" exif:GPSLatitude="${XMP_POSITION}" exif:GPSLongitude="7,8.7W"`);

/** A picture of noise, so that each pixel tells. */
export function noise(width = 64, height = 48): Sharp {
  const pixels = Buffer.alloc(width * height * 3);
  for (let at = 0; at < pixels.length; at++) pixels[at] = (at * 7919 + (at >> 5) * 31) % 251;
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}

/** EXIF with a position, for sharp to write. */
export const SHARP_EXIF = {
  IFD0: { Make: "Acme Cameras", Model: "Model One" },
  IFD2: { DateTimeOriginal: "2020:01:02 03:04:05", LensModel: "A long lens" },
  IFD3: {
    GPSLatitudeRef: "N",
    GPSLatitude: "51/1 30/1 3230/100",
    GPSLongitudeRef: "E",
    GPSLongitude: "7/1 8/1 4366/100",
  },
};

export const pixelsOf = (picture: Buffer): Promise<Buffer> =>
  sharp(picture, { animated: true, failOn: "error" }).raw().toBuffer();

/** What exifr sees of a position: coordinates, the GPS directory, and XMP properties named for one. */
export async function positionSeen(file: Buffer): Promise<unknown[]> {
  const options = { gps: true, tiff: true, xmp: true, mergeOutput: false, multiSegment: true };
  const parsed: Record<string, Record<string, unknown> | undefined> = (await exifr.parse(file, options)) ?? {};
  const properties = Object.values(parsed).flatMap((group) => Object.entries(group ?? {}));
  return [parsed.gps, ...properties.filter(([name]) => /gps|latitude|longitude/i.test(name))].filter(Boolean);
}

export const segment = (marker: number, ...parts: readonly (Buffer | string)[]): Buffer => {
  const payload = Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : part)));
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(payload.length + 2, 2);
  return Buffer.concat([head, payload]);
};

export const exifSegment = (block: Buffer): Buffer => segment(0xe1, "Exif\0\0", block);
export const xmpSegment = (packet: Buffer | string): Buffer => segment(0xe1, "http://ns.adobe.com/xap/1.0/\0", packet);

/** A JPEG file with these segments right behind its start. */
export async function jpegWith(...segments: readonly Buffer[]): Promise<Buffer> {
  const plain = await noise().jpeg().toBuffer();
  return Buffer.concat([plain.subarray(0, 2), ...segments, plain.subarray(2)]);
}

/** One Photoshop image resource. */
export function imageResource(id: number, data: Buffer | string): Buffer {
  const bytes = Buffer.from(data as string, "latin1");
  const head = Buffer.from([...Buffer.from("8BIM"), id >> 8, id & 0xff, 0, 0, 0, 0, 0, 0]);
  head.writeUInt32BE(bytes.length, 8);
  return Buffer.concat([head, bytes, Buffer.alloc(bytes.length % 2)]);
}

/** A box of the ISO base media file format. */
export function box(type: string, ...parts: readonly (Buffer | string)[]): Buffer {
  const payload = Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : part)));
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + payload.length);
  head.write(type, 4, "latin1");
  return Buffer.concat([head, payload]);
}
