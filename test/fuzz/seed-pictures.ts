import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { deflateSync } from "node:zlib";
import sharp from "sharp";
import { sniffContentType } from "../../src/media/content-type.js";
import { DECODABLE_TYPES } from "../../src/pipeline/decodable-types.js";
import { type BitmapKind, writeBitmap } from "../support/bitmaps.js";
import { ascii, exifBlock, rationals, short } from "../support/exif-block.js";
import {
  flatJpegOfScans,
  gif,
  jpegHeader,
  pngHeader,
  tiff,
  webpHeader,
  withChunk,
  withSegment,
} from "../support/hostile-pictures.js";
import { animation, CORNERS, orientedJpeg, quarters, scenery } from "../support/pictures.js";

/** Larger files are left out of a folder: mutations of a large file take their time and find no more. */
const MAX_FOLDER_FILE_BYTES = 300_000;
const HEIC = fileURLToPath(new URL("../fixtures/heic/", import.meta.url));

/** Pictures of every format that is taken, whole ones and such as only promise to be, always in the same order. */
export async function makeSeedPictures(): Promise<Buffer[]> {
  return [...(await encoded()), ...(await animated()), ...(await described()), ...bitmaps(), ...promises(), ...heic()];
}

/** Pictures of a folder and all below it, sorted by path; what does not begin like one is left out. */
export function readSeedFolder(folder: string): Buffer[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const files = paths.sort().map((path) => readFileSync(path));
  return files.filter((file) => file.length <= MAX_FOLDER_FILE_BYTES && isDecodable(sniffContentType(file)));
}

const isDecodable = (type: string | null): boolean => DECODABLE_TYPES.some((decodable) => decodable === type);

async function encoded(): Promise<Buffer[]> {
  const picture = scenery(200, 160);
  const veil = {
    create: { width: 160, height: 120, channels: 4, background: { r: 9, g: 90, b: 200, alpha: 0.5 } },
  } as const;
  return Promise.all([
    picture.clone().jpeg({ quality: 80 }).toBuffer(),
    picture.clone().jpeg({ quality: 60, progressive: true, chromaSubsampling: "4:4:4" }).toBuffer(),
    picture.clone().greyscale().jpeg().toBuffer(),
    picture.clone().toColourspace("cmyk").jpeg().toBuffer(),
    picture.clone().png({ compressionLevel: 9 }).toBuffer(),
    picture.clone().png({ palette: true, colours: 16 }).toBuffer(),
    picture.clone().png({ progressive: true }).toBuffer(),
    picture.clone().toColourspace("rgb16").png().toBuffer(),
    sharp(veil).png().toBuffer(),
    picture.clone().webp({ quality: 70 }).toBuffer(),
    picture.clone().webp({ lossless: true }).toBuffer(),
    sharp(veil).webp({ quality: 60 }).toBuffer(),
    picture.clone().gif().toBuffer(),
    picture.clone().avif({ quality: 40, effort: 0 }).toBuffer(),
    sharp(veil).avif({ quality: 40, effort: 0 }).toBuffer(),
    ...(["none", "lzw", "deflate", "packbits", "jpeg"] as const).map((compression) =>
      picture.clone().tiff({ compression }).toBuffer(),
    ),
    picture
      .clone()
      .tiff({ compression: "lzw", tile: true, tileWidth: 64, tileHeight: 64, predictor: "horizontal" })
      .toBuffer(),
    quarters(120, 90).tiff({ compression: "deflate", pyramid: true, tile: true }).toBuffer(),
    scenery(900, 700).jpeg({ quality: 50 }).toBuffer(),
  ]);
}

async function animated(): Promise<Buffer[]> {
  const colours = Object.values(CORNERS);
  const made = (["gif", "webp"] as const).map(async (format) =>
    (await animation(format, { width: 80, height: 60 }, colours)).toBuffer(),
  );
  return Promise.all(made);
}

/** With EXIF, a position, profiles, packets of XMP, text and orientation. */
async function described(): Promise<Buffer[]> {
  const degrees = [
    [51, 1],
    [30, 1],
    [2300, 100],
  ] as const;
  const block = exifBlock({
    main: [ascii(0x010f, "Acme"), short(0x0112, 6)],
    exif: [ascii(0x9003, "2026:01:02 03:04:05"), short(0x8827, 100)],
    gps: [ascii(1, "N"), rationals(2, ...degrees), ascii(3, "E"), rationals(4, ...degrees)],
  });
  const [jpeg, png] = await Promise.all([quarters(120, 90).jpeg().toBuffer(), quarters(120, 90).png().toBuffer()]);
  const withExif = withSegment(jpeg, 0xe1, Buffer.concat([Buffer.from("Exif\0\0", "latin1"), block]));
  const xmp = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF exif:GPSLatitude="51,30.5N"/></x:xmpmeta>';
  const packet = Buffer.from(`http://ns.adobe.com/xap/1.0/\0${xmp}`, "latin1");
  const text = Buffer.concat([Buffer.from("Comment\0\0", "latin1"), deflateSync(Buffer.alloc(500, "text"))]);
  const profiled = quarters(120, 90)
    .withIccProfile("p3")
    .withExif({ IFD0: { Make: "Acme" } });
  return [
    withExif,
    withSegment(withExif, 0xe1, packet),
    withChunk(withChunk(png, "eXIf", block), "zTXt", text),
    await orientedJpeg(120, 90, 6),
    ...(await Promise.all([
      profiled.clone().jpeg().toBuffer(),
      profiled.clone().png().toBuffer(),
      profiled.clone().webp().toBuffer(),
      profiled.clone().tiff().toBuffer(),
      profiled.clone().avif({ effort: 0 }).toBuffer(),
    ])),
  ];
}

const BITMAPS: readonly BitmapKind[] = [
  { bits: 1 },
  { bits: 4, isRunLength: true },
  { bits: 8, isRunLength: true },
  { bits: 8, header: 12 },
  { bits: 16, masks: [0xf800, 0x07e0, 0x001f, 0] },
  { bits: 24, isTopDown: true },
  { bits: 32, header: 124, masks: [0xff0000, 0xff00, 0xff, 0xff000000] },
];

const bitmaps = (): Buffer[] =>
  BITMAPS.map((kind) => writeBitmap({ width: 64, height: 56 }, (x) => (x < 30 ? [0, 0, 0] : [255, 255, 255]), kind));

/** Headers with hardly a pixel behind them. */
const promises = (): Buffer[] => [
  jpegHeader(300, 200),
  pngHeader(300, 200),
  gif(100, 80, 12),
  webpHeader(300, 200),
  tiff(100, 80, Buffer.alloc(8000, 128)),
  flatJpegOfScans(64, 20),
];

const heic = (): Buffer[] => ["plain", "alpha", "wide-gamut"].map((name) => readFileSync(join(HEIC, `${name}.heic`)));
