import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { StorageType } from "../../src/media/model.js";
import { StorageUnavailableError } from "../../src/media/ports.js";
import { sweepAbandonedUploads } from "../../src/media/sweep.js";
import { createObjectStores } from "../../src/storage/object-stores.js";
import { createDomain, type Domain } from "../support/domain.js";

describe("sweeping abandoned uploads", () => {
  let domain: Domain;
  let down: ReadonlySet<string>;

  beforeEach(async () => {
    domain = await createDomain();
    down = new Set();
  });
  afterEach(() => domain.close());

  /** Removes all but what is down. */
  const deleteMany = async (keys: readonly string[]) => {
    await domain.deps.objects.primary.deleteMany(keys.filter((key) => !down.has(key)));
    const error = new StorageUnavailableError("the disk is gone");
    return keys.filter((key) => down.has(key)).map((key) => ({ key, error }));
  };
  const sweep = () => sweepAbandonedUploads(domain.withStores({ local: { deleteMany } }));
  const store = (key: string, type: StorageType = "local") => domain.put(key, type);

  /** An upload that stored both its objects and then gave up; the oldest first. */
  async function abandon(id: string, type: StorageType = "local", names = ["a.jpg", "b.jpg"]): Promise<void> {
    const { intents } = domain.deps.database;
    const keys = names.map((name) => `${id}/${name}`);
    domain.clock.time = new Date(domain.clock.time.getTime() + 1);
    await intents.open({ id, mediaPublicId: id, storageType: type, keys }, domain.clock.now());
    for (const key of keys) await store(key, type);
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

  it("keeps the intent of what cannot be removed, says so once, and goes on there the next time", async () => {
    for (const id of ["one", "two", "three"]) await abandon(id);
    down = new Set(["two/b.jpg", "three/a.jpg"]);
    expect(await sweep()).toBe(1);
    expect(await domain.keys()).toEqual(["three/a.jpg", "two/b.jpg"]);
    expect(domain.log.lines.filter((line) => line.level === "warn")).toHaveLength(1);
    expect(await domain.deps.database.intents.close("two")).toBe(false);
    down = new Set();
    expect(await sweep()).toBe(2);
    expect(await domain.keys()).toEqual([]);
    expect(domain.measured.retired).toEqual(Array(3).fill(["abandoned_upload", 1]));
  });

  it("clears each upload from its own store", async () => {
    await abandon("here");
    await abandon("there", "s3");
    await store("there/a.jpg");
    await store("here/a.jpg", "s3");
    expect(await sweep()).toBe(2);
    expect([await domain.keys("local"), await domain.keys("s3")]).toEqual([["there/a.jpg"], ["here/a.jpg"]]);
  });

  it("clears one store while the other is down", async () => {
    await abandon("here");
    await abandon("there", "s3");
    down = new Set(["here/a.jpg", "here/b.jpg"]);
    expect(await sweep()).toBe(1);
    expect([await domain.keys("local"), await domain.keys("s3")]).toEqual([["here/a.jpg", "here/b.jpg"], []]);
    down = new Set();
    expect(await sweep()).toBe(1);
    expect(await domain.keys()).toEqual([]);
  });

  it("leaves what is in a store that is not set up, until it is", async () => {
    await abandon("there", "s3");
    const objects = createObjectStores({ primary: domain.deps.objects.primary });
    expect(await sweepAbandonedUploads({ ...domain.deps, objects })).toBe(0);
    expect(await sweep()).toBe(1);
  });

  it("clears more than one batch", { timeout: 60_000 }, async () => {
    for (let i = 0; i < 101; i++) await abandon(`u${i}`, "local", ["a.jpg"]);
    expect(await sweep()).toBe(101);
    expect(await domain.keys()).toEqual([]);
  });
});
