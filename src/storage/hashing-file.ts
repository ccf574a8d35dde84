import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { onDisk } from "./disk-failure.js";

/** A new file under way: what is written is counted and hashed as it passes. */
export type HashingFile = {
  /** Bytes taken so far. */
  size(): number;
  /** Resolves when the chunk is with the operating system. */
  write(chunk: Uint8Array): Promise<void>;
  /** Ends the file; `durable` waits until the bytes would survive a loss of power. */
  finish(options: { durable: boolean }): Promise<{ size: number; sha256: string }>;
  /** Safe at any time, more than once. The file stays. */
  close(): Promise<void>;
};

/** Only the owner reads and writes what is stored here. */
export const FILE_MODE = 0o600;

/** Creates the file; rejects with EEXIST when it is there. */
export async function createHashingFile(path: string): Promise<HashingFile> {
  const handle = await onDisk(open(path, "wx", FILE_MODE));
  const hash = createHash("sha256");
  let size = 0;
  let closed = false;
  async function close() {
    closed = true;
    await onDisk(handle.close());
  }
  return {
    size: () => size,
    async write(chunk) {
      if (closed) throw new Error("The file is closed already.");
      const position = size;
      size += chunk.byteLength;
      hash.update(chunk);
      await onDisk(writeFully(handle, chunk, position));
    },
    async finish({ durable }) {
      if (closed) throw new Error("The file is closed already.");
      if (durable) await onDisk(handle.sync());
      await close();
      return { size, sha256: hash.digest("hex") };
    },
    close,
  };
}

/** One write may take fewer bytes than it is given. */
async function writeFully(handle: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  let written = 0;
  while (written < chunk.byteLength) {
    const { bytesWritten } = await handle.write(chunk, written, chunk.byteLength - written, position + written);
    written += bytesWritten;
  }
}
