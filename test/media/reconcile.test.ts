import { rename } from "node:fs/promises";
import { join } from "node:path";
import { createClient } from "@libsql/client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ANONYMOUS } from "../../src/media/actor.js";
import { getMedia, listGallery } from "../../src/media/browse.js";
import type { Media } from "../../src/media/model.js";
import { removeDueObjects } from "../../src/media/object-deletions.js";
import { type Deps, type Entity, type ObjectStorage, StorageUnavailableError } from "../../src/media/ports.js";
import { reconcile } from "../../src/media/reconcile.js";
import { keysOf } from "../../src/media/remove.js";
import { searchMedia } from "../../src/media/search.js";
import type { ReconcileOptions } from "../../src/media/sync-job.js";
import { createLocalStorage } from "../../src/storage/local.js";
import { createObjectStores } from "../../src/storage/object-stores.js";
import { createDomain, type Domain } from "../support/domain.js";
import { newMedia, variant } from "../support/media-rows.js";
import { makeTemporaryFolder } from "../support/temporary-folder.js";

const PATIENCE = { confirmMinutes: 2, graceMinutes: 60, quarantineDays: 7 };
const NOTHING = { marked: [], unmarked: [], quarantined: [], removed: [] };
const MINUTE_MS = 60_000;
const DAY_MINUTES = 24 * 60;
/** A key of this system that no row names. */
const STRAY = "builders/photos/BLD-1/2026-05/gallery-20260504030201-0123456789abcdef.jpg";
const strayOf = (n: number) => STRAY.replace(/.{4}\.jpg$/, `${String(n).padStart(4, "0")}.jpg`);

