import { createHash } from "node:crypto";
import type { ByteSource } from "../media/ports.js";

/**
 * The source's bytes, the last chunk only once all of them proved to be what was announced: who sends them on without
 * the last has sent nothing that counts. Fails with a plain Error where size or digest differ. `beforeLast` may object
 * too.
 */
export function verifiedBytes(source: ByteSource, beforeLast?: () => Promise<void>): ReadableStream<Uint8Array> {
  const hash = createHash("sha256");
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  let size = 0;
  let held: Uint8Array | undefined;

  /** The next chunk that may go, and whether it is the last. */
  async function advance(): Promise<{ chunk: Uint8Array | undefined; isLast: boolean }> {
    reader ??= source.open().getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      size += value.byteLength;
      if (size > source.size) throw new Error(`The source holds more than the announced ${source.size} bytes.`);
      hash.update(value);
      const chunk = held;
      held = value;
      if (chunk) return { chunk, isLast: false };
    }
    if (size !== source.size) throw new Error(`The source holds ${size} bytes, not the announced ${source.size}.`);
    if (hash.digest("hex") !== source.sha256) throw new Error("The source's bytes do not match their digest.");
    await beforeLast?.();
    return { chunk: held, isLast: true };
  }

  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { chunk, isLast } = await advance();
          if (chunk) controller.enqueue(chunk);
          if (isLast) controller.close();
        } catch (error) {
          // Of no effect where the source itself failed; its error is the one that is told.
          await reader?.cancel().catch(() => undefined);
          throw error;
        }
      },
      cancel: () => reader?.cancel(),
    },
    { highWaterMark: 0 },
  );
}
