import { MediaError } from "../media/errors.js";

/** Far above any input of a procedure. Bytes. */
const MAX_JSON_BYTES = 1024 * 1024;

/** How long a refused body may go on. */
const LINGER_MS = 10_000;

/**
 * Reads what is left into nothing, in the background: a client that still sends when the connection closes may lose
 * the answer that told it why. One that goes on for longer than any honest client needs is cut off.
 */
export function discardRest(reader: ReadableStreamDefaultReader<Uint8Array>): void {
  const ignore = () => undefined; // the request is answered, whatever becomes of its body
  const cutOff = setTimeout(() => void reader.cancel().catch(ignore), LINGER_MS);
  const drain = async () => {
    while (!(await reader.read()).done);
  };
  void drain()
    .catch(ignore)
    .finally(() => clearTimeout(cutOff));
}

/**
 * The next chunk, or REQUEST_TIMEOUT where none comes in time, or `interrupted` where the connection broke.
 */
export async function readChunk(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  idleMs: number,
  interrupted: (cause: unknown) => MediaError,
): Promise<ReadableStreamReadResult<Uint8Array>> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new MediaError({ code: "REQUEST_TIMEOUT", seconds: idleMs / 1000 })), idleMs);
  });
  const chunk = reader.read().catch((cause: unknown) => {
    throw interrupted(cause);
  });
  return Promise.race([chunk, late]).finally(() => clearTimeout(timer));
}

/** The body as it arrives. Throws VALIDATION for a broken one and REQUEST_TIMEOUT for a stalled one. */
export async function* readChunks(request: Request, idleMs: number): AsyncIterable<Uint8Array> {
  if (!request.body) return;
  const reader = request.body.getReader();
  try {
    for (;;) {
      const { done, value } = await readChunk(reader, idleMs, interrupted);
      if (done) return;
      yield value;
    }
  } finally {
    discardRest(reader);
  }
}

/**
 * The body as text, `MAX_JSON_BYTES` at most; never holds more. Throws VALIDATION for a larger or broken
 * one and REQUEST_TIMEOUT for a stalled one.
 */
export async function readText(request: Request, idleMs: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for await (const chunk of readChunks(request, idleMs)) {
    size += chunk.length;
    if (size > MAX_JSON_BYTES) throw invalidBody(`the body is larger than ${MAX_JSON_BYTES} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

export const invalidBody = (message: string, cause?: unknown): MediaError =>
  new MediaError({ code: "VALIDATION", issues: [{ path: "", message }] }, { cause });

const interrupted = (cause: unknown): MediaError => invalidBody("the connection was closed before its end", cause);
