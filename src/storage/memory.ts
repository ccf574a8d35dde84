import { createHash } from "node:crypto";
import {
  type ByteSource,
  type Clock,
  ObjectExistsError,
  type ObjectListing,
  type ObjectStorage,
} from "../media/ports.js";
import { extentOf } from "./byte-range.js";
import { deleteEach } from "./delete-each.js";
import { compareKeys, isListed, type KeyWindow, keySegments } from "./key-rules.js";

type Held = { bytes: Uint8Array; lastModified: Date };

/** Objects in this process's memory, gone with it: for tests. */
export function createMemoryStorage(clock: Pick<Clock, "now"> = { now: () => new Date() }): ObjectStorage {
  const held = new Map<string, Held>();
  /** Async so that a bad key rejects, as everywhere. */
  const find = async (key: string) => {
    keySegments(key);
    return held.get(key);
  };
  const remove = async (key: string) => {
    keySegments(key);
    held.delete(key);
  };
  return {
    type: "local",
    bucketName: null,
    async put(key, source) {
      keySegments(key);
      const bytes = await readVerified(source);
      if (held.has(key)) throw new ObjectExistsError("The key is taken.");
      held.set(key, { bytes, lastModified: clock.now() });
    },
    async get(key, range) {
      const object = await find(key);
      if (!object) return null;
      const { start, length } = extentOf(object.bytes.byteLength, range);
      return { size: object.bytes.byteLength, stream: streamBytes(object.bytes.slice(start, start + length)) };
    },
    async head(key) {
      const object = await find(key);
      if (!object) return { state: "missing" };
      return { state: "exists", size: object.bytes.byteLength, lastModified: object.lastModified };
    },
    delete: remove,
    deleteMany: (keys) => deleteEach(keys, remove),
    list: (window) => listHeld(held, window),
    // A put that does not end leaves nothing.
    sweepUnfinished: async () => 0,
  };
}

async function readVerified(source: ByteSource): Promise<Uint8Array> {
  const bytes = new Uint8Array(await new Response(source.open()).arrayBuffer());
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  if (bytes.byteLength !== source.size || sha256 !== source.sha256) {
    throw new Error(`The source's ${bytes.byteLength} bytes do not match the announced size and digest.`);
  }
  return bytes;
}

const streamBytes = (bytes: Uint8Array): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start(controller) {
      if (bytes.byteLength > 0) controller.enqueue(bytes);
      controller.close();
    },
  });

async function* listHeld(
  held: ReadonlyMap<string, Held>,
  window: KeyWindow = {},
): AsyncGenerator<ObjectListing, void, undefined> {
  for (const key of [...held.keys()].filter((k) => isListed(k, window)).sort(compareKeys)) {
    const object = held.get(key);
    if (object) yield { key, size: object.bytes.byteLength, lastModified: object.lastModified };
  }
}
