import { createHash, randomBytes } from "node:crypto";
import type { ByteSource } from "../../src/media/ports.js";

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Deterministic enough for a test that compares what went in with what came out. */
export const someBytes = (length: number): Uint8Array => new Uint8Array(randomBytes(length));

export const sha256Of = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** A stream over the bytes in chunks, made as they are asked for. */
function streamOf(bytes: Uint8Array, chunkBytes = 64 * 1024): ReadableStream<Uint8Array> {
  let position = 0;
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      if (position >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(position, position + chunkBytes));
      position += chunkBytes;
    },
  });
}

export function sourceOf(content: Uint8Array | string, claims: Partial<Omit<ByteSource, "open">> = {}): ByteSource {
  const bytes = typeof content === "string" ? bytesOf(content) : content;
  return { size: bytes.length, sha256: sha256Of(bytes), open: () => streamOf(bytes), ...claims };
}

/** Claims the bytes but breaks off half-way. */
export function breakingSource(bytes: Uint8Array, failure: Error): ByteSource {
  const half = streamOf(bytes.slice(0, bytes.length / 2), 1024).getReader();
  const open = () =>
    new ReadableStream<Uint8Array>({
      async pull(controller) {
        const { done, value } = await half.read();
        if (done) controller.error(failure);
        else controller.enqueue(value);
      },
    });
  return { size: bytes.length, sha256: sha256Of(bytes), open };
}

export const readAll = async (stream: ReadableStream<Uint8Array>): Promise<Uint8Array> =>
  new Uint8Array(await new Response(stream).arrayBuffer());
