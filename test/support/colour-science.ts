/**
 * Colours by arithmetic alone, to hold against what a colour engine made of them. Matrices as in Lindbloom, "RGB/XYZ
 * Matrices" and "Chromatic Adaptation" (Bradford); ΔE as in Sharma, Wu, Dalal, "The CIEDE2000 Color-Difference Formula"
 * (2005).
 */
import type { Colours, Curve, Vector } from "../../src/pipeline/matrix-profile.js";

type Chromaticity = readonly [x: number, y: number];
type Matrix = readonly [Vector, Vector, Vector];

/** A space of red, green and blue: its primaries, its white, and the curves from coded values to light and back. */
export type RgbSpace = {
  primaries: readonly [red: Chromaticity, green: Chromaticity, blue: Chromaticity];
  white: Chromaticity;
  toLight: Curve;
};

const D65: Chromaticity = [0.3127, 0.329];
const D50_XYZ: Vector = [0.9642, 1, 0.8249];
const srgbToLight: Curve = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
const srgbFromLight: Curve = (light) => (light <= 0.0031308 ? light * 12.92 : 1.055 * light ** (1 / 2.4) - 0.055);
const P3 = [
  [0.68, 0.32],
  [0.265, 0.69],
  [0.15, 0.06],
] as const;

/** IEC 61966-2-1; Apple's Display P3; Adobe RGB (1998), 4.3; ISO 22028-2 (whose toe is left out); ITU-R BT.2020. */
export const RGB_SPACES = {
  srgb: {
    primaries: [
      [0.64, 0.33],
      [0.3, 0.6],
      [0.15, 0.06],
    ],
    white: D65,
    toLight: srgbToLight,
  },
  displayP3: { primaries: P3, white: D65, toLight: srgbToLight },
  dciP3: { primaries: P3, white: [0.314, 0.351], toLight: srgbToLight },
  adobeRgb: {
    primaries: [
      [0.64, 0.33],
      [0.21, 0.71],
      [0.15, 0.06],
    ],
    white: D65,
    toLight: (value) => value ** (563 / 256),
  },
  proPhoto: {
    primaries: [
      [0.7347, 0.2653],
      [0.1596, 0.8404],
      [0.0366, 0.0001],
    ],
    white: [0.3457, 0.3585],
    toLight: (value) => value ** 1.8,
  },
  bt2020: {
    primaries: [
      [0.708, 0.292],
      [0.17, 0.797],
      [0.131, 0.046],
    ],
    white: D65,
    toLight: srgbToLight,
  },
} as const satisfies Record<string, RgbSpace>;

const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a: Vector, b: Vector): Vector => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
const mapped = ([a, b, c]: Vector, change: (value: number, at: 0 | 1 | 2) => number): Vector => [
  change(a, 0),
  change(b, 1),
  change(c, 2),
];
const apply = ([a, b, c]: Matrix, vector: Vector): Vector => [dot(a, vector), dot(b, vector), dot(c, vector)];
const transpose = ([a, b, c]: Matrix): Matrix => [
  [a[0], b[0], c[0]],
  [a[1], b[1], c[1]],
  [a[2], b[2], c[2]],
];
const multiply = (a: Matrix, b: Matrix): Matrix => {
  const [x, y, z] = transpose(b);
  return transpose([apply(a, x), apply(a, y), apply(a, z)]);
};

function inverse([a, b, c]: Matrix): Matrix {
  const determinant = dot(a, cross(b, c));
  const scaled = (row: Vector): Vector => mapped(row, (value) => value / determinant);
  return transpose([scaled(cross(b, c)), scaled(cross(c, a)), scaled(cross(a, b))]);
}

const xyzOf = ([x, y]: Chromaticity): Vector => [x / y, 1, (1 - x - y) / y];

const BRADFORD: Matrix = [
  [0.8951, 0.2664, -0.1614],
  [-0.7502, 1.7135, 0.0367],
  [0.0389, -0.0685, 1.0296],
];

function adaptation(from: Vector, to: Vector): Matrix {
  const [source, target] = [apply(BRADFORD, from), apply(BRADFORD, to)];
  const [a, b, c] = BRADFORD;
  const scaled = (row: Vector, at: 0 | 1 | 2): Vector => mapped(row, (value) => (value * target[at]) / source[at]);
  return multiply(inverse(BRADFORD), [scaled(a, 0), scaled(b, 1), scaled(c, 2)]);
}

