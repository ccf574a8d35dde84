import { readFile } from "node:fs/promises";
import exifr from "exifr";
import type { PictureHeader } from "./picture-header.js";

/** Plain JSON under the contract's names. */
export type ExifValues = Record<string, string | number>;

type ReadValue = (value: unknown) => string | number | undefined;

/** Longest text kept, in characters; camera and lens names stay far below. */
const TEXT_MAX = 255;
const DATE_TIME = /^(\d{4})[:-](\d{2})[:-](\d{2})[ T](\d{2}):(\d{2}):(\d{2})/;
/** The six bytes that stand before the TIFF structure in a JPEG segment; some writers keep them elsewhere too. */
const JPEG_PREFIX = Buffer.from("Exif\0\0", "latin1");

/** Our name, exifr's name, and how the value is read. The names in EXIF 2.32 are exifr's. */
const FIELDS = [
  ["make", "Make", readText],
  ["model", "Model", readText],
  ["lens", "LensModel", readText],
  ["dateTimeOriginal", "DateTimeOriginal", readDateTime],
  ["exposureTime", "ExposureTime", readNumber],
  ["fNumber", "FNumber", readNumber],
  ["iso", "ISO", readNumber],
  ["focalLength", "FocalLength", readNumber],
  ["flash", "Flash", (value) => readText(value) ?? readNumber(value)],
  ["artist", "Artist", readText],
  ["copyright", "Copyright", readText],
] as const satisfies readonly (readonly [string, string, ReadValue])[];

/** Degrees, north and east positive. */
const GPS_FIELDS = [
  ["latitude", "latitude", (value) => readDegrees(value, 90)],
  ["longitude", "longitude", (value) => readDegrees(value, 180)],
] as const satisfies readonly (readonly [string, string, ReadValue])[];

/**
 * Exposure times in seconds, focal lengths in millimetres, `flash` in words, `dateTimeOriginal` as the camera's local
 * `YYYY-MM-DDTHH:MM:SS`. What is missing, empty or makes no sense is absent; damaged EXIF yields what can be read.
 */
export async function readExif(path: string, header: PictureHeader, keepGps: boolean): Promise<ExifValues> {
  const block = header.contentType === "image/tiff" ? await readFile(path) : header.exif;
  if (!block) return {};
  const tags = await parseTags(withoutPrefix(block), keepGps);
  const fields = keepGps ? [...FIELDS, ...GPS_FIELDS] : FIELDS;
  return Object.fromEntries(
    fields.flatMap(([name, tag, read]) => {
      const value = read(tags[tag]);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** Dates are left as text: revived ones would move with the time zone of the process. */
async function parseTags(block: Buffer, keepGps: boolean): Promise<Record<string, unknown>> {
  const options = { tiff: true, exif: true, gps: keepGps, reviveValues: false, makerNote: false, userComment: false };
  try {
    const tags: unknown = await exifr.parse(block, options);
    return isRecord(tags) ? tags : {};
  } catch {
    // A block that is no EXIF at all ("Unknown file format") is a picture without EXIF, not a damaged picture.
    return {};
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

const withoutPrefix = (block: Buffer): Buffer =>
  block.subarray(0, JPEG_PREFIX.length).equals(JPEG_PREFIX) ? block.subarray(JPEG_PREFIX.length) : block;

/** Control characters (NUL among them) and lone surrogates go: neither JSON nor a header or a database wants them. */
function readText(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const clean = value.replaceAll(/[\p{Cc}\p{Cs}]/gu, "").trim();
  return Array.from(clean).slice(0, TEXT_MAX).join("").trim() || undefined;
}

/** Of several values, as some cameras write of their ISO, the first. */
function readNumber(value: unknown): number | undefined {
  const first: unknown = Array.isArray(value) || value instanceof Uint16Array ? value[0] : value;
  return typeof first === "number" && Number.isFinite(first) ? first : undefined;
}

function readDegrees(value: unknown, limit: number): number | undefined {
  const degrees = readNumber(value);
  return degrees !== undefined && Math.abs(degrees) <= limit ? degrees : undefined;
}

/** Undefined for `0000:00:00 00:00:00` and every other moment the calendar does not have. */
function readDateTime(value: unknown): string | undefined {
  const match = DATE_TIME.exec(readText(value) ?? "");
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1);
  const written = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
  const moment = new Date(`${written}Z`);
  return Number.isNaN(moment.getTime()) || !moment.toISOString().startsWith(written) || year === "0000"
    ? undefined
    : written;
}
