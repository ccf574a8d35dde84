/** A picture of one uncompressed strip, its samples little-endian. TIFF 6.0, section 8; ICC.1:2022, B.4, for the profile. */
export type TiffPicture = {
  width: number;
  height: number;
  channels: number;
  bits: 8 | 16 | 32;
  /** 0 and 1 grey, 2 RGB, 5 CMYK, 8 CIE L*a*b*. */
  photometric: 0 | 1 | 2 | 5 | 8;
  isFloat?: boolean;
  orientation?: number;
  profile?: Buffer;
  data: Buffer;
};

const SHORT = 3;
const LONG = 4;
const UNDEFINED = 7;

export function tiffFile({ data, profile = Buffer.alloc(0), ...picture }: TiffPicture): Buffer {
  const { width, height, channels, bits, photometric, isFloat = false, orientation = 1 } = picture;
  const repeated = (value: number): Buffer => Buffer.from(Array.from({ length: channels }, () => [value, 0]).flat());
  const [depths, formats] = [repeated(bits), repeated(isFloat ? 3 : 1)];
  const valuesAt = 10 + 12 * 12 + 4;
  const inline = (values: Buffer, at: number): number => (channels === 1 ? values.readUInt16LE(0) : at);
  const entries = [
    [256, LONG, 1, width],
    [257, LONG, 1, height],
    [258, SHORT, channels, inline(depths, valuesAt)],
    [259, SHORT, 1, 1],
    [262, SHORT, 1, photometric],
    [273, LONG, 1, valuesAt + depths.length + formats.length + profile.length],
    [274, SHORT, 1, orientation],
    [277, SHORT, 1, channels],
    [278, LONG, 1, height],
    [279, LONG, 1, data.length],
    [339, SHORT, channels, inline(formats, valuesAt + depths.length)],
    [34_675, UNDEFINED, profile.length, valuesAt + depths.length + formats.length],
  ] as const;
  const head = Buffer.alloc(valuesAt);
  const used = profile.length > 0 ? entries : entries.slice(0, -1);
  head.write("II*\0\x08", "latin1");
  head.writeUInt16LE(used.length, 8);
  for (const [index, [tag, type, count, value]] of used.entries()) {
    head.writeUInt16LE(tag, 10 + index * 12);
    head.writeUInt16LE(type, 12 + index * 12);
    head.writeUInt32LE(count, 14 + index * 12);
    head.writeUInt32LE(value, 18 + index * 12);
  }
  return Buffer.concat([head, depths, formats, profile, data]);
}