/** Light of the space to XYZ with its white brought to D50: the columns are the colourants of an ICC profile. */
function toD50({ primaries, white }: RgbSpace): Matrix {
  const [red, green, blue] = primaries;
  const columns = transpose([xyzOf(red), xyzOf(green), xyzOf(blue)]);
  const strengths = apply(inverse(columns), xyzOf(white));
  const [x, y, z] = columns;
  const scaled = (row: Vector): Vector => mapped(row, (value, at) => value * strengths[at]);
  return multiply(adaptation(xyzOf(white), D50_XYZ), [scaled(x), scaled(y), scaled(z)]);
}

export const colourants = (space: RgbSpace): Colours => transpose(toD50(space));

const clipped = (value: number): number => Math.max(0, Math.min(1, value));

/** From coded values of the space to those of sRGB, both 0..1; what sRGB cannot show is clipped, a channel at a time. */
export function converterToSrgb(space: RgbSpace): (rgb: Vector) => Vector {
  const matrix = multiply(inverse(toD50(RGB_SPACES.srgb)), toD50(space));
  return (rgb) =>
    mapped(
      apply(
        matrix,
        mapped(rgb, (value) => space.toLight(value)),
      ),
      (light) => srgbFromLight(clipped(light)),
    );
}

/** CIE L*a*b* under D50 of coded sRGB values, 0..1. */
const SRGB_TO_D50 = toD50(RGB_SPACES.srgb);
export function labOf(rgb: Vector): Vector {
  const xyz = apply(SRGB_TO_D50, mapped(rgb, srgbToLight));
  const [x, y, z] = mapped(xyz, (value, at) => {
    const share = value / D50_XYZ[at];
    return share > 216 / 24_389 ? Math.cbrt(share) : (share * 24_389) / 27 / 116 + 16 / 116;
  });
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

const degrees = (radians: number): number => ((radians * 180) / Math.PI + 360) % 360;
const sine = (angle: number): number => Math.sin((angle * Math.PI) / 180);
const cosine = (angle: number): number => Math.cos((angle * Math.PI) / 180);

/** The difference of two colours in L*a*b*: about 1 can just be seen side by side. */
export function deltaE2000(one: Vector, other: Vector): number {
  const meanChroma = (Math.hypot(one[1], one[2]) + Math.hypot(other[1], other[2])) / 2;
  const g = 0.5 * (1 - Math.sqrt(meanChroma ** 7 / (meanChroma ** 7 + 25 ** 7)));
  const [first, second] = [one, other].map(([l, a, b]) => {
    const stretched = a * (1 + g);
    return { l, chroma: Math.hypot(stretched, b), hue: degrees(Math.atan2(b, stretched)) };
  }) as [Polar, Polar];
  const chroma = (first.chroma + second.chroma) / 2;
  const isGrey = first.chroma * second.chroma === 0;
  const turn = isGrey ? 0 : ((second.hue - first.hue + 540) % 360) - 180;
  const hue = isGrey ? first.hue + second.hue : (first.hue + turn / 2 + 360) % 360;
  const offset = ((first.l + second.l) / 2 - 50) ** 2;
  const t =
    1 - 0.17 * cosine(hue - 30) + 0.24 * cosine(2 * hue) + 0.32 * cosine(3 * hue + 6) - 0.2 * cosine(4 * hue - 63);
  const light = (second.l - first.l) / (1 + (0.015 * offset) / Math.sqrt(20 + offset));
  const colour = (second.chroma - first.chroma) / (1 + 0.045 * chroma);
  const shade = (2 * Math.sqrt(first.chroma * second.chroma) * sine(turn / 2)) / (1 + 0.015 * chroma * t);
  const rotation =
    -2 * Math.sqrt(chroma ** 7 / (chroma ** 7 + 25 ** 7)) * sine(60 * Math.exp(-(((hue - 275) / 25) ** 2)));
  return Math.sqrt(light ** 2 + colour ** 2 + shade ** 2 + rotation * colour * shade);
}
type Polar = { l: number; chroma: number; hue: number };
