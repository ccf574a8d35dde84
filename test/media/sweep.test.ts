import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { StorageUnavailableError } from "../../src/media/ports.js";
import { sweepAbandonedUploads } from "../../src/media/sweep.js";
import { createDomain, type Domain } from "../support/domain.js";

describe("sweeping abandoned uploads", () => {
  let domain: Domain;
  let down: ReadonlySet<string>;

  beforeEach(async () => {
    domain = await createDomain();
    down = new Set();
  });
  afterEach(() => domain.close());

  const sweep = () =>
    sweepAbandonedUploads({
      ...domain.deps,
      objects: {
        ...domain.deps.objects,
        delete: async (key) => {
          if (down.has(key)) throw new StorageUnavailableError("the disk is gone");
          await domain.deps.objects.delete(key);
        },
      },
    });

  async function store(key: string): Promise<void> {
    const { file } = await domain.incoming(new TextEncoder().encode(key));
    await domain.deps.objects.put(key, file, { contentType: "image/jpeg", isPublic: true });
  }

  /** An upload that stored both its objects and then gave up; the oldest first. */
  async function abandon(id: string, keys = [`${id}/a.jpg`, `${id}/b.jpg`]): Promise<void> {
    const { intents } = domain.deps.database;
    domain.clock.time = new Date(domain.clock.time.getTime() + 1);
    await intents.open({ id, mediaPublicId: id, storageType: "local", keys }, domain.clock.now());
    for (const key of keys) await store(key);
    await intents.abandon(id);
  }

  it("finds nothing where nothing was abandoned", async () => {
    await store("a.jpg");
    expect(await sweep()).toBe(0);
    expect(await domain.keys()).toEqual(["a.jpg"]);
  });

  it("removes the keys an intent names and no others, then the intent", async () => {
    await store("one/a.jpg.old");
    await abandon("one");
    expect(await sweep()).toBe(1);
    expect(await domain.keys()).toEqual(["one/a.jpg.old"]);
    expect(await sweep()).toBe(0);
  });

  it("leaves alone what a living process works on", async () => {
    const { intents } = domain.deps.database;
    const intent = { id: "mine", mediaPublicId: "mine", storageType: "local", keys: ["mine.jpg"] } as const;
    await intents.open(intent, domain.clock.now());
    await store("mine.jpg");
    expect(await sweep()).toBe(0);
    expect(await domain.keys()).toEqual(["mine.jpg"]);
    expect(await intents.close("mine")).toBe(true);
  });

  it("stops where the store fails, and goes on there the next time", async () => {
    await abandon("one");
    await abandon("two");
    await abandon("three");
    down = new Set(["two/b.jpg"]);
    await expect(sweep()).rejects.toThrow(StorageUnavailableError);
    expect(await domain.keys()).toEqual(["three/a.jpg", "three/b.jpg", "two/b.jpg"]);
    expect(await domain.deps.database.intents.close("two")).toBe(false);
    down = new Set();
    expect(await sweep()).toBe(2);
    expect(await domain.keys()).toEqual([]);
  });

  it("clears more than one batch", { timeout: 60_000 }, async () => {
    for (let i = 0; i < 101; i++) await abandon(`u${i}`, [`u${i}.jpg`]);
    expect(await sweep()).toBe(101);
    expect(await domain.keys()).toEqual([]);
  });
});