describe("comparing rows and objects in a folder", () => {
  let domain: Domain;
  let folder: Awaited<ReturnType<typeof makeTemporaryFolder>>;
  let objects: ObjectStorage;
  let builder: Entity;

  beforeEach(async () => {
    domain = await createDomain();
    folder = await makeTemporaryFolder();
    objects = createLocalStorage({ folder: join(folder.path, "files") });
    // Files are as old as the machine says: two hours from now they are past their grace.
    domain.clock.time = new Date(Date.now() + 120 * MINUTE_MS);
    builder = await domain.deps.database.entities.upsert({ type: "builder", publicId: "BLD-1" }, domain.clock.now());
  });
  afterEach(async () => {
    await domain.close();
    await folder.remove();
  });

  const wait = (minutes: number) => {
    domain.clock.time = new Date(domain.clock.time.getTime() + minutes * MINUTE_MS);
  };
  const deps = (over: Partial<ObjectStorage> = {}, s3: Partial<ObjectStorage> = {}): Deps => ({
    ...domain.deps,
    objects: createObjectStores({ primary: { ...objects, ...over }, others: [{ ...bucket(), ...s3 }] }),
  });
  const bucket = () => domain.deps.objects.of("s3");
  const runWith = async (parts: Deps, options: ReconcileOptions = { isDry: false }) => {
    const reconciled = await reconcile(parts, PATIENCE, options);
    if (!reconciled) throw new Error("Another run is under way.");
    return reconciled;
  };
  const run = (over: Partial<ObjectStorage> = {}) => runWith(deps(over));
  const actionsOf = async (over: Partial<ObjectStorage> = {}) => (await run(over)).actions;
  const sync = () => domain.deps.database.sync;
  const find = async ({ id }: Media) => domain.deps.database.media.find(id);
  const listed = async () => {
    const page = await listGallery(domain.deps, ANONYMOUS, { type: "builder", id: "BLD-1", limit: 100 });
    return { ids: page.items.map((item) => item.id), total: page.total };
  };

  async function put(key: string, store: ObjectStorage = objects): Promise<void> {
    const { file } = await domain.incoming(new TextEncoder().encode(key));
    await store.put(key, file, { contentType: "image/jpeg", isPublic: true });
  }

  async function add(over: Parameters<typeof newMedia>[1] = {}): Promise<Media> {
    const media = await domain.deps.database.media.insert(
      newMedia(builder, { variants: [variant("thumbnail", 150)], ...over }),
    );
    const store = media.storageType === "s3" ? bucket() : objects;
    for (const key of keysOf(media)) await put(key, store);
    return media;
  }

  async function keys(): Promise<string[]> {
    const found: string[] = [];
    for await (const { key } of objects.list()) found.push(key);
    return found;
  }

  /** Every row of every table, to see that nothing was written. */
  async function wholeDatabase(): Promise<unknown> {
    const client = createClient({ url: domain.opened.url });
    const tables = await client.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name");
    const rows = [];
    for (const name of tables.rows.map((table) => table.name as string))
      rows.push([name, (await client.execute(`SELECT * FROM "${name}"`)).rows]);
    client.close();
    return JSON.parse(JSON.stringify(rows));
  }

  it("finds nothing where there is nothing, and says when it ended", async () => {
    const { run: ended, actions } = await run();
    expect(actions).toEqual(NOTHING);
    expect(ended).toMatchObject({ checked: 0, missing: 0, orphaned: 0, unknown: 0, finishedAt: domain.clock.now() });
    expect(await sync().lastFinished()).toEqual(ended);
  });

  it("finds nothing where all is well, the trash included", async () => {
    await add();
    await add({ deletedAt: domain.clock.now() } as never);
    for (let i = 0; i < 3; i++, wait(5)) expect(await actionsOf()).toEqual(NOTHING);
    expect(await sync().lastFinished()).toMatchObject({ checked: 8, missing: 0, orphaned: 0, unknown: 0 });
  });

  describe("an object a row names and the store lost", () => {
    it("is believed when it is missing again two minutes later, and no sooner", async () => {
      const [lost, kept] = [await add(), await add()];
      await objects.delete(lost.storagePath);
      expect(await actionsOf()).toEqual(NOTHING);
      expect(await sync().counts()).toEqual({ missing: 0, orphaned: 0 });
      wait(1.99);
      expect(await actionsOf()).toEqual(NOTHING);
      expect(await find(lost)).toMatchObject({ missingSince: null });
      wait(0.01);
      expect(await actionsOf()).toEqual({ ...NOTHING, marked: [lost.id] });
      expect(await find(lost)).toMatchObject({ missingSince: domain.clock.now() });
      expect(await find(kept)).toMatchObject({ missingSince: null });
      expect(await sync().counts()).toEqual({ missing: 1, orphaned: 0 });
    });

    it("marks its item once, also where it is one variant", async () => {
      const lost = await add();
      await objects.delete(lost.variants[0]?.key ?? "");
      await run();
      wait(2);
      expect(await actionsOf()).toEqual({ ...NOTHING, marked: [lost.id] });
      const { missingSince } = (await find(lost)) ?? {};
      wait(60);
      const { actions, run: again } = await run();
      expect([actions, again.missing]).toEqual([NOTHING, 1]);
      expect(await find(lost)).toMatchObject({ missingSince });
    });

    it("takes its item out of lists and search; by its id it still answers", async () => {
      const [lost, kept] = [await add(), await add()];
      await objects.delete(lost.storagePath);
      await run();
      expect(await listed()).toEqual({ ids: [lost.id, kept.id], total: 2 });
      wait(2);
      await run();
      expect(await listed()).toEqual({ ids: [kept.id], total: 1 });
      const found = await searchMedia(domain.deps, ANONYMOUS, { limit: 100 });
      expect(found.items.map((item) => item.id)).toEqual([kept.id]);
      expect(await getMedia(domain.deps, ANONYMOUS, lost.id)).toMatchObject({ id: lost.id });
    });

    it("brings its item back when it is back", async () => {
      const [lost, kept] = [await add(), await add()];
      const { storagePath } = lost;
      await objects.delete(storagePath);
      await run();
      wait(2);
      await run();
      await put(storagePath);
      expect(await actionsOf()).toEqual({ ...NOTHING, unmarked: [lost.id] });
      expect(await listed()).toEqual({ ids: [lost.id, kept.id], total: 2 });
      expect(await sync().counts()).toEqual({ missing: 0, orphaned: 0 });
    });

    it("keeps its item marked while another of its objects is still gone", async () => {
      const lost = await add();
      const [original, thumbnail] = [lost.storagePath, lost.variants[0]?.key ?? ""];
      for (const key of [original, thumbnail]) await objects.delete(key);
      await run();
      wait(2);
      await run();
      await put(original);
      expect(await actionsOf()).toEqual(NOTHING);
      expect(await find(lost)).not.toMatchObject({ missingSince: null });
      expect(await sync().counts()).toMatchObject({ missing: 1 });
    });

    it("begins its wait anew when it was there in between", async () => {
      const lost = await add();
      await objects.delete(lost.storagePath);
      await run();
      await put(lost.storagePath);
      wait(5);
      await run();
      await objects.delete(lost.storagePath);
      wait(5);
      expect(await actionsOf()).toEqual(NOTHING);
      expect(await find(lost)).toMatchObject({ missingSince: null });
    });

    it("is no loss where its item was removed for good after its page was read", async () => {
      const gone = await add();
      const { database } = domain.deps;
      const head = async (key: string) => {
        await database.media.remove(gone.id).catch(() => undefined); // Gone with its first object.
        await objects.delete(key);
        return objects.head(key);
      };
      for (let i = 0; i < 2; i++, wait(5)) expect(await actionsOf({ head })).toEqual(NOTHING);
      expect(await sync().findings({ kind: "missing", limit: 10 })).toEqual([]);
    });

    it("is forgotten with its item", async () => {
      const lost = await add();
      await objects.delete(lost.storagePath);
      await run();
      wait(2);
      await run();
      await domain.deps.database.media.remove(lost.id);
      expect(await sync().counts()).toEqual({ missing: 0, orphaned: 0 });
    });
  });

  describe("while the store does not answer", () => {
    const DOWN = { head: () => Promise.resolve({ state: "unknown", reason: "an outage" } as const) };

    it("nothing is marked, however often", async () => {
      const media = await add();
      for (let i = 0; i < 3; i++, wait(10)) expect(await actionsOf(DOWN)).toEqual(NOTHING);
      expect(await find(media)).toMatchObject({ missingSince: null });
      expect(await sync().findings({ kind: "missing", limit: 10 })).toEqual([]);
      expect(await sync().lastFinished()).toMatchObject({ unknown: 2, missing: 0 });
    });

    it("nothing is unmarked, and no suspicion is dropped or confirmed", async () => {
      const [marked, suspected] = [await add(), await add()];
      await objects.delete(marked.storagePath);
      await run();
      wait(2);
      await objects.delete(suspected.storagePath);
      await run();
      const findings = await sync().findings({ kind: "missing", limit: 10 });
      expect(findings.map((finding) => finding.confirmedAt !== null)).toEqual([true, false]);
      wait(10);
      expect(await actionsOf(DOWN)).toEqual(NOTHING);
      expect(await sync().findings({ kind: "missing", limit: 10 })).toEqual(findings);
      expect(await find(marked)).not.toMatchObject({ missingSince: null });
    });

    it("an unmounted disk is an outage, not a loss of everything", async () => {
      const media = await add();
      const [files, away] = [join(folder.path, "files"), join(folder.path, "away")];
      await rename(files, away);
      for (let i = 0; i < 2; i++, wait(10)) await expect(run()).rejects.toThrow(StorageUnavailableError);
      expect(await find(media)).toMatchObject({ missingSince: null });
      await rename(away, files);
      expect(await actionsOf()).toEqual(NOTHING);
    });
  });

  describe("an object no row names", () => {
    it("may belong to an upload under way until it is an hour old", async () => {
      await put(STRAY);
      domain.clock.time = new Date(Date.now() + 59 * MINUTE_MS);
      await run();
      expect(await sync().findings({ kind: "orphan", limit: 10 })).toEqual([]);
      domain.clock.time = new Date(Date.now() + 61 * MINUTE_MS);
      await run();
      expect(await sync().findings({ kind: "orphan", limit: 10 })).toMatchObject([{ key: STRAY }]);
    });

    it("is quarantined when it is seen again, and removed after seven days", async () => {
      const media = await add();
      await put(STRAY);
      expect(await actionsOf()).toEqual(NOTHING);
      wait(2);
      expect(await actionsOf()).toEqual({ ...NOTHING, quarantined: [STRAY] });
      expect(await sync().counts()).toEqual({ missing: 0, orphaned: 1 });
      wait(7 * DAY_MINUTES);
      expect(await actionsOf()).toEqual(NOTHING);
      expect(await keys()).toContain(STRAY);
      wait(1);
      expect(await actionsOf()).toEqual({ ...NOTHING, removed: [STRAY] });
      await removeDueObjects(deps());
      expect(new Set(await keys())).toEqual(new Set([media.storagePath, media.variants[0]?.key]));
      expect(await sync().counts()).toEqual({ missing: 0, orphaned: 0 });
    });

    it("is kept when a row names it before its time is over", async () => {
      await put(STRAY);
      await run();
      wait(2);
      await run();
      await domain.deps.database.media.insert(newMedia(builder, { storagePath: STRAY }));
      wait(8 * DAY_MINUTES);
      expect(await actionsOf()).toEqual(NOTHING);
      expect(await domain.deps.database.deletions.size()).toBe(0);
      expect(await sync().counts()).toEqual({ missing: 0, orphaned: 0 });
    });

    it("is kept when a row names it in the very last moment", async () => {
      await put(STRAY);
      await run();
      wait(2);
      await run();
      wait(8 * DAY_MINUTES);
      const { database } = domain.deps;
      const late: typeof database.sync.findings = async (query) => {
        const found = await database.sync.findings(query);
        await database.media.insert(newMedia(builder, { storagePath: STRAY }));
        return found;
      };
      const watched = { ...database, sync: { ...database.sync, findings: late } };
      const { actions } = await runWith({ ...deps(), database: watched });
      expect(actions).toEqual(NOTHING);
      expect(await database.deletions.holds({ key: STRAY, storageType: "local" })).toBe(false);
    });

    it("is none where its removal is promised already", async () => {
      await put(STRAY);
      await domain.deps.database.deletions.add([{ key: STRAY, storageType: "local" }], domain.clock.now());
      for (let i = 0; i < 3; i++, wait(5)) expect((await run()).run.orphaned).toBe(0);
      expect(await sync().findings({ kind: "orphan", limit: 10 })).toEqual([]);
    });
  });

  describe("a run that was stopped", () => {
    const PAGE = 200;

    it("ends with the row it is at, and goes on with the next", async () => {
      for (let i = 0; i < 5; i++) await add({ variants: [] });
      const stop = new AbortController();
      const heads: string[] = [];
      const head = (key: string) => {
        heads.push(key);
        if (heads.length === 2) stop.abort();
        return objects.head(key);
      };
      const options = { isDry: false, signal: stop.signal };
      await expect(reconcile(deps({ head }), PATIENCE, options)).rejects.toThrow(stop.signal.reason);
      expect(heads).toHaveLength(2);
      expect(await sync().lastFinished()).toBeNull();
      const { run: ended } = await run({ head });
      expect(new Set(heads).size).toBe(5);
      expect(heads).toHaveLength(5);
      expect(ended).toMatchObject({ checked: 2 * 5, missing: 0, orphaned: 0 });
    });

    it("goes on with the row after the last page where its process died", { timeout: 60_000 }, async () => {
      for (let i = 0; i < PAGE + 5; i++) await add({ variants: [] });
      const heads: string[] = [];
      const head = (key: string) => {
        heads.push(key);
        if (heads.length === PAGE + 3) throw new Error("the process ends here");
        return objects.head(key);
      };
      await expect(run({ head })).rejects.toThrow("the process ends here");
      heads.length = 0;
      const again = (key: string) => {
        heads.push(key);
        return objects.head(key);
      };
      const { run: ended } = await run({ head: again });
      expect(heads).toHaveLength(5);
      expect(ended).toMatchObject({ checked: 2 * (PAGE + 5), missing: 0, orphaned: 0 });
    });

    it("goes on with the object after the last page", { timeout: 60_000 }, async () => {
      for (let i = 0; i < PAGE + 5; i++) await put(strayOf(i));
      async function* breaking(options?: { startAfter?: string }) {
        let seen = 0;
        for await (const object of objects.list(options)) {
          if (++seen > PAGE + 2) throw new Error("the process ends here");
          yield object;
        }
      }
      await expect(run({ list: breaking })).rejects.toThrow("the process ends here");
      const { run: ended } = await run();
      expect(ended).toMatchObject({ checked: PAGE + 5, orphaned: PAGE + 5, phase: "done" });
      expect(await sync().findings({ kind: "orphan", limit: 1000 })).toHaveLength(PAGE + 5);
    });

    it("goes on in the store it was in, behind the object it was at", async () => {
      for (let i = 0; i < 3; i++) for (const store of [objects, bucket()]) await put(strayOf(i), store);
      wait(120);
      const stop = new AbortController();
      const listed: string[] = [];
      const listing = (store: ObjectStorage, stopAt?: string) =>
        async function* (options?: { startAfter?: string }) {
          for await (const object of store.list(options)) {
            listed.push(`${store.type}/${object.key}`);
            if (object.key === stopAt) stop.abort();
            yield object;
          }
        };
      const parts = deps({ list: listing(objects) }, { list: listing(bucket(), strayOf(1)) });
      const stopped = reconcile(parts, PATIENCE, { isDry: false, signal: stop.signal });
      await expect(stopped).rejects.toThrow(stop.signal.reason);
      expect(await sync().resume(domain.clock.now())).toMatchObject({ position: `s3/${strayOf(1)}`, phase: "objects" });
      expect(listed).toHaveLength(5);
      const { run: ended } = await runWith(deps({ list: listing(objects) }, { list: listing(bucket()) }));
      expect(listed.slice(5)).toEqual([`s3/${strayOf(2)}`]);
      expect(ended).toMatchObject({ checked: 6, orphaned: 6 });
    });

    it("begins with the first object where its place names no store", async () => {
      await put(STRAY);
      const open = await sync().resume(domain.clock.now());
      await sync().save({ ...open, phase: "objects", position: "zzz.jpg" });
      expect((await run()).run).toMatchObject({ checked: 1, orphaned: 1 });
    });
  });

  describe("two stores", () => {
    const inS3 = { storageType: "s3", bucketName: "bucket" } as const;
    async function* failing(): AsyncGenerator<never> {
      yield* [];
      throw new StorageUnavailableError("the bucket is away");
    }

    it("are each asked about the rows whose objects they hold", async () => {
      const [here, there] = [await add(), await add(inS3)];
      wait(120);
      for (let i = 0; i < 2; i++, wait(5)) expect(await actionsOf()).toEqual(NOTHING);
      await bucket().delete(there.storagePath);
      await put(there.storagePath);
      await run();
      wait(2);
      expect(await actionsOf()).toEqual({ ...NOTHING, marked: [there.id] });
      expect(await find(here)).toMatchObject({ missingSince: null });
      expect(await sync().findings({ kind: "missing", limit: 10 })).toMatchObject([{ storageType: "s3" }]);
    });

    it("may both hold a key: the copy that no row speaks of is the orphan, and goes alone", async () => {
      const media = await add({ ...inS3, storagePath: STRAY, variants: [] });
      await put(STRAY);
      wait(120);
      await run();
      wait(2);
      expect(await actionsOf()).toEqual({ ...NOTHING, quarantined: [STRAY] });
      wait(8 * DAY_MINUTES);
      expect(await actionsOf()).toEqual({ ...NOTHING, removed: [STRAY] });
      expect(domain.measured.retired).toEqual([["orphan", 1]]);
      await removeDueObjects(deps());
      expect([await keys(), await domain.keys("s3")]).toEqual([[], [STRAY]]);
      expect(await find(media)).toMatchObject({ missingSince: null });
    });

    it("keep what was done in one while the listing of the other fails", async () => {
      for (const store of [objects, bucket()]) await put(STRAY, store);
      wait(120);
      await expect(runWith(deps({}, { list: failing }))).rejects.toThrow(StorageUnavailableError);
      const heads: string[] = [];
      const list: ObjectStorage["list"] = (options) => {
        heads.push("local");
        return objects.list(options);
      };
      const { run: ended } = await runWith(deps({ list }));
      expect(ended).toMatchObject({ checked: 2, orphaned: 2 });
      // Behind the last object of it: nothing is looked at twice.
      expect(heads).toEqual(["local"]);
    });

    it("one of them is not set up: its rows are unknown, and its orphans are left alone", async () => {
      const media = await add(inS3);
      await put(STRAY, bucket());
      wait(120);
      await run();
      wait(2);
      await run();
      wait(8 * DAY_MINUTES);
      const alone = { ...domain.deps, objects: createObjectStores({ primary: objects }) };
      const { run: ended, actions } = await runWith(alone);
      expect(actions).toEqual(NOTHING);
      expect(ended).toMatchObject({ checked: 2, unknown: 2, missing: 0, orphaned: 0 });
      expect(await find(media)).toMatchObject({ missingSince: null });
      expect(await sync().counts()).toEqual({ missing: 0, orphaned: 1 });
      expect(await actionsOf()).toEqual({ ...NOTHING, removed: [STRAY] });
    });
  });

  describe("an item that moves to another store meanwhile", () => {
    it("is not missing where it was", async () => {
      const media = await add({ variants: [] });
      const head = async (key: string) => {
        await domain.deps.database.media.switchStorage(media.id, { from: "local", to: "s3", bucketName: "bucket" });
        await objects.delete(key);
        return objects.head(key);
      };
      await put(media.storagePath, bucket());
      for (let i = 0; i < 3; i++, wait(5)) expect(await actionsOf({ head })).toEqual(NOTHING);
      expect(await find(media)).toMatchObject({ storageType: "s3", missingSince: null });
      expect(await sync().findings({ kind: "missing", limit: 10 })).toEqual([]);
    });

    it("is not marked for a loss that was long suspected, where it moves at the moment of marking", async () => {
      const media = await add({ variants: [] });
      await objects.delete(media.storagePath);
      await run();
      wait(5);
      const head = async (key: string) => {
        const presence = await objects.head(key);
        await domain.deps.database.media.switchStorage(media.id, { from: "local", to: "s3", bucketName: "bucket" });
        return presence;
      };
      expect(await actionsOf({ head })).toEqual(NOTHING);
      expect(await find(media)).toMatchObject({ missingSince: null });
    });

    it("leaves no orphan where its old object was listed before it was removed", async () => {
      const media = await add({ variants: [], storagePath: STRAY });
      async function* list(options?: { startAfter?: string }) {
        for await (const object of objects.list(options)) {
          await domain.deps.database.media.switchStorage(media.id, { from: "local", to: "s3", bucketName: "bucket" });
          await objects.delete(object.key);
          yield object;
        }
      }
      expect((await run({ list })).run.orphaned).toBe(0);
      expect(await sync().findings({ kind: "orphan", limit: 10 })).toEqual([]);
    });
  });

  describe("an object of somebody else", () => {
    it.each(["notes.txt", "stray.jpg", "builders/photos/BLD-1/readme.jpg"])(
      "%s is reported and never removed",
      async (key) => {
        await put(key);
        await run();
        wait(2);
        expect(await actionsOf()).toEqual(NOTHING);
        expect(await sync().counts()).toEqual({ missing: 0, orphaned: 1 });
        const warning = { level: "warn", message: "an object that this system did not write is left alone" };
        expect(domain.log.lines.filter((line) => line.level === "warn")).toEqual([warning]);
        for (let days = 0; days < 30; days += 5, wait(5 * DAY_MINUTES)) {
          const { actions, run: ended } = await run();
          expect([actions, ended.orphaned]).toEqual([NOTHING, 1]);
        }
        await removeDueObjects(deps());
        expect(await keys()).toEqual([key]);
        expect(domain.measured.retired).toEqual([]);
      },
    );

    it("is no longer reported once it is gone", async () => {
      await put("notes.txt");
      await run();
      wait(2);
      await run();
      await objects.delete("notes.txt");
      wait(8 * DAY_MINUTES);
      await run();
      expect(await sync().counts()).toEqual({ missing: 0, orphaned: 0 });
    });
  });

  describe("a quarantined object", () => {
    const quarantine = async () => {
      await put(STRAY);
      await run();
      wait(2);
      await run();
      wait(8 * DAY_MINUTES);
    };

    it("is kept while the store does not answer about it", async () => {
      await quarantine();
      const head: ObjectStorage["head"] = async () => ({ state: "unknown", reason: "an outage" });
      expect(await actionsOf({ head })).toEqual(NOTHING);
      expect(await sync().lastFinished()).toMatchObject({ unknown: 1, orphaned: 0 });
      expect(await sync().counts()).toEqual({ missing: 0, orphaned: 1 });
      expect(await actionsOf()).toEqual({ ...NOTHING, removed: [STRAY] });
    });

    it("is forgotten where it went by itself", async () => {
      await quarantine();
      await objects.delete(STRAY);
      expect(await actionsOf()).toEqual(NOTHING);
      expect(await sync().counts()).toEqual({ missing: 0, orphaned: 0 });
      expect(await domain.deps.database.deletions.size()).toBe(0);
    });
  });

  it("is run by one at a time, and free again after it, however it ended", async () => {
    await add({ variants: [] });
    const met: unknown[] = [];
    const head = async (key: string) => {
      met.push(await reconcile(deps(), PATIENCE, { isDry: false }));
      return objects.head(key);
    };
    expect((await run({ head })).run.checked).toBe(2);
    expect(met).toEqual([null]);
    const broken = () => Promise.reject(new Error("the process goes on, the run does not"));
    await expect(run({ head: broken })).rejects.toThrow("the run does not");
    expect((await run()).run.finishedAt).toEqual(domain.clock.now());
  });

  it("tells the metrics when it ended, and nothing of a dry run", async () => {
    await runWith(deps(), { isDry: true });
    expect(domain.measured.comparedAt).toEqual([]);
    await run();
    expect(domain.measured.comparedAt).toEqual([domain.clock.now()]);
  });

  it("asks about no more objects in a second than it was told", async () => {
    for (let i = 0; i < 2; i++) await add();
    const pauses: number[] = [];
    const clock = {
      now: domain.clock.now,
      pause: async (milliseconds: number) => {
        pauses.push(milliseconds);
        domain.clock.time = new Date(domain.clock.time.getTime() + milliseconds);
      },
    };
    const patience = { ...PATIENCE, objectsPerSecond: 4 };
    const started = domain.clock.time.getTime();
    const reconciled = await reconcile({ ...deps(), clock }, patience, { isDry: false });
    // Two rows of two objects, then four objects: seven quarters of a second lie between eight questions.
    expect(reconciled?.run.checked).toBe(8);
    expect(pauses).toEqual([500, 500, 250, 250, 250]);
    expect(domain.clock.time.getTime() - started).toBe(1750);
  });

  describe("a dry run", () => {
    const dry = async () => {
      const before = await wholeDatabase();
      const stored = await keys();
      const { actions } = await runWith(deps(), { isDry: true });
      expect(await wholeDatabase()).toEqual(before);
      expect(await keys()).toEqual(stored);
      return actions;
    };

    it("says at every step what a real run would do then, and writes nothing at all", async () => {
      const lost = await add();
      await objects.delete(lost.storagePath);
      await put(STRAY);
      const steps = [];
      for (const minutes of [0, 1, 2, 5, 7 * DAY_MINUTES, 2]) {
        wait(minutes);
        const expected = await dry();
        const done = await actionsOf();
        expect(expected).toEqual(done);
        steps.push(done);
      }
      expect(steps).toEqual([
        NOTHING,
        NOTHING,
        { ...NOTHING, marked: [lost.id], quarantined: [STRAY] },
        NOTHING,
        { ...NOTHING, removed: [STRAY] },
        NOTHING,
      ]);
    });

    it("sees what is back", async () => {
      const lost = await add();
      await objects.delete(lost.storagePath);
      await run();
      wait(2);
      await run();
      await put(lost.storagePath);
      expect(await dry()).toEqual({ ...NOTHING, unmarked: [lost.id] });
      expect(await find(lost)).not.toMatchObject({ missingSince: null });
    });
  });
});
