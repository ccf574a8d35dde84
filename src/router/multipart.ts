import type { Readable } from "node:stream";
import { Busboy, type BusboyConfig, type BusboyInstance } from "@fastify/busboy";
import { MediaError } from "../media/errors.js";
import { discardRest, readChunk } from "./request-body.js";
import { decodedChunks, decodedText } from "./transfer-encoding.js";

/** One file of a form while it arrives. Reading it is what moves the request on. */
export type FilePart = { name: string; filename: string | undefined; chunks: AsyncIterable<Uint8Array> };

export type FormFields = ReadonlyMap<string, string>;

export type FormHandlers = {
  /** Form names that hold files, whatever their headers say. */
  fileNames: readonly string[];
  /** How long the body may make no progress. */
  idleMs: number;
  /** Called for each file in turn with the fields that came before it; what it leaves unread is skipped. */
  onFile(part: FilePart, fields: FormFields): Promise<void>;
};

/** Far above any real form of this API; a form beyond them is refused. Bytes where sizes. */
const FORM_LIMITS = { fields: 100, fieldSize: 64 * 1024, parts: 200, headerPairs: 64, headerSize: 16 * 1024 };

/** How long a parser that was given everything may stay silent: garbage makes it emit no event at all. */
const SILENCE_MS = 2000;

const malformed = (reason: string, cause?: unknown): MediaError =>
  new MediaError({ code: "MALFORMED_MULTIPART", reason }, { cause });

/**
 * Parses a multipart body as it arrives and answers all its fields, whatever their order; the first of equal names
 * counts. Holds no more than a few chunks. Throws MALFORMED_MULTIPART, or what `onFile` throws; the rest of the
 * body is then read into nothing.
 */
export async function readForm(request: Request, handlers: FormHandlers): Promise<FormFields> {
  if (!request.body) throw malformed("there is no body");
  const reader = request.body.getReader();
  try {
    return await readParts(reader, createParser(request, handlers.fileNames), handlers);
  } finally {
    discardRest(reader);
  }
}

async function readParts(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  { parser, onUnreadablePart }: FormParser,
  handlers: FormHandlers,
): Promise<FormFields> {
  const form = collectForm(parser, handlers);
  onUnreadablePart(() => form.fail(malformed("a part has headers that cannot be read, or no name")));
  try {
    await Promise.race([form.failed, feed(parser, reader, handlers.idleMs)]);
    await Promise.race([form.failed, form.finished, silence(form)]);
    await Promise.race([form.failed, form.files()]);
    return form.fields;
  } finally {
    parser.destroy();
    await form.abandon();
  }
}

type FormParser = { parser: BusboyInstance; onUnreadablePart(report: () => void): void };

function createParser(request: Request, fileNames: readonly string[]): FormParser {
  const contentType = request.headers.get("content-type") ?? "";
  if (!/^multipart\/form-data\b/i.test(contentType)) throw malformed("the Content-Type is not multipart/form-data");
  let understood = 0;
  const config: BusboyConfig = {
    headers: { "content-type": contentType },
    limits: FORM_LIMITS,
    isPartAFile: (name, type, filename) => {
      if (name !== undefined) understood++;
      return filename !== undefined || type === "application/octet-stream" || fileNames.includes(name ?? "");
    },
  };
  const parser = createBusboy(config);
  const onUnreadablePart = (report: () => void) => {
    let seen = 0;
    onPartHeaders(parser, () => {
      seen++;
      if (seen > understood) report();
    });
  };
  return { parser, onUnreadablePart };
}

function createBusboy(config: BusboyConfig): BusboyInstance {
  try {
    return new Busboy(config);
  } catch (cause) {
    throw malformed("the boundary is missing", cause);
  }
}

/** The splitter below the parser, which the package's types do not show. A test notices when it is no longer there. */
type Splitter = { on(event: "part", listener: (part: Readable) => void): void };

/**
 * Calls back for each part once the parser has looked at its headers. The parser itself passes over a part it cannot
 * read without a word: the form would lose a field, and a picture meant to be private would be public.
 */
function onPartHeaders(parser: BusboyInstance, listener: () => void): void {
  const { _parser } = parser as unknown as { _parser: { parser: Splitter } };
  _parser.parser.on("part", (part) => part.on("header", listener));
}

/** Gives the parser the body at the pace it takes it. */
async function feed(
  parser: BusboyInstance,
  reader: ReadableStreamDefaultReader<Uint8Array>,
  idleMs: number,
): Promise<void> {
  for (;;) {
    const { done, value } = await readChunk(reader, idleMs, interrupted);
    if (done) break;
    await new Promise<void>((resolve, reject) => parser.write(value, (error) => (error ? reject(error) : resolve())));
  }
  parser.end();
}

const interrupted = (cause: unknown): MediaError => malformed("the connection was closed before its end", cause);

/** The time of silence begins when no handler is at work any more: while one is, the parser has to wait for it. */
async function silence(form: { files(): Promise<unknown>; fileCount(): number }): Promise<never> {
  let seen = -1;
  while (form.fileCount() !== seen) {
    seen = form.fileCount();
    await form.files();
    await new Promise((resolve) => setTimeout(resolve, SILENCE_MS).unref());
  }
  throw malformed("it has no parts that can be told apart");
}

/** Turns the parser's events into promises; the first failure of any of them is `failed`. */
function collectForm(parser: BusboyInstance, { onFile }: FormHandlers) {
  const fields = new Map<string, string>();
  const files: { stream: Readable; handled: Promise<void> }[] = [];
  let fail: (error: unknown) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => undefined); // raced by the caller; a late failure of an abandoned form is nobody's
  let turn: Promise<void> = Promise.resolve();
  parser.on("field", (name, value, _nameTruncated, valueTruncated, encoding) => {
    if (valueTruncated) fail(malformed(`the field "${name}" is longer than ${FORM_LIMITS.fieldSize} bytes`));
    if (!fields.has(name)) fields.set(name, decodedText(value, encoding));
  });
  parser.on("file", (name, stream, filename, encoding) => {
    // A handler that throws leaves the stream whole: what follows decides whether to skip it or to end the request.
    const received = stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
    const chunks = decodedChunks(received, encoding);
    turn = turn.then(() => onFile({ name, filename, chunks }, fields)).then(() => skip(stream));
    turn.catch(fail);
    stream.on("error", (error) => fail(malformed("it ends in the middle of a file", error)));
    files.push({ stream, handled: turn });
  });
  for (const limit of ["partsLimit", "fieldsLimit"] as const)
    parser.on(limit, () => fail(malformed("it has too many parts")));
  parser.on("error", (error) => fail(malformed("it ends early or has broken headers", error)));
  const finished = new Promise<void>((resolve) => parser.on("finish", resolve));
  return {
    fields,
    fail,
    failed,
    finished,
    fileCount: () => files.length,
    files: () => Promise.all(files.map(({ handled }) => handled)),
    /** Ends every handler that still waits for bytes, so that none of them outlives the request. */
    async abandon() {
      for (const { stream } of files) stream.destroy();
      await Promise.allSettled(files.map(({ handled }) => handled));
    },
  };
}

/** Reads what a handler left, so that the parser can go on. */
function skip(stream: Readable): void {
  if (!stream.readableEnded) stream.resume();
}
