import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Media, StorageType } from "../../src/media/model.js";
import { type MoveOptions, moveItems, promoteFallback } from "../../src/media/move-objects.js";
import { type Deps, type Entity, type ObjectStorage, StorageUnavailableError } from "../../src/media/ports.js";
import { createDomain, type Domain } from "../support/domain.js";
import { newEntity, newMedia } from "../support/media-rows.js";

describe("moving what a store holds", () => {
  let domain: Domain;
  let builder: Entity;

  beforeEach(async () => {
    domain = await createDomain();
    builder = await newEntity(domain.deps.database, "builder");
  });
  afterEach(() => domain.close());

  const storage = (type: StorageType) => domain.deps.objects.of(type);
  const outage = () => Promise.reject(new StorageUnavailableError("an outage"));
  const move = (over: Partial<MoveOptions> = {}, deps: Deps = domain.deps) =>
    moveItems(deps, { from: "local", to: "s3", concurrency: 1, ...over });
  const held = async () => ({ local: (await domain.keys("local")).length, s3: (await domain.keys("s3")).length });

  /** Items of one object each, which holds its key. */
  async function add(count: number): Promise<Media[]> {
    const items: Media[] = [];
    for (let i = 0; i < count; i++) {
      const row = newMedia(builder);
      items.push(await domain.deps.database.media.insert({ ...row, fileSize: row.storagePath.length }));
      await domain.put(row.storagePath);
    }
    return items;
  }

  it("has nothing to do where there is nothing", async () => {
    expect(await move()).toEqual({ moved: 0, gone: 0, failed: [], objects: 0, bytes: 0, isComplete: true });
  });

  it("moves every page of it, several at once, says how far it is, and removes the old objects", async () => {
    const items = await add(105);
    const progress: number[] = [];
    const onProgress = (done: number) => void progress.push(done);
    const bytes = items.reduce((sum, item) => sum + item.fileSize, 0);
    const counts = { moved: 105, gone: 0, failed: [], objects: 105, bytes, isComplete: true };
    expect(await move({ concurrency: 4, onProgress })).toEqual(counts);
    expect(progress).toEqual(Array.from({ length: 105 }, (_, at) => at + 1));
    expect(await held()).toEqual({ local: 0, s3: 105 });
    expect(await domain.deps.database.media.countStored("s3")).toBe(105);
  });

  it("keeps as many under way as it was told and no more", async () => {
    await add(12);
    let [now, most] = [0, 0];
    const put: ObjectStorage["put"] = async (...args) => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => void setTimeout(resolve, 20));
      await storage("s3").put(...args);
      now--;
    };
    await move({ concurrency: 3 }, domain.withStores({ s3: { put } }));
    expect(most).toBe(3);
  });

  it("skips what cannot be moved, tells why, and goes on", async () => {
    const [first, lost, last] = (await add(3)) as [Media, Media, Media];
    await storage("local").delete(lost.storagePath);
    const result = await move();
    const failed = [{ publicId: lost.publicId, reason: `${lost.storagePath} is not in local.` }];
    expect(result).toMatchObject({ moved: 2, failed, isComplete: true });
    expect(await domain.keys("s3")).toEqual([first.storagePath, last.storagePath].sort());
    expect(domain.log.lines.filter((line) => line.level === "warn")).toHaveLength(1);
    await domain.put(lost.storagePath);
    expect(await move()).toMatchObject({ moved: 1, failed: [] });
    expect(await held()).toEqual({ local: 0, s3: 3 });
  });

  it("stops after the items under way, and goes on with the rest the next time", async () => {
    await add(6);
    const stop = new AbortController();
    const onProgress = (done: number) => void (done === 2 && stop.abort());
    expect(await move({ signal: stop.signal, onProgress })).toMatchObject({ moved: 2, isComplete: false });
    expect(await held()).toEqual({ local: 4, s3: 2 });
    expect(await move()).toMatchObject({ moved: 4, isComplete: true });
    expect(await held()).toEqual({ local: 0, s3: 6 });
  });

  it("ends where a store does not answer about ten items in a row", async () => {
    await add(15);
    const result = await move({}, domain.withStores({ s3: { put: outage } }));
    expect(result).toMatchObject({ moved: 0, isComplete: false });
    expect(result.failed.map(({ reason }) => reason)).toEqual(Array(10).fill("an outage"));
    expect(await held()).toEqual({ local: 15, s3: 0 });
  });

  it("does not end where a store fails now and then", async () => {
    await add(24);
    let puts = 0;
    const put: ObjectStorage["put"] = (...args) => (++puts % 2 ? outage() : storage("s3").put(...args));
    const result = await move({}, domain.withStores({ s3: { put } }));
    expect(result).toMatchObject({ moved: 12, isComplete: true });
    expect(result.failed).toHaveLength(12);
  });

  it("rejects where the database breaks, once nothing of it is under way", async () => {
    await add(8);
    let underWay = 0;
    const put: ObjectStorage["put"] = async (...args) => {
      underWay++;
      await storage("s3").put(...args);
      underWay--;
    };
    const deps = domain.withStores({ s3: { put } });
    const transact = () => Promise.reject(new Error("the database broke"));
    const broken = { ...deps, database: { ...deps.database, transact } };
    await expect(move({ concurrency: 4 }, broken)).rejects.toThrow("the database broke");
    expect(underWay).toBe(0);
    expect(await move({ concurrency: 4 })).toMatchObject({ moved: 8, failed: [] });
    expect(await held()).toEqual({ local: 0, s3: 8 });
  });

  it("keeps to its pace over all that is under way", async () => {
    await add(5);
    const clock = { ...domain.clock, now: () => domain.clock.time, pause: async (ms: number) => void paused.push(ms) };
    const paused: number[] = [];
    await move({ itemsPerSecond: 4, concurrency: 2 }, { ...domain.deps, clock });
    expect(paused).toEqual([250, 500, 750, 1000]);
  });

  it("is done once by two processes at it", async () => {
    await add(20);
    const both = await Promise.all([move({ concurrency: 3 }), move({ concurrency: 3 })]);
    expect(both.reduce((sum, { moved }) => sum + moved, 0)).toBe(20);
    expect(both.flatMap(({ failed }) => failed)).toEqual([]);
    expect(await held()).toEqual({ local: 0, s3: 20 });
    for (const key of await domain.keys("s3")) expect(await domain.deps.database.media.namesKey(key, "s3")).toBe(true);
  });

  describe("the fallback store", () => {
    const promote = (s3: Partial<ObjectStorage> = {}) => promoteFallback(domain.withStores({ s3 }, true));

    it("is not there, or empty: nothing is done", async () => {
      expect(await promote()).toBeNull();
      await add(1);
      expect(await promoteFallback(domain.deps)).toBeNull();
      expect(await held()).toEqual({ local: 1, s3: 0 });
    });

    it("is emptied into the primary store", async () => {
      await add(3);
      expect(await promote()).toMatchObject({ moved: 3, isComplete: true });
      expect(await held()).toEqual({ local: 0, s3: 3 });
      expect(await promote()).toBeNull();
    });

    it("keeps what it holds while the primary store does not answer", async () => {
      await add(3);
      let gets = 0;
      const get: ObjectStorage["get"] = (...args) => {
        gets++;
        return storage("local").get(...args);
      };
      const head: ObjectStorage["head"] = async () => ({ state: "unknown", reason: "an outage" });
      expect(await promoteFallback(domain.withStores({ s3: { head }, local: { get } }, true))).toBeNull();
      expect(gets).toBe(0);
    });

    it("is emptied by one process at a time", async () => {
      await add(3);
      const met: unknown[] = [];
      const put: ObjectStorage["put"] = async (...args) => {
        met.push(await promote());
        await storage("s3").put(...args);
      };
      expect(await promote({ put })).toMatchObject({ moved: 3 });
      expect(met).toEqual([null, null, null]);
    });

    it("is left where the process stops", async () => {
      await add(2);
      expect(await promoteFallback(domain.withStores({}, true), AbortSignal.abort())).toMatchObject({
        moved: 0,
        isComplete: false,
      });
      expect(await held()).toEqual({ local: 2, s3: 0 });
    });
  });
});
