/** An ICC profile of one grey curve, light being the value to the power of `gamma` (ICC.1:2022, 8.3.4). */
export function greyProfile(gamma: number): Buffer {
  const profile = Buffer.alloc(192);
  profile.writeUInt32BE(profile.length);
  profile.writeUInt32BE(0x02400000, 8);
  profile.write("mntrGRAYXYZ ", 12, "latin1");
  profile.write("acsp", 36, "latin1");
  for (const [at, value] of [0.9642, 1, 0.8249].entries())
    for (const start of [68, 164]) profile.writeInt32BE(Math.round(value * 65_536), start + at * 4);
  profile.writeUInt32BE(2, 128);
  for (const [at, [name, start, length]] of (
    [
      ["wtpt", 156, 20],
      ["kTRC", 176, 14],
    ] as const
  ).entries()) {
    profile.write(name, 132 + at * 12, "latin1");
    profile.writeUInt32BE(start, 136 + at * 12);
    profile.writeUInt32BE(length, 140 + at * 12);
  }
  profile.write("XYZ ", 156, "latin1");
  profile.write("curv", 176, "latin1");
  profile.writeUInt32BE(1, 184);
  profile.writeUInt16BE(Math.round(gamma * 256), 188);
  return profile;
}
