import type { Size } from "./pixels.js";

/** Samples row by row from the top left, grey or RGB, an even number of channels with alpha; 16 bits in this machine's order. */
export type Samples = Size & { data: Buffer; channels: number; bits: 8 | 16 };

const SHORT = 3;
const LONG = 4;
const UNDEFINED = 7;

/** Tag (TIFF 6.0, section 8 and ICC.1:2022, B.4), type, number of values, and the value or where the values lie. */
type Entry = readonly [tag: number, type: number, count: number, value: number];

/**
 * The samples as an uncompressed TIFF with a colour profile: how a profile of any origin is handed to a decoder that
 * follows one. Nothing is coded, so that it costs a copy of the samples.
 */
export function profiledTiff({ data, width, height, channels, bits }: Samples, profile: Buffer): Buffer {
  const depths = Buffer.from(Array.from({ length: channels }, () => [bits, 0]).flat());
  const hasAlpha = channels % 2 === 0;
  const bytesOf = (entries: readonly Entry[]): number => 8 + 2 + entries.length * 12 + 4;
  const describe = (valuesAt: number): Entry[] => [
    [256, LONG, 1, width],
    [257, LONG, 1, height],
    [258, SHORT, channels, channels > 2 ? valuesAt : bits | (channels === 2 ? bits << 16 : 0)],
    [259, SHORT, 1, 1],
    [262, SHORT, 1, channels > 2 ? 2 : 1],
    [273, LONG, 1, valuesAt + depths.length + profile.length],
    [277, SHORT, 1, channels],
    [278, LONG, 1, height],
    [279, LONG, 1, data.length],
    ...(hasAlpha ? ([[338, SHORT, 1, 2]] as const) : []),
    [34_675, UNDEFINED, profile.length, valuesAt + depths.length],
  ];
  return Buffer.concat([directory(describe(bytesOf(describe(0)))), depths, profile, data]);
}

/** The header and the one directory behind it. */
function directory(entries: readonly Entry[]): Buffer {
  const bytes = Buffer.alloc(8 + 2 + entries.length * 12 + 4);
  bytes.write("II*\0\x08", "latin1");
  bytes.writeUInt16LE(entries.length, 8);
  for (const [index, [tag, type, count, value]] of entries.entries()) {
    const at = 10 + index * 12;
    bytes.writeUInt16LE(tag, at);
    bytes.writeUInt16LE(type, at + 2);
    bytes.writeUInt32LE(count, at + 4);
    bytes.writeUInt32LE(value, at + 8);
  }
  return bytes;
}
