import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ObjectExistsError, type ObjectStorage, StorageUnavailableError } from "../../src/media/ports.js";
import type { StorageRequest } from "../../src/storage/availability-guard.js";
import { createMemoryStorage } from "../../src/storage/memory.js";
import { createResilientStorage, type ResilienceOptions } from "../../src/storage/resilient.js";
import { objectStorageContract } from "../contracts/object-storage.js";
import { readAll, sourceOf } from "../support/byte-source.js";
import { createFailingStorage, type FailingStorage } from "../support/failing-storage.js";
import { createRecordingLog } from "../support/recording-log.js";

const OPTIONS = { contentType: "image/png", isPublic: true };

objectStorageContract("the resilient store around memory", async () => ({
  storage: createResilientStorage(createMemoryStorage(), { log: createRecordingLog() }),
  close: async () => undefined,
}));

describe("the resilient store", () => {
  let memory: ObjectStorage;
  let failing: FailingStorage;
  let storage: ObjectStorage;
  let log: ReturnType<typeof createRecordingLog>;
  let requests: StorageRequest[];
  let availability: boolean[];

  const PAUSE_MS = 5_000;

  const open = (changes: Partial<ResilienceOptions> = {}) => {
    log = createRecordingLog();
    requests = [];
    availability = [];
    return createResilientStorage(failing, {
      log,
      observe: (request) => requests.push(request),
      onAvailability: (isAvailable) => availability.push(isAvailable),
      putAttempts: 4,
      firstDelayMs: 1,
      longestDelayMs: 4,
      failuresToOpen: 3,
      pauseMs: PAUSE_MS,
      ...changes,
    });
  };

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["Date"] });
    memory = createMemoryStorage();
    failing = createFailingStorage(memory);
    storage = open();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const put = (key = "a.png", content = "bytes") => storage.put(key, sourceOf(content), OPTIONS);
  const failed = (request: Promise<unknown>) => expect(request).rejects.toBeInstanceOf(StorageUnavailableError);
  const listAll = async () => {
    const found: string[] = [];
    for await (const { key } of storage.list()) found.push(key);
    return found;
  };
  const textOf = async (key: string) => new TextDecoder().decode(await readAll((await memory.get(key))!.stream));

  it("is the store it stands before in all else", () => {
    const more = { ...failing, type: "s3" as const, bucketName: "photos", presignGet: () => "an address" };
    const resilient = createResilientStorage(more, { log });
    expect(resilient).toMatchObject({ type: "s3", bucketName: "photos" });
    expect(resilient.presignGet()).toBe("an address");
  });

  describe("a put", () => {
    it("is tried again while the store does not answer, with the whole source each time", async () => {
      failing.failures = 3;
      await put();
      expect(await textOf("a.png")).toBe("bytes");
      expect(requests.map(({ operation, outcome }) => `${operation} ${outcome}`)).toEqual([
        "put failed",
        "put failed",
        "put failed",
        "put ok",
      ]);
    });

    it("fails in the end, and leaves nothing behind", async () => {
      failing.failures = 4;
      await failed(put());
      expect(failing.calls).toHaveLength(4);
      expect(await memory.head("a.png")).toEqual({ state: "missing" });
    });

    it("succeeds where an earlier try stored the object and its answer was lost", async () => {
      failing.failures = 1;
      failing.losesAnswers = true;
      await put();
      expect(failing.calls).toEqual(["put", "put", "get"]);
      expect(await textOf("a.png")).toBe("bytes");
    });

    it.each([
      ["of another size", "other bytes"],
      ["of the same size", "bytez"],
    ])("is refused where the key was taken meanwhile by an object %s", async (_, content) => {
      await memory.put("a.png", sourceOf(content), OPTIONS);
      failing.failures = 1;
      await expect(put()).rejects.toBeInstanceOf(ObjectExistsError);
      expect(await textOf("a.png")).toBe(content);
    });

    it("is refused at the first try where the key is taken, by the same bytes too", async () => {
      await put();
      await expect(put()).rejects.toBeInstanceOf(ObjectExistsError);
      expect(failing.calls).toEqual(["put", "put"]);
    });

    it("is tried once where the source is not what it claims", async () => {
      const source = sourceOf("bytes", { size: 6 });
      await expect(storage.put("a.png", source, OPTIONS)).rejects.toThrow("announced size");
      expect(failing.calls).toEqual(["put"]);
    });
  });

  describe("after several failures in a row", () => {
    beforeEach(async () => {
      await put("kept.png");
      failing.failures = Number.POSITIVE_INFINITY;
      for (let i = 0; i < 3; i++) await failed(storage.get("kept.png"));
      failing.calls = [];
    });

    it("fails every request at once, and asks nothing of the store", async () => {
      await failed(put());
      await failed(storage.get("kept.png"));
      await failed(storage.delete("kept.png"));
      await failed(listAll());
      await failed(storage.sweepUnfinished(new Date()));
      const presence = await storage.head("kept.png");
      expect(presence).toMatchObject({ state: "unknown", reason: expect.stringContaining("time to recover") });
      const unremoved = await storage.deleteMany(["kept.png", "other.png"]);
      expect(unremoved.map(({ key }) => key)).toEqual(["kept.png", "other.png"]);
      for (const { error } of unremoved) expect(error).toBeInstanceOf(StorageUnavailableError);
      expect(failing.calls).toEqual([]);
    });

    it("says so once, in the log and to whoever counts", async () => {
      await failed(storage.get("kept.png"));
      expect(availability).toEqual([false]);
      expect(log.lines.map(({ level, message }) => `${level}: ${message}`)).toEqual([
        "error: the object store does not answer",
      ]);
    });

    it("looks after a pause whether the store answers again, and goes on where it does", async () => {
      failing.failures = 0;
      await failed(storage.get("kept.png"));
      vi.setSystemTime(Date.now() + PAUSE_MS);
      expect((await storage.get("kept.png"))?.size).toBe(5);
      expect(failing.calls).toEqual(["head", "get"]);
      expect(availability).toEqual([false, true]);
      expect(log.lines.at(-1)).toMatchObject({ level: "info", message: "the object store answers again" });
    });

    it("fails at once all that comes while it looks", async () => {
      let answer: () => void = () => undefined;
      const asked = new Promise<void>((resolve) => {
        answer = resolve;
      });
      failing = createFailingStorage({ ...memory, head: (key) => asked.then(() => memory.head(key)) });
      storage = open();
      failing.failures = 3;
      for (let i = 0; i < 3; i++) await failed(storage.get("kept.png"));
      vi.setSystemTime(Date.now() + PAUSE_MS);
      const trial = storage.get("kept.png");
      await failed(storage.get("kept.png"));
      answer();
      expect((await trial)?.size).toBe(5);
    });

    it("sends one look at a time, and waits again where it fails", async () => {
      vi.setSystemTime(Date.now() + PAUSE_MS);
      await Promise.all([1, 2, 3, 4].map(() => failed(put())));
      expect(failing.calls).toEqual(["head"]);
      failing.failures = 0;
      await failed(put());
      vi.setSystemTime(Date.now() + PAUSE_MS);
      await put();
      expect(failing.calls).toEqual(["head", "head", "put"]);
      expect(availability).toEqual([false, true]);
      expect(log.lines).toHaveLength(2);
    });
  });

  describe("counts as failure", () => {
    const out = () => {
      failing.failures = Number.POSITIVE_INFINITY;
    };
    it.each<[string, () => Promise<unknown>]>([
      ["a head that is unknown", () => storage.head("a.png")],
      ["a deletion of many that removes none", () => storage.deleteMany(["a.png", "b.png"])],
      ["a listing that does not begin", () => listAll().catch(() => undefined)],
      ["a put after all its tries", () => put().catch(() => undefined)],
      ["a delete", () => storage.delete("a.png").catch(() => undefined)],
    ])("%s", async (_, request) => {
      out();
      for (let i = 0; i < 2; i++) await request();
      expect(availability).toEqual([]);
      await request();
      expect(availability).toEqual([false]);
    });

    it("nothing that is an answer", async () => {
      await put();
      for (let i = 0; i < 5; i++) {
        await expect(put()).rejects.toBeInstanceOf(ObjectExistsError);
        await expect(storage.get("a.png", { start: 9, end: 9 })).rejects.toBeInstanceOf(RangeError);
        await expect(storage.get("../outside")).rejects.toBeInstanceOf(TypeError);
        await expect(storage.head("../outside")).rejects.toBeInstanceOf(TypeError);
        await expect(put("b.png", "")).resolves.toBeUndefined();
        expect(await storage.get("missing.png")).toBeNull();
        expect(await storage.head("missing.png")).toEqual({ state: "missing" });
        expect(await storage.deleteMany(["../outside"])).toHaveLength(1);
        await storage.delete("b.png");
      }
      expect(availability).toEqual([]);
      expect(requests.every(({ outcome }) => outcome === "ok")).toBe(true);
    });

    it("no failures that answers lie between", async () => {
      for (let i = 0; i < 5; i++) {
        failing.failures = 2;
        await failed(storage.get("a.png"));
        await failed(storage.get("a.png"));
        expect(await storage.get("a.png")).toBeNull();
      }
      expect(availability).toEqual([]);
    });
  });

  it("reports each request with its operation and duration", async () => {
    await put();
    await storage.get("a.png");
    await storage.head("a.png");
    expect(await listAll()).toEqual(["a.png"]);
    await storage.delete("a.png");
    await storage.deleteMany(["a.png"]);
    expect(requests.map(({ operation }) => operation)).toEqual(["put", "get", "head", "list", "delete", "delete"]);
    for (const { seconds } of requests) expect(seconds).toBeGreaterThanOrEqual(0);
  });
});
