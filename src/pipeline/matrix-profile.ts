/** X, Y and Z; red, green and blue of full strength in it, with white brought to D50. */
export type Vector = readonly [number, number, number];
export type Colours = readonly [red: Vector, green: Vector, blue: Vector];

/** From a coded value to light, both 0..1. */
export type Curve = (value: number) => number;

/** The white of a profile's own space (ICC.1:2022, 7.2.16). */
const D50: Vector = [0.9642, 1, 0.8249];

const HEADER_BYTES = 128;
const TAG_ENTRY_BYTES = 12;

/** An ICC profile of three colours and one curve, its table of one to another rounded to 16 bits (ICC.1:2022, 8.3.3). */
export function matrixProfile([red, green, blue]: Colours, curve: Curve): Buffer {
  const tags: [names: string[], data: Buffer][] = [
    [["wtpt"], xyzTag(D50)],
    [["rXYZ"], xyzTag(red)],
    [["gXYZ"], xyzTag(green)],
    [["bXYZ"], xyzTag(blue)],
    [["rTRC", "gTRC", "bTRC"], curveTag(curve)],
  ];
  const names = tags.flatMap(([names]) => names);
  const entries: Buffer[] = [uint32s(names.length)];
  let at = HEADER_BYTES + 4 + names.length * TAG_ENTRY_BYTES;
  for (const [names, data] of tags) {
    for (const name of names) entries.push(Buffer.from(name, "latin1"), uint32s(at, data.length));
    at += data.length;
  }
  return Buffer.concat([header(at), ...entries, ...tags.map(([, data]) => data)]);
}

/** ICC.1:2022, 7.2: version 2.4, a display's, in RGB over XYZ. */
function header(size: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.writeUInt32BE(size);
  bytes.writeUInt32BE(0x02400000, 8);
  bytes.write("mntrRGB XYZ ", 12, "latin1");
  bytes.write("acsp", 36, "latin1");
  fixed(D50).copy(bytes, 68);
  return bytes;
}

function uint32s(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [at, value] of values.entries()) bytes.writeUInt32BE(value, at * 4);
  return bytes;
}

const xyzTag = (xyz: Vector): Buffer => Buffer.concat([Buffer.from("XYZ \0\0\0\0", "latin1"), fixed(xyz)]);

/** Sixteen bits before the point and sixteen behind it. */
const fixed = (values: Vector): Buffer => uint32s(...values.map((value) => Math.round(value * 65_536) >>> 0));

const CURVE_POINTS = 4096;

function curveTag(curve: Curve): Buffer {
  const bytes = Buffer.alloc(12 + CURVE_POINTS * 2);
  bytes.write("curv", "latin1");
  bytes.writeUInt32BE(CURVE_POINTS, 8);
  for (let at = 0; at < CURVE_POINTS; at++)
    bytes.writeUInt16BE(Math.round(curve(at / (CURVE_POINTS - 1)) * 65_535), 12 + at * 2);
  return bytes;
}
