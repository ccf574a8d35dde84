import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Media, StorageType } from "../../src/media/model.js";
import { moveItems } from "../../src/media/move-objects.js";
import { removeDueObjects } from "../../src/media/object-deletions.js";
import type { Deps, Entity, ObjectStorage } from "../../src/media/ports.js";
import { reconcile } from "../../src/media/reconcile.js";
import { deleteForEver, keysOf } from "../../src/media/remove.js";
import { DATABASES } from "../support/databases.js";
import { createDomain, type Domain } from "../support/domain.js";
import { newEntity, newMedia, variant } from "../support/media-rows.js";

const ITEMS = 24;
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Keys that this system could have written, so that their orphans are removed. */
const keyOf = (n: number, suffix = "") =>
  `builders/photos/BLD-1/2026-05/gallery-20260504030201-${String(n).padStart(16, "0")}${suffix}.jpg`;

describe.each(DATABASES)("movers, removals and comparisons at the same time on $name", ({ create }) => {
  let domain: Domain;
  let builder: Entity;

  beforeEach(async () => {
    domain = await createDomain(create);
    builder = await newEntity(domain.deps.database, "builder");
  });
  afterEach(() => domain.close());

  async function add(n: number): Promise<Media> {
    const [storagePath, thumbnail] = [keyOf(n), keyOf(n, "_thumb")];
    const media = await domain.deps.database.media.insert(
      newMedia(builder, {
        storagePath,
        fileSize: storagePath.length,
        variants: [{ ...variant("thumbnail", 150, thumbnail), fileSize: thumbnail.length }],
      }),
    );
    for (const key of keysOf(media)) await domain.put(key);
    return media;
  }

  /** Stores that take a moment for everything, each time another. */
  function hesitant(): Deps {
    const wait = () => sleep(Math.random() * 4);
    const slow = (type: StorageType): Partial<ObjectStorage> => {
      const { put, get, head, deleteMany } = domain.deps.objects.of(type);
      return {
        put: async (...args) => wait().then(() => put(...args)),
        get: async (...args) => wait().then(() => get(...args)),
        head: async (...args) => wait().then(() => head(...args)),
        deleteMany: async (...args) => wait().then(() => deleteMany(...args)),
      };
    };
    return domain.withStores({ local: slow("local"), s3: slow("s3") });
  }

  it("leave every item that is there whole, in one store, and nothing else", { timeout: 60_000 }, async () => {
    const items: Media[] = [];
    for (let n = 0; n < ITEMS; n++) items.push(await add(n));
    // Copies of an earlier mover that died, long enough ago to be due as orphans at this very moment.
    for (const { storagePath } of items.filter((_, at) => at % 3 === 0)) await domain.put(storagePath, "s3");
    const patience = { confirmMinutes: 2, graceMinutes: 60, quarantineDays: 7 };
    for (const milliseconds of [120 * MINUTE_MS, 3 * MINUTE_MS, 8 * DAY_MS]) {
      domain.clock.time = new Date(domain.clock.time.getTime() + milliseconds);
      if (milliseconds < DAY_MS) await reconcile(domain.deps, patience, { isDry: false });
    }
    expect(await domain.deps.database.sync.counts()).toEqual({ missing: 0, orphaned: ITEMS / 3 });

    const deps = hesitant();
    const move = () => moveItems(deps, { from: "local", to: "s3", concurrency: 4 });
    const gone = items.filter((_, at) => at % 4 === 1);
    const remove = async () => {
      for (const { id } of gone) await deleteForEver(deps, { kind: "service" }, id);
    };
    const compare = async () => {
      await reconcile(deps, patience, { isDry: false });
      await removeDueObjects(deps);
    };
    await Promise.all([move(), move(), remove(), compare()]);
    // What was refused because its copy was being removed moves now.
    expect(await move()).toMatchObject({ failed: [], isComplete: true });
    await removeDueObjects(deps);

    const kept = items.filter((item) => !gone.includes(item));
    expect(await domain.keys("s3")).toEqual(kept.flatMap(keysOf).sort());
    expect(await domain.keys("local")).toEqual([]);
    expect(await domain.deps.database.media.countStored("s3")).toBe(kept.length);
    expect(await domain.deps.database.deletions.size()).toBe(0);
    expect(domain.log.lines.filter((line) => line.level === "error")).toEqual([]);
  });
});
