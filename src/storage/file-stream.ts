import { type FileHandle, open } from "node:fs/promises";
import { onDisk } from "./disk-failure.js";

/** Bytes read at once: large enough that the hop to a worker thread does not count. */
const CHUNK_BYTES = 256 * 1024;

/**
 * The bytes `start` to `start + length` of a file, read only as they are asked for. Takes over an open handle, or
 * opens a path at the first read; closes it at the end, on failure and on cancel. A file that ends too early is an
 * error, never a short stream.
 */
export function streamFile(file: FileHandle | string, start: number, length: number): ReadableStream<Uint8Array> {
  let handle = typeof file === "string" ? undefined : file;
  let position = start;
  const end = start + length;

  async function advance(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    if (position < end) {
      handle ??= typeof file === "string" ? await onDisk(open(file, "r")) : file;
      const chunk = await readChunk(handle, position, end);
      position += chunk.byteLength;
      controller.enqueue(chunk);
    }
    if (position < end) return;
    await handle?.close();
    controller.close();
  }

  return new ReadableStream<Uint8Array>(
    {
      pull: (controller) => closingOnFailure(advance(controller), () => handle),
      cancel: () => handle?.close(),
    },
    { highWaterMark: 0 },
  );
}

async function closingOnFailure(work: Promise<void>, handle: () => FileHandle | undefined): Promise<void> {
  try {
    await work;
  } catch (error) {
    await handle()?.close();
    throw error;
  }
}

async function readChunk(handle: FileHandle, position: number, end: number): Promise<Uint8Array> {
  const chunk = new Uint8Array(Math.min(CHUNK_BYTES, end - position));
  const { bytesRead } = await onDisk(handle.read(chunk, 0, chunk.byteLength, position));
  if (bytesRead === 0) throw new Error(`The file ends at byte ${position}, ${end - position} bytes too early.`);
  return chunk.subarray(0, bytesRead);
}
