import type { Dice } from "./dice.js";

export type FormFile = { name: string; filename: string; bytes: Buffer };
/** A multipart body, and what a reader must find in it. */
export type Form = {
  contentType: string;
  boundary: string;
  body: Buffer;
  /** The first of equal names. */
  fields: ReadonlyMap<string, string>;
  files: readonly FormFile[];
};

const FIELD_NAMES = [
  "alt_text",
  "altText",
  "caption",
  "tags",
  "sort_order",
  "is_public",
  "is_primary",
  "on_duplicate",
  "entity_type",
  "entity_id",
  "entity_field",
];
const FILE_NAMES = ["file", "files"];
/** Without what readers take for a path or an escape: those have tests of their own. */
const FILENAMES = [
  "photo.jpg",
  "a b.png",
  "照片.jpg",
  "cafe\u0301.heic",
  "x".repeat(255),
  "semi;colon=1.jpg",
  "100%.jpg",
  " .gif ",
];
const TEXTS = [
  "",
  "A house by the sea",
  "true",
  "0",
  "käse, brot, 水",
  "line\r\nbreak",
  "--",
  "\r\n--",
  "-".repeat(80),
  "🏡",
  "%0d%0a",
  "\u0000",
];
/** RFC 2046, 5.1.1: up to 70 of these; some need quotes. */
const BOUNDARIES = [
  "x",
  "----WebKitFormBoundary7MA4YWxkTrZu0gW",
  "0".repeat(70),
  "a'b()+_,-./:=?c",
  "b--",
  "Boundary-1F-2A",
];
const LINE = "\r\n";

/** A whole form as some client would write it: one to six parts, in any order. */
export function makeForm(dice: Dice): Form {
  const boundary = dice.pick(BOUNDARIES);
  const fields = new Map<string, string>();
  const files: FormFile[] = [];
  const parts = Array.from({ length: 1 + dice.below(6) }, () =>
    dice.chance(0.4) ? writeFile(dice, boundary, files) : writeField(dice, fields),
  );
  const opening = Buffer.from(`--${boundary}${LINE}`);
  const body = parts.flatMap((part) => [opening, part, Buffer.from(LINE)]);
  const before = dice.chance(0.1) ? `a preamble${LINE}` : "";
  const behind = dice.pick([LINE, LINE, "", `${LINE}an epilogue`]);
  return {
    contentType: `multipart/form-data; boundary=${dice.chance(0.5) || /[^\w-]/.test(boundary) ? `"${boundary}"` : boundary}`,
    boundary,
    body: Buffer.concat([Buffer.from(before), ...body, Buffer.from(`--${boundary}--${behind}`)]),
    fields,
    files,
  };
}

function writeField(dice: Dice, fields: Map<string, string>): Buffer {
  const [name, value] = [dice.pick(FIELD_NAMES), dice.pick(TEXTS)];
  if (!fields.has(name)) fields.set(name, value);
  const type = dice.pick(["", "", `${LINE}Content-Type: text/plain`, `${LINE}Content-Type: text/plain; charset=utf-8`]);
  return Buffer.from(`${disposition(dice)}; name="${name}"${type}${LINE}${LINE}${value}`);
}

function writeFile(dice: Dice, boundary: string, files: FormFile[]): Buffer {
  const file = { name: dice.pick(FILE_NAMES), filename: dice.pick(FILENAMES), bytes: fileBytes(dice, boundary) };
  files.push(file);
  const type = dice.pick(["", `${LINE}Content-Type: image/jpeg`, `${LINE}content-type: application/octet-stream`]);
  const head = `${disposition(dice)}; name="${file.name}"; filename="${file.filename}"${type}${LINE}${LINE}`;
  return Buffer.concat([Buffer.from(head), file.bytes]);
}

const disposition = (dice: Dice): string =>
  dice.pick(["Content-Disposition: form-data", "content-disposition: form-data", "CONTENT-DISPOSITION:form-data"]);

/** Noise, and what nearly ends a part: all but the last byte of the delimiter. */
function fileBytes(dice: Dice, boundary: string): Buffer {
  const nearly = Buffer.from(`${LINE}--${boundary}`.slice(0, -1));
  const noise = dice.bytes(dice.pick([0, 1, 10, 300, dice.below(2500)]));
  return dice.pick([
    () => noise,
    () => Buffer.concat([noise, nearly, LINE_BYTES, nearly]),
    () => Buffer.alloc(dice.below(2500)),
  ])();
}

const LINE_BYTES = Buffer.from(LINE);
