/**
 * What encoders and their settings cost: processor time, bytes and likeness at the size of every variant, of generated
 * photographs, by turns in one run; prints a table of medians. `npm run bench:encoders -- --rounds 9 --pictures 5`
 */
import sharp, { type Sharp } from "sharp";
import { VARIANTS } from "../src/media/variants.js";
import { photograph } from "../test/support/photograph.js";
import { median, numbersFrom } from "./measure.js";

const { rounds, seed, pictures } = numbersFrom({ rounds: 5, seed: 1, pictures: 3 });

type Encode = (picture: Sharp, quality: number) => Sharp;

const webp =
  (effort: number): Encode =>
  (picture) =>
    picture.webp({ quality: 80, effort });
const avif =
  (effort: number): Encode =>
  (picture) =>
    picture.avif({ quality: 60, effort });

/** JPEG at the variant's own quality, WebP and AVIF at those of renditions. */
const SETTINGS: Readonly<Record<string, Encode>> = {
  "jpeg baseline": (picture, quality) => picture.jpeg({ quality }),
  "jpeg baseline, optimised": (picture, quality) => picture.jpeg({ quality, optimiseCoding: true }),
  "jpeg progressive": (picture, quality) => picture.jpeg({ quality, progressive: true }),
  "jpeg progressive, 4:4:4": (picture, quality) =>
    picture.jpeg({ quality, progressive: true, chromaSubsampling: "4:4:4" }),
  "jpeg mozjpeg, no trellis": (picture, quality) =>
    picture.jpeg({ quality, mozjpeg: true, trellisQuantisation: false, overshootDeringing: false }),
  "jpeg mozjpeg": (picture, quality) => picture.jpeg({ quality, mozjpeg: true }),
  "webp 80, effort 0": webp(0),
  "webp 80, effort 2": webp(2),
  "webp 80, effort 4": webp(4),
  "avif 60, effort 0": avif(0),
  "avif 60, effort 2": avif(2),
};

type Raw = { data: Buffer; width: number; height: number };
type Sample = { cpuMs: number; bytes: number; psnr: number };

// As a pixel process has it: one thread, nothing kept.
sharp.concurrency(1);
sharp.cache(false);

const open = ({ data, width, height }: Raw): Sharp => sharp(data, { raw: { width, height, channels: 3 } });

async function shrink(whole: Raw, width: number, height: number, fit: "inside" | "cover"): Promise<Raw> {
  const { data, info } = await open(whole).resize(width, height, { fit }).raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

async function measure(raw: Raw, encode: Encode, quality: number): Promise<Sample> {
  const before = process.cpuUsage();
  const bytes = await encode(open(raw), quality).toBuffer();
  const { user, system } = process.cpuUsage(before);
  const decoded = await sharp(bytes).removeAlpha().raw().toBuffer();
  return { cpuMs: (user + system) / 1000, bytes: bytes.length, psnr: psnrOf(raw.data, decoded) };
}

/** Peak signal to noise over all three channels, dB. */
function psnrOf(one: Buffer, other: Buffer): number {
  let squares = 0;
  for (let at = 0; at < one.length; at++) squares += ((one[at] ?? 0) - (other[at] ?? 0)) ** 2;
  return 10 * Math.log10((255 ** 2 * one.length) / squares);
}

const wholes: Raw[] = [];
for (let at = 0; at < pictures; at++) {
  const data = await (await photograph(2400, 1800, seed + at)).raw().toBuffer();
  wholes.push({ data, width: 2400, height: 1800 });
}
console.log(`${pictures} photographs of seed ${seed} on, ${rounds} rounds; CPU ms / kB / dB, medians`);
const names = Object.keys(SETTINGS);
const table: Record<string, Record<string, string>> = Object.fromEntries(names.map((name) => [name, {}]));
for (const [variant, { width, height, fit, quality }] of Object.entries(VARIANTS).reverse()) {
  const raws = await Promise.all(wholes.map((whole) => shrink(whole, width, height, fit)));
  const samples = new Map<string, Sample[]>(names.map((name) => [name, []]));
  for (let round = -1; round < rounds; round++)
    for (const raw of raws)
      for (const name of names) {
        const sample = await measure(raw, SETTINGS[name] as Encode, quality);
        if (round >= 0) samples.get(name)?.push(sample); // the first round warms up
      }
  for (const [name, taken] of samples) {
    const middle = (pick: (sample: Sample) => number) => median(taken.map(pick));
    const cells = [middle((s) => s.cpuMs).toFixed(1), (middle((s) => s.bytes) / 1000).toFixed(1)];
    (table[name] as Record<string, string>)[`${variant}, JPEG ${quality}`] =
      `${cells.join(" / ")} / ${middle((s) => s.psnr).toFixed(1)}`;
  }
}
console.table(table);
