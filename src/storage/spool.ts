import { createHash, randomUUID } from "node:crypto";
import { mkdir, mkdtemp, readdir, realpath, rm, stat } from "node:fs/promises";
import { join, resolve, sep } from "node:path";
import type { ByteSource, Spool, SpoolWriter } from "../media/ports.js";
import { isAbsence, onDisk } from "./disk-failure.js";
import { streamFile } from "./file-stream.js";
import { createHashingFile } from "./hashing-file.js";

export type ProcessSpool = Spool & {
  /** Removes the folders of processes that are not alive, never the own one. Answers how many. */
  sweepDead(isAlive: (instanceId: string) => boolean): Promise<number>;
  /** Removes this process's folder and all that is in it. */
  close(): Promise<void>;
};

/** What the port promises of `SpooledFile.head`, in bytes. */
const HEAD_BYTES = 4096;
const FOLDER_MODE = 0o700;
/** One safe name of a folder. */
const INSTANCE_ID = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/;

/**
 * A spool in `folder/{instanceId}/`, which comes into being with its first file. `instanceId` names one process among
 * all that share the folder. Everything rejects with `StorageUnavailableError` when the disk is full or does not serve.
 */
export function createSpool({ folder, instanceId }: { folder: string; instanceId: string }): ProcessSpool {
  if (!INSTANCE_ID.test(instanceId)) throw new TypeError("An instance id is letters, digits, '.', '_' and '-'.");
  const own = resolve(folder, instanceId);
  const makeOwn = () => onDisk(mkdir(own, { recursive: true, mode: FOLDER_MODE }));
  return {
    async create() {
      await makeOwn();
      return createWriter(join(own, randomUUID()));
    },
    async folder() {
      await makeOwn();
      const path = await onDisk(mkdtemp(join(own, "job-")));
      return { path, remove: () => removeTree(path) };
    },
    source: (path) => sourceBelow(own, path),
    sweepDead: (isAlive) => sweepDead(resolve(folder), (id) => id === instanceId || isAlive(id)),
    close: () => removeTree(own),
  };
}

const removeTree = (path: string): Promise<void> => onDisk(rm(path, { recursive: true, force: true }));

async function createWriter(path: string): Promise<SpoolWriter> {
  const file = await createHashingFile(path);
  const head = new Uint8Array(HEAD_BYTES);
  return {
    async write(chunk) {
      const taken = file.size();
      if (taken < HEAD_BYTES) head.set(chunk.subarray(0, HEAD_BYTES - taken), taken);
      await file.write(chunk);
    },
    async finish() {
      const { size, sha256 } = await file.finish({ durable: false });
      return { path, size, sha256, head: head.slice(0, size), open: () => streamFile(path, 0, size) };
    },
    async discard() {
      try {
        await file.close();
      } finally {
        await removeTree(path);
      }
    },
  };
}

async function sourceBelow(own: string, path: string): Promise<ByteSource> {
  const outside = () => new TypeError("The path is not a file of this spool.");
  if (!resolve(path).startsWith(own + sep)) throw outside();
  const [realOwn, realFile] = await onDisk(Promise.all([realpath(own), realpath(path)]));
  const stats = await onDisk(stat(realFile));
  if (!realFile.startsWith(realOwn + sep) || !stats.isFile()) throw outside();
  const hash = createHash("sha256");
  const takeChunk = (chunk: Uint8Array) => void hash.update(chunk);
  await streamFile(realFile, 0, stats.size).pipeTo(new WritableStream({ write: takeChunk }));
  const [size, sha256] = [stats.size, hash.digest("hex")];
  return { path: realFile, size, sha256, open: () => streamFile(realFile, 0, size) };
}

async function sweepDead(folder: string, isAlive: (instanceId: string) => boolean): Promise<number> {
  const dead = (await foldersIn(folder)).filter((name) => INSTANCE_ID.test(name) && !isAlive(name));
  for (const name of dead) await removeTree(join(folder, name));
  return dead.length;
}

/** Names of the folders; none where nothing was spooled yet. */
async function foldersIn(folder: string): Promise<string[]> {
  try {
    const entries = await onDisk(readdir(folder, { withFileTypes: true }));
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch (error) {
    if (isAbsence(error)) return [];
    throw error;
  }
}
