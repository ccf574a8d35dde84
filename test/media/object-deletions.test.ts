import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { removeDueObjects } from "../../src/media/object-deletions.js";
import { StorageUnavailableError } from "../../src/media/ports.js";
import { createDomain, type Domain } from "../support/domain.js";

describe("working off the outbox", () => {
  let domain: Domain;
  let isDown: (key: string) => boolean;

  beforeEach(async () => {
    domain = await createDomain();
    isDown = () => false;
  });
  afterEach(() => domain.close());

  const outbox = () => domain.deps.database.deletions;
  const wait = (seconds: number) => {
    domain.clock.time = new Date(domain.clock.time.getTime() + seconds * 1000);
  };
  const deps = () => ({
    ...domain.deps,
    objects: {
      ...domain.deps.objects,
      delete: async (key: string) => {
        if (isDown(key)) throw new StorageUnavailableError("the disk is gone");
        await domain.deps.objects.delete(key);
      },
    },
  });
  const work = () => removeDueObjects(deps());

  async function store(...keys: string[]): Promise<void> {
    for (const key of keys) {
      const { file } = await domain.incoming(new TextEncoder().encode(key));
      await domain.deps.objects.put(key, file, { contentType: "image/jpeg", isPublic: true });
    }
  }
  const promise = (...keys: string[]) =>
    outbox().add(
      keys.map((key) => ({ key, storageType: "local" })),
      domain.clock.now(),
    );

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
    expect(await outbox().holds("b.jpg")).toBe(true);
    expect(domain.log.lines.filter((line) => line.level === "warn")).toHaveLength(1);
  });

  it("tries again after five seconds, then twice as long each time, and never more than an hour apart", async () => {
    await store("a.jpg");
    await promise("a.jpg");
    isDown = () => true;
    await work();
    for (const seconds of [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]) {
      wait(seconds - 0.001);
      expect(await outbox().due(domain.clock.now(), 1)).toEqual([]);
      wait(0.001);
      expect(await outbox().due(domain.clock.now(), 1)).toMatchObject([{ key: "a.jpg" }]);
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
    expect(await work()).toBe(1);
    expect(await domain.keys()).toEqual([]);
    expect(await outbox().size()).toBe(100);
  });
});
