import { crc32, deflateSync } from "node:zlib";

/** Signature and IHDR: what stands before every other chunk (W3C, PNG, 5.6). */
const PNG_START_BYTES = 33;

/** The PNG with a colour profile, of which it must have none: an iCCP chunk (W3C, PNG, 11.3.2.3) behind its header. */
export function withIccProfile(png: Buffer, profile: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from("iCCPicc\0\0", "latin1"), deflateSync(profile)]);
  const chunk = Buffer.alloc(body.length + 8);
  chunk.writeUInt32BE(body.length - "iCCP".length, 0);
  body.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(body), body.length + 4);
  return Buffer.concat([png.subarray(0, PNG_START_BYTES), chunk, png.subarray(PNG_START_BYTES)]);
}
