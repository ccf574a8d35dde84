import type { Dice } from "./dice.js";
import { type Form, makeForm } from "./forms.js";

/** A request's body and its type, however damaged. */
export type Body = { contentType: string; body: Buffer };

type Given = Form & { dice: Dice };

/** What readers of forms were wrong about before; `B` stands for the boundary. */
const TOKENS = [
  "\r\n",
  "\n",
  "\r",
  "\r\n\r\n",
  "\n\n",
  "--B",
  "--B--",
  "\r\n--B\r\n",
  "\r\n--B--\r\n",
  "\n--B\n",
  "\r\n--B \t\r\n",
  "\r\n--B-",
  "\r\n--Bx",
  "--B\r\n\r\n",
  'Content-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n',
  "Content-Disposition: attachment\r\n",
  'Content-Disposition: form-data; filename=""; name=""\r\n',
  'Content-Disposition: form-data; name="a"; name="b"\r\n',
  "; filename*=UTF-8''%E0%A4%A",
  "; filename*=utf-16''%ff%fe",
  '; filename*0="a"; filename*1="b"',
  "; name*=UTF-8''caption",
  "Content-Transfer-Encoding: base64\r\n",
  "Content-Transfer-Encoding: quoted-printable\r\n",
  "Content-Type: text/plain; charset=utf-7\r\n",
  "Content-Type: text/plain; charset=\xff\r\n",
  "Content-Type: text/plain; charset=utf-16le\r\n",
  'Content-Type: multipart/mixed; boundary=inner\r\n\r\n--inner\r\nContent-Disposition: file; filename="x"\r\n\r\n1\r\n--inner--\r\n',
  "\0",
  '"',
  "\\",
  '\\"',
  ";",
  ":",
  "=",
  "%00",
  "name",
  "=?utf-8?b?YQ==?=",
  "__proto__",
  "\xef\xbb\xbf",
  "\x1b",
  "\u0085",
];
const LONG = [200, 200, 200, 4000, 17_000, 70_000];
const TYPES = [
  "multipart/form-data",
  "multipart/form-data; boundary=",
  'multipart/form-data; boundary=""',
  "MULTIPART/FORM-DATA; BOUNDARY=x",
  "multipart/form-data; boundary=x; boundary=y",
  "multipart/form-data; charset=utf-16; boundary=x",
  "multipart/mixed; boundary=x",
  "multipart/form-data;boundary=x;",
  'multipart/form-data; boundary="x',
  "multipart/form-data; boundary=\\x",
  "multipart/form-data, multipart/form-data; boundary=x",
  "application/x-www-form-urlencoded",
  "text/plain",
  "",
  `multipart/form-data; boundary=${"b".repeat(5000)}`,
  "multipart/form-data; boundary*=utf-8''x",
];

/** One to four changes of a form's bytes, and sometimes of what its header says. */
export function mutateForm(form: Form, dice: Dice): Body {
  let { body } = form;
  for (let left = 1 + dice.below(4); left > 0; left--)
    body = Buffer.from(dice.pick(MUTATIONS)({ ...form, body, dice }));
  return { contentType: dice.chance(0.1) ? dice.pick(TYPES) : form.contentType, body };
}

const place = ({ body, dice }: Given): number => dice.below(body.length + 1);
const insert = (body: Buffer, at: number, what: Buffer): Buffer =>
  Buffer.concat([body.subarray(0, at), what, body.subarray(at)]);

const MUTATIONS: readonly ((given: Given) => Buffer)[] = [
  function flipBits({ body, dice }) {
    for (let left = 1 + dice.below(8); left > 0 && body.length > 0; left--) {
      const at = dice.below(body.length);
      body[at] = (body[at] as number) ^ (1 << dice.below(8));
    }
    return body;
  },
  function cut(given) {
    return given.body.subarray(0, place(given));
  },
  function behead(given) {
    return given.body.subarray(place(given));
  },
  function removeRange(given) {
    const at = place(given);
    return Buffer.concat([given.body.subarray(0, at), given.body.subarray(at + 1 + given.dice.below(40))]);
  },
  function repeatRange(given) {
    const at = place(given);
    return insert(given.body, at, given.body.subarray(at, at + given.dice.below(300)));
  },
  insertToken,
  insertToken,
  insertToken,
  function insertLong(given) {
    return insert(
      given.body,
      place(given),
      Buffer.alloc(given.dice.pick(LONG), given.dice.pick(["A", "\r\n", "-", "\0"])),
    );
  },
  function insertNoise(given) {
    return insert(given.body, place(given), given.dice.bytes(given.dice.below(50)));
  },
  /** At what ends lines and parts more is decided than anywhere else. */
  function breakLine(given) {
    const { body, dice } = given;
    const at = body.indexOf("\r\n", place(given));
    if (at === -1) return insertToken(given);
    return Buffer.concat([
      body.subarray(0, at),
      Buffer.from(dice.pick(["", "\n", "\r", " \r\n", "\r\n\t"])),
      body.subarray(at + 2),
    ]);
  },
  function breakDelimiter(given) {
    const { body, boundary, dice } = given;
    const at = body.indexOf(`--${boundary}`, place(given));
    if (at === -1) return insertToken(given);
    const length = boundary.length + 2;
    const instead = dice.pick(["", "--", `--${boundary}x`, `-${boundary}`, `--${boundary} `, `--${boundary}--`]);
    return Buffer.concat([body.subarray(0, at), Buffer.from(instead), body.subarray(at + length)]);
  },
  /** The parts of another form behind this one's, under this one's boundary or its own. */
  function splice(given) {
    const { body, dice } = given;
    const other = makeForm(dice).body;
    return Buffer.concat([body.subarray(0, place(given)), other.subarray(dice.below(other.length))]);
  },
  function repeatParts({ body, boundary, dice }) {
    const start = body.indexOf(`--${boundary}\r\n`);
    const end = body.indexOf(`\r\n--${boundary}`, start + 1);
    if (start === -1 || end === -1) return body;
    const part = body.subarray(start, end + 2);
    return Buffer.concat([
      ...Array<Buffer>(dice.pick([2, 101, 201])).fill(part.subarray(0, 200)),
      body.subarray(end + 2),
    ]);
  },
];

function insertToken(given: Given): Buffer {
  const { body, boundary, dice } = given;
  return insert(body, place(given), Buffer.from(dice.pick(TOKENS).replaceAll("B", boundary), "latin1"));
}

/** Each chunk takes the reader a timer and a few promises; only one body of twenty is cut into more than this. */
const MOST_CHUNKS = 60;

/** The body in pieces as a network might bring them: whole, byte by byte, or cut anywhere. */
export function cutIntoChunks(body: Buffer, dice: Dice): Buffer[] {
  const least = dice.chance(0.05) && body.length < 4000 ? 1 : Math.ceil((2 * body.length) / MOST_CHUNKS);
  const most = Math.max(dice.pick([1, 7, 64, 1000, body.length + 1]), least);
  const chunks: Buffer[] = [];
  for (let at = 0; at < body.length; ) {
    const end = at + 1 + dice.below(most);
    chunks.push(body.subarray(at, end));
    at = end;
  }
  return chunks;
}
