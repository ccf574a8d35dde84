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
import { searchMedia } from "../../src/media/search.js";
import { createLocalStorage } from "../../src/storage/local.js";
import { createDomain, type Domain } from "../support/domain.js";
import { newMedia, variant } from "../support/media-rows.js";
import { makeTemporaryFolder } from "../support/temporary-folder.js";

const PATIENCE = { confirmMinutes: 2, graceMinutes: 60, quarantineDays: 7 };
const NOTHING = { marked: [], unmarked: [], quarantined: [], removed: [] };
const MINUTE_MS = 60_000;
const DAY_MINUTES = 24 * 60;

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
  const deps = (over: Partial<ObjectStorage> = {}): Deps => ({ ...domain.deps, objects: { ...objects, ...over } });
  const run = (over: Partial<ObjectStorage> = {}) => reconcile(deps(over), PATIENCE, { isDry: false });
  const actionsOf = async (over: Partial<ObjectStorage> = {}) => (await run(over)).actions;
  const sync = () => domain.deps.database.sync;
  const find = async ({ id }: Media) => domain.deps.database.media.find(id);
  const listed = async () => {
    const page = await listGallery(domain.deps, ANONYMOUS, { type: "builder", id: "BLD-1", limit: 100 });
    return { ids: page.items.map((item) => item.id), total: page.total };
  };

  async function put(key: string): Promise<void> {
    const { file } = await domain.incoming(new TextEncoder().encode(key));
    await objects.put(key, file, { contentType: "image/jpeg", isPublic: true });
  }

  async function add(over: Parameters<typeof newMedia>[1] = {}): Promise<Media> {
    const media = await domain.deps.database.media.insert(
      newMedia(builder, { variants: [variant("thumbnail", 150)], ...over }),
    );
    for (const key of [media.storagePath, ...media.variants.map((v) => v.key)]) await put(key);
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
      await put("stray.jpg");
      domain.clock.time = new Date(Date.now() + 59 * MINUTE_MS);
      await run();
      expect(await sync().findings({ kind: "orphan", limit: 10 })).toEqual([]);
      domain.clock.time = new Date(Date.now() + 61 * MINUTE_MS);
      await run();
      expect(await sync().findings({ kind: "orphan", limit: 10 })).toMatchObject([{ key: "stray.jpg" }]);
    });

    it("is quarantined when it is seen again, and removed after seven days", async () => {
      const media = await add();
      await put("stray.jpg");
      expect(await actionsOf()).toEqual(NOTHING);
      wait(2);
      expect(await actionsOf()).toEqual({ ...NOTHING, quarantined: ["stray.jpg"] });
      expect(await sync().counts()).toEqual({ missing: 0, orphaned: 1 });
      wait(7 * DAY_MINUTES);
      expect(await actionsOf()).toEqual(NOTHING);
      expect(await keys()).toContain("stray.jpg");
      wait(1);
      expect(await actionsOf()).toEqual({ ...NOTHING, removed: ["stray.jpg"] });
      await removeDueObjects(deps());
      expect(new Set(await keys())).toEqual(new Set([media.storagePath, media.variants[0]?.key]));
      expect(await sync().counts()).toEqual({ missing: 0, orphaned: 0 });
    });

    it("is kept when a row names it before its time is over", async () => {
      await put("claimed.jpg");
      await run();
      wait(2);
      await run();
      await domain.deps.database.media.insert(newMedia(builder, { storagePath: "claimed.jpg" }));
      wait(8 * DAY_MINUTES);
      expect(await actionsOf()).toEqual(NOTHING);
      expect(await domain.deps.database.deletions.size()).toBe(0);
      expect(await sync().counts()).toEqual({ missing: 0, orphaned: 0 });
    });

    it("is kept when a row names it in the very last moment", async () => {
      await put("claimed.jpg");
      await run();
      wait(2);
      await run();
      wait(8 * DAY_MINUTES);
      const { database } = domain.deps;
      const late: typeof database.sync.findings = async (query) => {
        const found = await database.sync.findings(query);
        await database.media.insert(newMedia(builder, { storagePath: "claimed.jpg" }));
        return found;
      };
      const watched = { ...database, sync: { ...database.sync, findings: late } };
      const { actions } = await reconcile({ ...deps(), database: watched }, PATIENCE, { isDry: false });
      expect(actions).toEqual(NOTHING);
      expect(await database.deletions.holds("claimed.jpg")).toBe(false);
    });

    it("is none where its removal is promised already", async () => {
      await put("going.jpg");
      await domain.deps.database.deletions.add([{ key: "going.jpg", storageType: "local" }], domain.clock.now());
      for (let i = 0; i < 3; i++, wait(5)) expect((await run()).run.orphaned).toBe(0);
      expect(await sync().findings({ kind: "orphan", limit: 10 })).toEqual([]);
    });
  });

  describe("a run that was stopped", () => {
    const PAGE = 200;

    it("goes on with the row after the last page", { timeout: 60_000 }, async () => {
      for (let i = 0; i < PAGE + 5; i++) await add({ variants: [] });
      const stop = new AbortController();
      const heads: string[] = [];
      const head = (key: string) => {
        heads.push(key);
        stop.abort();
        return objects.head(key);
      };
      const options = { isDry: false, signal: stop.signal };
      await expect(reconcile(deps({ head }), PATIENCE, options)).rejects.toThrow(stop.signal.reason);
      expect(heads).toHaveLength(PAGE);
      expect(await sync().lastFinished()).toBeNull();
      const { run: ended } = await run({ head });
      expect(heads).toHaveLength(PAGE + 5);
      expect(new Set(heads).size).toBe(PAGE + 5);
      expect(ended).toMatchObject({ checked: 2 * (PAGE + 5), missing: 0, orphaned: 0 });
    });

    it("goes on with the object after the last page", { timeout: 60_000 }, async () => {
      for (let i = 0; i < PAGE + 5; i++) await put(`stray/${String(i).padStart(4, "0")}.jpg`);
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
  });

  describe("a dry run", () => {
    const dry = async () => {
      const before = await wholeDatabase();
      const stored = await keys();
      const { actions } = await reconcile(deps(), PATIENCE, { isDry: true });
      expect(await wholeDatabase()).toEqual(before);
      expect(await keys()).toEqual(stored);
      return actions;
    };

    it("says at every step what a real run would do then, and writes nothing at all", async () => {
      const lost = await add();
      await objects.delete(lost.storagePath);
      await put("stray.jpg");
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
        { ...NOTHING, marked: [lost.id], quarantined: ["stray.jpg"] },
        NOTHING,
        { ...NOTHING, removed: ["stray.jpg"] },
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
