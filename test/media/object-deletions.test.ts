import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { StorageType } from "../../src/media/model.js";
import { removeDueObjects } from "../../src/media/object-deletions.js";
import { StorageUnavailableError } from "../../src/media/ports.js";
import { createObjectStores } from "../../src/storage/object-stores.js";
import { createDomain, type Domain } from "../support/domain.js";
import { newEntity, newMedia } from "../support/media-rows.js";

describe("working off the outbox", () => {
  let domain: Domain;
  let isDown: (key: string) => boolean;
  let error: Error;
  let batches: string[][];

  beforeEach(async () => {
    domain = await createDomain();
    isDown = () => false;
    error = new StorageUnavailableError("the disk is gone");
    batches = [];
  });
  afterEach(() => domain.close());

  const outbox = () => domain.deps.database.deletions;
  const wait = (seconds: number) => {
    domain.clock.time = new Date(domain.clock.time.getTime() + seconds * 1000);
  };
  /** Removes all but what is down, and says why it did not. */
  const deleteMany = async (keys: readonly string[]) => {
    batches.push([...keys]);
    await domain.deps.objects.primary.deleteMany(keys.filter((key) => !isDown(key)));
    return keys.filter(isDown).map((key) => ({ key, error }));
  };
  const work = () => removeDueObjects(domain.withStores({ local: { deleteMany } }));

  async function store(...keys: string[]): Promise<void> {
    for (const key of keys) await domain.put(key);
  }
  const promise = (...keys: string[]) => promiseIn("local", ...keys);
  const promiseIn = (storageType: StorageType, ...keys: string[]) =>
    outbox().add(
      keys.map((key) => ({ key, storageType })),
      domain.clock.now(),
    );
  const dueIn = (storageType: StorageType, limit = 1) => outbox().due({ storageType, now: domain.clock.now(), limit });

  it("does nothing where nothing is promised", async () => {
    await store("a.jpg");
    expect(await work()).toBe(0);
    expect(await domain.keys()).toEqual(["a.jpg"]);
  });

  it("removes what is named and nothing that begins alike", async () => {
    await store("a/1.jpg", "a/1.jpg.old", "a/1.jpgx", "a/10.jpg");
    await promise("a/1.jpg");
    expect(await work()).toBe(1);
    expect(await domain.keys()).toEqual(["a/1.jpg.old", "a/1.jpgx", "a/10.jpg"]);
    expect(await outbox().size()).toBe(0);
  });

  it("is done with an object that is gone already", async () => {
    await promise("a.jpg");
    expect(await work()).toBe(1);
    expect(await outbox().size()).toBe(0);
  });

  it("does not stop at an object that cannot be removed", async () => {
    await store("a.jpg", "b.jpg", "c.jpg");
    await promise("a.jpg", "b.jpg", "c.jpg");
    isDown = (key) => key === "b.jpg";
    expect(await work()).toBe(2);
    expect(await domain.keys()).toEqual(["b.jpg"]);
    expect(await outbox().holds({ key: "b.jpg", storageType: "local" })).toBe(true);
    expect(domain.log.lines.filter((line) => line.level === "warn")).toHaveLength(1);
  });

  it("tries again after five seconds, then twice as long each time, and never more than an hour apart", async () => {
    await store("a.jpg");
    await promise("a.jpg");
    isDown = () => true;
    await work();
    for (const seconds of [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]) {
      wait(seconds - 0.001);
      expect(await dueIn("local")).toEqual([]);
      wait(0.001);
      expect(await dueIn("local")).toMatchObject([{ key: "a.jpg" }]);
      expect(await work()).toBe(0);
    }
    isDown = () => false;
    wait(3600);
    expect(await work()).toBe(1);
    expect([await domain.keys(), await outbox().size()]).toEqual([[], 0]);
  });

  it("goes on through more than one batch, also when the first is all failures", async () => {
    const bad = Array.from({ length: 100 }, (_, at) => `bad/${at}.jpg`);
    await promise(...bad);
    await store("good.jpg");
    await promise("good.jpg");
    isDown = (key) => key.startsWith("bad/");
    error = new Error("these are locked");
    expect(await work()).toBe(1);
    expect(await domain.keys()).toEqual([]);
    expect(await outbox().size()).toBe(100);
  });

  it("ends with the first batch of which a store does not answer about anything, and goes on behind it", async () => {
    const many = Array.from({ length: 101 }, (_, at) => `${at}.jpg`);
    await store(...many);
    await promise(...many);
    isDown = () => true;
    expect(await work()).toBe(0);
    expect(batches.map((keys) => keys.length)).toEqual([100]);
    isDown = () => false;
    expect(await work()).toBe(1);
    wait(5);
    expect(await work()).toBe(100);
    expect([await domain.keys(), await outbox().size()]).toEqual([[], 0]);
  });

  it("asks for a batch in one go", async () => {
    await promise("a.jpg", "b.jpg", "c.jpg");
    await work();
    expect(batches).toEqual([["a.jpg", "b.jpg", "c.jpg"]]);
  });

  it("removes a key from the store that is named and leaves it in the other", async () => {
    for (const type of ["local", "s3"] as const) await domain.put("a.jpg", type);
    await promiseIn("s3", "a.jpg");
    expect(await work()).toBe(1);
    expect([await domain.keys("local"), await domain.keys("s3")]).toEqual([["a.jpg"], []]);
  });

  it("works off one store while the other is down", async () => {
    for (const type of ["local", "s3"] as const) await domain.put("a.jpg", type);
    await promiseIn("local", "a.jpg");
    await promiseIn("s3", "a.jpg");
    isDown = () => true;
    expect(await work()).toBe(1);
    expect([await domain.keys("local"), await domain.keys("s3")]).toEqual([["a.jpg"], []]);
    expect(await outbox().holds({ key: "a.jpg", storageType: "local" })).toBe(true);
  });

  it("does not wait for one store to begin with the other", async () => {
    await domain.put("a.jpg", "s3");
    await promiseIn("local", "a.jpg");
    await promiseIn("s3", "a.jpg");
    let release: (left: []) => void = () => undefined;
    const held = new Promise<[]>((resolve) => {
      release = resolve;
    });
    const isGone = domain.deps.objects.of("s3").deleteMany;
    const s3 = {
      deleteMany: async (keys: readonly string[]) => {
        const left = await isGone(keys);
        release([]);
        return left;
      },
    };
    // Ends only because the other store's removal frees this one's.
    expect(await removeDueObjects(domain.withStores({ local: { deleteMany: () => held }, s3 }))).toBe(2);
  });

  it("keeps entries of a store that is not set up", async () => {
    await promiseIn("s3", "a.jpg");
    const objects = createObjectStores({ primary: domain.deps.objects.primary });
    expect(await removeDueObjects({ ...domain.deps, objects })).toBe(0);
    expect(await dueIn("s3")).toMatchObject([{ key: "a.jpg", attempts: 0 }]);
  });

  it("never removes what a row names there, and says so", async () => {
    const { database } = domain.deps;
    const builder = await newEntity(database, "builder");
    await database.media.insert(newMedia(builder, { storagePath: "live.jpg" }));
    await store("live.jpg");
    await promise("live.jpg");
    expect(await work()).toBe(0);
    expect(await domain.keys()).toEqual(["live.jpg"]);
    expect(await outbox().size()).toBe(0);
    expect(domain.log.lines.filter((line) => line.level === "error")).toHaveLength(1);
  });

  it("removes what a row names in another store only", async () => {
    const { database } = domain.deps;
    const builder = await newEntity(database, "builder");
    await database.media.insert(newMedia(builder, { storagePath: "moved.jpg", storageType: "s3" }));
    await store("moved.jpg");
    await promise("moved.jpg");
    expect(await work()).toBe(1);
    expect(await domain.keys()).toEqual([]);
  });
});
