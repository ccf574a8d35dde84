import sharp, { type Sharp } from "sharp";
import { type Curve, matrixProfile, type Vector } from "../../src/pipeline/matrix-profile.js";
import { profiledTiff } from "../../src/pipeline/profiled-tiff.js";
import { colourants, converterToSrgb, deltaE2000, labOf, type RgbSpace } from "./colour-science.js";

/** Longer than the largest variant, so that it is shrunk, and low, so that it is quick. */
const SIZE = { width: 1700, height: 54 } as const;

/** The coded value at a place: greys, pale and full colours that run into one another. */
function valueAt(x: number, y: number): Vector {
  const hue = 2 * Math.PI * x;
  const strength = 0.3 + 0.2 * y;
  const light = 0.3 + 0.3 * y;
  const channel = (shift: number): number => Math.max(0, Math.min(1, light + strength * Math.cos(hue - shift)));
  return [channel(0), channel(2.0944), channel(4.1888)];
}

function paint(bits: 8 | 16, colour: (value: Vector) => Vector): Buffer {
  const { width, height } = SIZE;
  const most = 2 ** bits - 1;
  const samples = bits === 8 ? new Uint8Array(width * height * 3) : new Uint16Array(width * height * 3);
  for (let at = 0; at < width * height; at++) {
    const value = colour(valueAt((at % width) / width, Math.floor(at / width) / height));
    samples.set(
      value.map((part) => Math.round(part * most)),
      at * 3,
    );
  }
  return Buffer.from(samples.buffer);
}

/** The field's numbers with a profile, or with none, to be saved in whatever format. */
export function field(profile: Buffer | null, bits: 8 | 16 = 8): Sharp {
  const data = paint(bits, (value) => value);
  const space = bits === 16 ? "rgb16" : "srgb";
  if (profile)
    return sharp(profiledTiff({ data, ...SIZE, channels: 3, bits }, profile))
      .keepIccProfile()
      .toColourspace(space);
  const samples = bits === 16 ? new Uint16Array(data.buffer) : data;
  return sharp(samples, { raw: { ...SIZE, channels: 3 } }).toColourspace(space);
}

/** A profile of the space; `curve` where its light is another than the space's own. */
export const profileOfSpace = (space: RgbSpace, curve: Curve = space.toLight): Buffer =>
  matrixProfile(colourants(space), curve);

/** ΔE2000 between a rendered picture of the field and the same colours computed, shrunk once and never coded. */
export async function fieldError(rendered: string, space: RgbSpace): Promise<{ mean: number; p99: number }> {
  const { data, info } = await sharp(rendered).raw().toBuffer({ resolveWithObject: true });
  const expected = await expectedField(space, info);
  return pictureError(data, expected);
}

/** ΔE2000 between two pictures of the same size in 8-bit sRGB. */
export function pictureError(one: Buffer, other: Buffer): { mean: number; p99: number } {
  const errors: number[] = [];
  const labAt = (pixels: Buffer, at: number): Vector =>
    labOf([(pixels[at] ?? 0) / 255, (pixels[at + 1] ?? 0) / 255, (pixels[at + 2] ?? 0) / 255]);
  // One pixel in seven stands for those beside it.
  for (let at = 0; at < one.length; at += 21) errors.push(deltaE2000(labAt(one, at), labAt(other, at)));
  errors.sort((a, b) => a - b);
  return {
    mean: errors.reduce((sum, error) => sum + error, 0) / errors.length,
    p99: errors[Math.floor(errors.length * 0.99)] ?? Number.NaN,
  };
}

const EXPECTED = new Map<RgbSpace, Promise<Buffer>>();

/** The field in sRGB at the size of the largest variant, computed once for each space. */
function expectedField(space: RgbSpace, { width, height }: { width: number; height: number }): Promise<Buffer> {
  const known = EXPECTED.get(space);
  if (known) return known;
  const whole = sharp(paint(8, converterToSrgb(space)), { raw: { ...SIZE, channels: 3 } });
  const expected = whole.resize(width, height, { fit: "fill" }).raw().toBuffer();
  EXPECTED.set(space, expected);
  return expected;
}
