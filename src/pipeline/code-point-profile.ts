import type { CodePoints } from "./code-points.js";
import { type Colours, type Curve, matrixProfile } from "./matrix-profile.js";

const BT709: Colours = [
  [0.43604, 0.22249, 0.01392],
  [0.38512, 0.7169, 0.09706],
  [0.14305, 0.06061, 0.71391],
];

/**
 * The primaries of ITU-T H.273, table 2, adapted by Bradford's matrix (Lindbloom, "Chromatic Adaptation"). Those of old
 * television (4 to 7) are not here: libheif 1.17 wrote them over pictures in sRGB.
 */
const COLOURS: Readonly<Record<number, Colours>> = {
  // BT.2020
  9: [
    [0.67348, 0.27904, -0.00194],
    [0.16566, 0.67534, 0.02998],
    [0.12505, 0.04561, 0.79684],
  ],
  // DCI-P3
  11: [
    [0.48616, 0.22668, -0.00081],
    [0.32385, 0.71033, 0.04323],
    [0.15419, 0.06299, 0.78247],
  ],
  // Display P3
  12: [
    [0.51512, 0.2412, -0.00105],
    [0.29198, 0.69225, 0.04189],
    [0.1571, 0.06657, 0.78407],
  ],
};

const srgb: Curve = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);

/** White of a page on a screen for high dynamic range, and the light of a bright one, in cd/m² (ITU-R BT.2408-7, 2.1). */
const REFERENCE_WHITE = 203;
const PEAK = 1000;

/**
 * High dynamic range brought to what a page shows: light in units of reference white to 0..1, falling off so that
 * `PEAK` is white. Reinhard et al., "Photographic Tone Reproduction for Digital Images" (2002), equation 4.
 */
function toneMapped(cdPerM2: number): number {
  const light = Math.min(cdPerM2, PEAK) / REFERENCE_WHITE;
  const peak = PEAK / REFERENCE_WHITE;
  return (light * (1 + light / peak ** 2)) / (1 + light);
}

/** SMPTE ST 2084, equation 4.1. */
function perceptualQuantizer(value: number): number {
  const power = value ** (32 / 2523);
  return toneMapped(10_000 * (Math.max(power - 107 / 128, 0) / (2413 / 128 - (2392 / 128) * power)) ** (16_384 / 2610));
}

/** ITU-R BT.2100-2, table 5: the curve's inverse, and the display's own gamma of 1.2 a channel. */
function hybridLogGamma(value: number): number {
  const [a, b, c] = [0.178_832_77, 0.284_668_92, 0.559_910_73];
  const scene = value <= 0.5 ? value ** 2 / 3 : (Math.exp((value - c) / a) + b) / 12;
  return toneMapped(PEAK * scene ** 1.2);
}

/** ITU-T H.273, table 3. The rest, BT.709 and BT.2020 among them, are read with sRGB's curve, as browsers do. */
const CURVES: Readonly<Record<number, Curve>> = {
  4: (value) => value ** 2.2,
  5: (value) => value ** 2.8,
  8: (value) => value,
  16: perceptualQuantizer,
  18: hybridLogGamma,
};

/** An ICC profile that says what the code points do; null where the picture is sRGB by them, or they say nothing known. */
export function profileOf({ primaries, transfer }: CodePoints): Buffer | null {
  const [colours, curve] = [COLOURS[primaries], CURVES[transfer]];
  return colours || curve ? matrixProfile(colours ?? BT709, curve ?? srgb) : null;
}
