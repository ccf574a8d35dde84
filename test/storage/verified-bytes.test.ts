import { describe, expect, it, vi } from "vitest";
import { verifiedBytes } from "../../src/storage/verified-bytes.js";
import { breakingSource, bytesOf, readAll, sha256Of, someBytes, sourceOf } from "../support/byte-source.js";

const CHUNK_BYTES = 64 * 1024;

/** The bytes that came before the failure, and the failure; null where there was none. */
async function readUntilFailure(stream: ReadableStream<Uint8Array>): Promise<{ size: number; failure: unknown }> {
  const reader = stream.getReader();
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return { size, failure: null };
      size += value.byteLength;
    }
  } catch (failure) {
    return { size, failure };
  }
}

describe("verified bytes", () => {
  it.each([0, 1, CHUNK_BYTES, CHUNK_BYTES + 1, 5 * CHUNK_BYTES])("are the source's, all %d of them", async (size) => {
    const bytes = someBytes(size);
    expect(sha256Of(await readAll(verifiedBytes(sourceOf(bytes))))).toBe(sha256Of(bytes));
  });

  it.each([
    ["another digest", { sha256: sha256Of(bytesOf("others")) }, "digest"],
    ["fewer bytes", { size: 3 * CHUNK_BYTES - 1 }, "more than the announced"],
    ["more bytes", { size: 3 * CHUNK_BYTES + 1 }, "not the announced"],
  ])("end before their last chunk where the source announced %s", async (_, claims, message) => {
    const { size, failure } = await readUntilFailure(verifiedBytes(sourceOf(someBytes(3 * CHUNK_BYTES), claims)));
    expect(size).toBeLessThanOrEqual(2 * CHUNK_BYTES);
    expect(String(failure)).toContain(message);
  });

  it("fail with the source's own error", async () => {
    const hangUp = new Error("the sender hung up");
    const { failure } = await readUntilFailure(verifiedBytes(breakingSource(someBytes(CHUNK_BYTES), hangUp)));
    expect(failure).toBe(hangUp);
  });

  it("end before their last chunk where there is an objection", async () => {
    const taken = new Error("taken");
    const stream = verifiedBytes(sourceOf(someBytes(3 * CHUNK_BYTES)), () => Promise.reject(taken));
    expect(await readUntilFailure(stream)).toEqual({ size: 2 * CHUNK_BYTES, failure: taken });
  });

  it.each([
    ["they are left", (reader: ReadableStreamDefaultReader<Uint8Array>) => reader.cancel()],
    [
      "it holds too much",
      async (reader: ReadableStreamDefaultReader<Uint8Array>) => {
        for (let i = 0; i < 20; i++) await reader.read().catch(() => undefined);
      },
    ],
  ])("close the source when %s", async (_, end) => {
    const cancel = vi.fn<() => void>();
    const pull = (controller: ReadableStreamDefaultController<Uint8Array>) => controller.enqueue(new Uint8Array(10));
    const open = () => new ReadableStream<Uint8Array>({ pull, cancel });
    const reader = verifiedBytes({ size: 100, sha256: "", open }).getReader();
    await reader.read();
    await end(reader);
    expect(cancel).toHaveBeenCalledOnce();
  });
});
