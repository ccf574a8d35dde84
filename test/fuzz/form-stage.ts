import { MediaError } from "../../src/media/errors.js";
import { type FormFields, readForm } from "../../src/router/multipart.js";
import type { Dice } from "./dice.js";
import type { Form, FormFile } from "./forms.js";
import { type Body, cutIntoChunks } from "./mutate-form.js";

/** What became of one body: `read`, the code it was refused with, or what must never be. */
export type Outcome = { told: string; isFinding: boolean };

export type FormStage = {
  /** Reads a body with a handler that behaves in one of several ways. */
  read(body: Body, dice: Dice): Promise<Outcome>;
  /** Reads a whole form, and compares what was found in it. */
  compare(form: Form, dice: Dice): Promise<Outcome>;
  /** Bodies whose end nobody has read or called off. */
  open(): number;
};

/** Longer than any case waits for its own body, which is there. */
const IDLE_MS = 20_000;
const NAMES = ["file", "files"];
/** What a form may be refused with by its reader alone. */
const REFUSALS = ["MALFORMED_MULTIPART", "FILE_TOO_LARGE"];

type Handle = (chunks: AsyncIterable<Uint8Array>) => Promise<Buffer>;

export function openFormStage(): FormStage {
  let open = 0;

  /** Ends, breaks off or is called off; all three count as the end. */
  function requestOf({ contentType, body }: Body, dice: Dice, breaksOff: boolean): Request {
    const chunks = cutIntoChunks(body, dice);
    const ends = breaksOff ? dice.below(chunks.length + 1) : Number.POSITIVE_INFINITY;
    let next = 0;
    open++;
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        const chunk = chunks[next];
        if (chunk !== undefined && next++ < ends) return controller.enqueue(chunk);
        open--;
        if (chunk === undefined) controller.close();
        else controller.error(new Error("the connection broke"));
      },
      cancel: () => void open--,
    });
    const init = { method: "POST", headers: { "content-type": contentType }, body: stream, duplex: "half" } as const;
    return new Request("http://localhost/", init);
  }

  return {
    open: () => open,
    async read(body, dice) {
      try {
        await parse(requestOf(body, dice, dice.chance(0.05)), dice.pick(HANDLERS));
        return { told: "read", isFinding: false };
      } catch (error) {
        if (!(error instanceof MediaError)) return { told: `threw ${String(error)}`, isFinding: true };
        const { code } = error.failure;
        return { told: code, isFinding: !REFUSALS.includes(code) };
      }
    },
    async compare(form, dice) {
      try {
        const seen = await parse(requestOf(form, dice, false), collect);
        const difference = differenceOf(form, seen);
        return { told: difference ?? "read as it was written", isFinding: difference !== null };
      } catch (error) {
        return { told: `a whole form was refused: ${String(error)}`, isFinding: true };
      }
    },
  };
}

type Seen = { fields: FormFields; files: FormFile[] };

async function parse(request: Request, handle: Handle): Promise<Seen> {
  const files: FormFile[] = [];
  const fields = await readForm(request, {
    fileNames: NAMES,
    idleMs: IDLE_MS,
    onFile: async ({ name, filename = "", chunks }) => {
      files.push({ name, filename, bytes: await handle(chunks) });
    },
  });
  return { fields, files };
}

const collect: Handle = async (chunks) => {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
};

/** Handlers read all of a file, nothing, its beginning, or refuse it when it has begun. */
const HANDLERS: readonly Handle[] = [
  collect,
  collect,
  async () => Buffer.alloc(0),
  async (chunks) => {
    for await (const chunk of chunks) return Buffer.from(chunk);
    return Buffer.alloc(0);
  },
  async (chunks) => {
    for await (const _chunk of chunks) throw new MediaError({ code: "FILE_TOO_LARGE", maxBytes: 1 });
    return Buffer.alloc(0);
  },
];

function differenceOf(form: Form, { fields, files }: Seen): string | null {
  const names = [...form.fields.keys()].sort().join();
  if (names !== [...fields.keys()].sort().join()) return `other fields than ${names}`;
  for (const [name, value] of form.fields)
    if (fields.get(name) !== value)
      return `${name} is ${JSON.stringify(fields.get(name))}, not ${JSON.stringify(value)}`;
  if (form.files.length !== files.length) return `${files.length} files, not ${form.files.length}`;
  for (const [at, file] of form.files.entries()) {
    const other = files[at] as FormFile;
    if (file.name !== other.name || file.filename !== other.filename)
      return `file ${at} is ${JSON.stringify([other.name, other.filename])}, not ${JSON.stringify([file.name, file.filename])}`;
    if (!file.bytes.equals(other.bytes)) return `file ${at} holds other bytes`;
  }
  return null;
}
