import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Actor, ANONYMOUS } from "../../src/media/actor.js";
import { measureBacklog } from "../../src/media/backlog.js";
import type { SyncRun } from "../../src/media/lifecycle-ports.js";
import type { Deps, Entity, ObjectStorage } from "../../src/media/ports.js";
import { repairStorage, storageSync } from "../../src/media/storage-health.js";
import { createDomain, type Domain } from "../support/domain.js";
import { newEntity, newMedia, variant } from "../support/media-rows.js";

const MODERATOR: Actor = { kind: "user", id: "USR-MODERATOR", role: "moderator", verified: false };

describe("the health of the storage", () => {
  let domain: Domain;
  let builder: Entity;

  beforeEach(async () => {
    domain = await createDomain();
    const entity = { type: "builder", publicId: "BLD-1", ownerId: "USR-1" } as const;
    builder = await domain.deps.database.entities.upsert(entity, domain.clock.now());
  });
  afterEach(() => domain.close());

  const health = (actor: Actor = MODERATOR) => storageSync(domain.deps, actor);
  const status = async () => (await health()).status;
  const sync = () => domain.deps.database.sync;

  /** Rows that name this many objects in all: an original with one variant each. */
  async function addObjects(objects: number): Promise<void> {
    for (let named = 0; named < objects; named += 2)
      await domain.deps.database.media.insert(newMedia(builder, { variants: [variant("thumbnail", 150)] }));
  }

  async function suspect(kind: "missing" | "orphan", key: string): Promise<number> {
    const mediaId = kind === "missing" ? 1 : null;
    return (await sync().sight({ kind, storageType: "local", key, mediaId }, domain.clock.now())).id;
  }

  async function confirm(kind: "missing" | "orphan", count: number): Promise<void> {
    for (let n = 0; n < count; n++) await sync().confirm(await suspect(kind, `${kind}/${n}`), domain.clock.now());
  }

  async function finishRun(counted: Partial<SyncRun> = {}): Promise<Date> {
    const finishedAt = domain.clock.now();
    await sync().save({ ...(await sync().resume(finishedAt)), phase: "done", ...counted, finishedAt });
    return finishedAt;
  }

  it("is healthy, with nothing counted, where there is nothing", async () => {
    expect(await health()).toEqual({
      status: "healthy",
      totals: { items: 0, bytes: 0 },
      checked: 0,
      unknown: 0,
      missing: 0,
      orphaned: 0,
      pendingDeletions: 0,
      lastRunAt: null,
    });
  });

  it.each([
    { missing: 0, orphaned: 0, status: "healthy" },
    { missing: 0, orphaned: 1, status: "degraded" },
    { missing: 0, orphaned: 150, status: "degraded" },
    { missing: 1, orphaned: 0, status: "degraded" },
    { missing: 1, orphaned: 5, status: "degraded" },
    { missing: 2, orphaned: 0, status: "critical" },
    { missing: 3, orphaned: 1, status: "critical" },
  ])("of 200 objects, $missing missing and $orphaned orphaned are $status", async ({ status, ...found }) => {
    await addObjects(200);
    await confirm("missing", found.missing);
    await confirm("orphan", found.orphaned);
    expect(await health()).toMatchObject({ status, ...found });
  });

  it("is critical from one object in a hundred, variants counted", async () => {
    await confirm("missing", 1);
    await addObjects(100);
    expect(await status()).toBe("critical");
    await addObjects(2);
    expect(await status()).toBe("degraded");
  });

  it("is critical where what is missing is all there is", async () => {
    await confirm("missing", 1);
    expect(await health()).toMatchObject({ status: "critical", totals: { items: 0, bytes: 0 }, missing: 1 });
  });

  it("is not touched by what is suspected only", async () => {
    await addObjects(2);
    await suspect("missing", "lost.jpg");
    await suspect("orphan", "stray.jpg");
    expect(await health()).toMatchObject({ status: "healthy", missing: 0, orphaned: 0 });
  });

  it("is well again when the objects are back", async () => {
    await addObjects(2);
    await confirm("missing", 1);
    await confirm("orphan", 1);
    expect(await status()).toBe("critical");
    await sync().clear("missing", { key: "missing/0", storageType: "local" });
    expect(await status()).toBe("degraded");
    await sync().clear("orphan", { key: "orphan/0", storageType: "local" });
    expect(await status()).toBe("healthy");
  });

  it("is degraded, never critical, by what the store did not answer about", async () => {
    await addObjects(2);
    await finishRun({ checked: 2, unknown: 2 });
    expect(await health()).toMatchObject({ status: "degraded", checked: 2, unknown: 2, missing: 0 });
    await finishRun({ checked: 2, unknown: 0 });
    expect(await health()).toMatchObject({ status: "healthy", unknown: 0 });
  });

  it("counts the trash, whose bytes are still there", async () => {
    const { media } = domain.deps.database;
    const kept = await media.insert(newMedia(builder, { fileSize: 700, variants: [variant("thumbnail", 150)] }));
    const trashed = await media.insert(newMedia(builder, { fileSize: 40, variants: [] }));
    await media.update(trashed.id, { deletedAt: domain.clock.now() }, domain.clock.now());
    const bytes = 700 + 1500 + 40;
    expect(await health()).toMatchObject({ totals: { items: 2, bytes } });
    await media.remove(trashed.id);
    expect(await health()).toMatchObject({ totals: { items: 1, bytes: bytes - 40 } });
    expect(await media.find(kept.id)).toBeDefined();
  });

  it("tells the removals that wait, which are no fault", async () => {
    const { deletions } = domain.deps.database;
    await deletions.add(
      ["a", "b"].map((key) => ({ key, storageType: "local" }) as const),
      domain.clock.now(),
    );
    expect(await health()).toMatchObject({ status: "healthy", pendingDeletions: 2 });
  });

  it("is of the last run that ended, also while the next one goes on", async () => {
    const ended = await finishRun({ checked: 7 });
    domain.clock.time = new Date(ended.getTime() + 60_000);
    const next = await sync().resume(domain.clock.now());
    await sync().save({ ...next, checked: 3, unknown: 3 });
    expect(await health()).toMatchObject({ status: "healthy", checked: 7, unknown: 0, lastRunAt: ended.toISOString() });
    const later = await finishRun({ checked: 9 });
    expect(await health()).toMatchObject({ checked: 9, lastRunAt: later.toISOString() });
  });

  it("is for moderators, admins and services", async () => {
    await expect(health(ANONYMOUS)).rejects.toMatchObject({ failure: { code: "UNAUTHENTICATED" } });
    await expect(health(domain.user("USR-1", true))).rejects.toMatchObject({
      failure: { code: "FORBIDDEN", right: "moderate" },
    });
    const answered = await health();
    expect(await health({ kind: "user", id: "USR-ADMIN", role: "admin", verified: false })).toEqual(answered);
    expect(await health({ kind: "service" })).toEqual(answered);
  });

  it("is repaired by one at a time: who comes while rows and objects are compared is told so", async () => {
    const media = await domain.deps.database.media.insert(newMedia(builder, { variants: [] }));
    const repair = (deps: Deps, isDry = false) => repairStorage(deps, { kind: "service" }, { isDry });
    const met: unknown[] = [];
    const head: ObjectStorage["head"] = async (key) => {
      met.push(await repair(domain.deps).catch((error: unknown) => error));
      met.push(await repair(domain.deps, true));
      return domain.deps.objects.primary.head(key);
    };
    const done = await repair(domain.withStores({ local: { head } }));
    expect(met).toMatchObject([{ failure: { code: "CONFLICT" } }, { isDry: true, checked: 1 }]);
    expect(done).toMatchObject({ isDry: false, checked: 1 });
    expect(await repair(domain.deps)).toMatchObject({ checked: 1 });
    expect(await domain.deps.database.media.find(media.id)).toMatchObject({ missingSince: null });
  });
});

describe("the backlog", () => {
  it("is what waits: removals, items in the fallback store, and confirmed differences", async () => {
    const domain = await createDomain();
    try {
      const { database, clock } = domain.deps;
      const builder = await newEntity(database, "builder");
      await measureBacklog(domain.deps);
      await database.media.insert(newMedia(builder));
      await database.media.insert(newMedia(builder, { storageType: "s3" }));
      await database.deletions.add([{ key: "a", storageType: "local" }], clock.now());
      for (const key of ["b", "c"]) {
        const finding = { kind: "orphan", storageType: "local", key, mediaId: null } as const;
        await database.sync.confirm((await database.sync.sight(finding, clock.now())).id, clock.now());
      }
      await measureBacklog(domain.deps);
      await measureBacklog(domain.withStores({}, true));
      expect(domain.measured.backlogs).toEqual([
        { deletions: 0, promotions: 0, missing: 0, orphaned: 0, stale: 0 },
        { deletions: 1, promotions: 0, missing: 0, orphaned: 2, stale: 2 },
        { deletions: 1, promotions: 1, missing: 0, orphaned: 2, stale: 2 },
      ]);
    } finally {
      await domain.close();
    }
  });
});
