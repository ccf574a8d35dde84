import { MediaError, validationFailed } from "../media/errors.js";
import { isWithoutNul, NUL_REFUSED, TEXT_LIMITS } from "../media/model.js";
import type { Spool, SpooledFile } from "../media/ports.js";
import type { FilePart } from "./multipart.js";

/** Decides by a file's first bytes how many it may have; throws to refuse it. */
export type Admit = (head: Uint8Array) => { maxBytes: number };

export type ReceivedFile = { file: SpooledFile; filename: string; discard(): Promise<void> };

/** As much as every signature needs. */
const HEAD_BYTES = 4096;

/**
 * Spools one file part, cut at its limit. Nothing is kept when it throws: EMPTY_FILE, UNSUPPORTED_TYPE,
 * FILE_TOO_LARGE, or what the spool says.
 */
export async function receiveFile(spool: Spool, part: FilePart, admit: Admit): Promise<ReceivedFile> {
  const filename = checkFilename(part.filename);
  const writer = await spool.create();
  try {
    let received = 0;
    let maxBytes = Number.POSITIVE_INFINITY;
    for await (const chunk of withHead(part.chunks)) {
      if (received === 0) maxBytes = admit(chunk).maxBytes;
      received += chunk.length;
      if (received > maxBytes) throw new MediaError({ code: "FILE_TOO_LARGE", maxBytes });
      await writer.write(chunk);
    }
    if (received === 0) throw new MediaError({ code: "EMPTY_FILE" });
    return { file: await writer.finish(), filename, discard: () => writer.discard() };
  } catch (error) {
    await writer.discard();
    throw error;
  }
}

/** The same bytes with a first chunk of at least HEAD_BYTES, or all there are. */
async function* withHead(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let head: Uint8Array[] | null = [];
  let size = 0;
  for await (const chunk of chunks) {
    if (head === null) {
      yield chunk;
      continue;
    }
    head.push(chunk);
    size += chunk.length;
    if (size < HEAD_BYTES) continue;
    yield concat(head, size);
    head = null;
  }
  if (head !== null && size > 0) yield concat(head, size);
}

function concat(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}

/** The name as sent, for showing only: it never becomes part of a path. Clients that send none get a plain one. */
function checkFilename(filename: string | undefined): string {
  const name = filename?.trim() ? filename : "file";
  if (!isWithoutNul(name)) throw validationFailed("filename", NUL_REFUSED);
  if (name.length <= TEXT_LIMITS.filename) return name;
  throw validationFailed("filename", `must be at most ${TEXT_LIMITS.filename} characters`);
}
