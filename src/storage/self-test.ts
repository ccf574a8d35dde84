import { createHash, randomUUID } from "node:crypto";
import {
  type ByteSource,
  type Logger,
  ObjectExistsError,
  type ObjectStorage,
  StorageUnavailableError,
} from "../media/ports.js";

/** What a store was found to do. */
export type SelfTestResult = {
  /** Why it does not answer; null where it does. */
  outage: string | null;
  /** What it can't do, in words; empty where it passes. */
  cannot: string[];
};

type Probe = { storage: ObjectStorage; key: string };
type Step = { ability: string; works: (probe: Probe) => Promise<boolean> };

const OPTIONS = { contentType: "text/plain", isPublic: false };
const CONTENT = new TextEncoder().encode("0123456789 self-test");

/** In this order, on one object that was just put; the last removes it. */
const STEPS: readonly Step[] = [
  {
    ability: "tell the size of what it holds",
    works: async ({ storage, key }) => {
      const presence = await answered(storage, key);
      return presence.state === "exists" && presence.size === CONTENT.byteLength;
    },
  },
  {
    ability: "answer what was stored",
    works: async ({ storage, key }) => (await textOf(storage, key)) === textOfBytes(CONTENT),
  },
  {
    ability: "answer ranges",
    works: async ({ storage, key }) => (await textOf(storage, key, { start: 3, end: 6 })) === "3456",
  },
  { ability: "list what it holds", works: isListed },
  { ability: "refuse a second write of a key", works: refusesSecondWrite },
  {
    ability: "tell that an object is missing",
    works: async ({ storage, key }) => {
      const other = `${key}-missing`;
      return (await answered(storage, other)).state === "missing" && (await storage.get(other)) === null;
    },
  },
  {
    ability: "remove objects",
    works: async ({ storage, key }) => {
      const [failure] = await storage.deleteMany([key]);
      if (failure) throw failure.error;
      return (await answered(storage, key)).state === "missing";
    },
  },
];

/**
 * Tries on one small object below `self-test/` what a store has to do, takes the object away again and says the
 * outcome in one log line. Never rejects: an outage is an outcome.
 */
export async function selfTest(storage: ObjectStorage, { log }: { log: Logger }): Promise<SelfTestResult> {
  const result = await tryAll({ storage, key: `self-test/${randomUUID()}` });
  const store = { store: storage.type, bucket: storage.bucketName };
  if (result.outage !== null)
    log.error({ ...store, reason: result.outage }, `the object store fails: ${result.outage}`);
  else if (result.cannot.length > 0) log.error(store, `the object store cannot: ${result.cannot.join("; ")}`);
  else log.info(store, "the object store passes its self-test");
  return result;
}

async function tryAll(probe: Probe): Promise<SelfTestResult> {
  const { storage, key } = probe;
  try {
    await storage.put(key, sourceOf(CONTENT), OPTIONS);
  } catch (error) {
    await removeQuietly(probe);
    return { outage: messageOf(error), cannot: [] };
  }
  const cannot: string[] = [];
  for (const step of STEPS) {
    const objection = await objectionOf(step, probe);
    if (objection !== null) cannot.push(objection);
  }
  return { outage: null, cannot };
}

async function objectionOf({ ability, works }: Step, probe: Probe): Promise<string | null> {
  try {
    return (await works(probe)) ? null : ability;
  } catch (error) {
    return `${ability} (${messageOf(error)})`;
  }
}

/** What is left of the probe does no harm: nothing names it, and the comparison with the rows finds it as an orphan. */
const removeQuietly = ({ storage, key }: Probe): Promise<unknown> => storage.deleteMany([key]);

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Rejects with the reason where it is unknown. */
async function answered(storage: ObjectStorage, key: string) {
  const presence = await storage.head(key);
  if (presence.state === "unknown") throw new StorageUnavailableError(presence.reason);
  return presence;
}

async function textOf(storage: ObjectStorage, key: string, range?: { start: number; end: number }) {
  const object = await storage.get(key, range);
  return object && new Response(object.stream).text();
}

const textOfBytes = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

async function isListed({ storage, key }: Probe): Promise<boolean> {
  for await (const object of storage.list({ prefix: key })) {
    if (object.key === key) return object.size === CONTENT.byteLength;
  }
  return false;
}

async function refusesSecondWrite({ storage, key }: Probe): Promise<boolean> {
  try {
    await storage.put(key, sourceOf(new TextEncoder().encode("overwritten")), OPTIONS);
    return false;
  } catch (error) {
    if (!(error instanceof ObjectExistsError)) throw error;
  }
  return (await textOf(storage, key)) === textOfBytes(CONTENT);
}

const sourceOf = (bytes: Uint8Array): ByteSource => ({
  size: bytes.byteLength,
  sha256: createHash("sha256").update(bytes).digest("hex"),
  open: () =>
    new ReadableStream({
      start(controller) {
        controller.enqueue(bytes);
        controller.close();
      },
    }),
});
