import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ObjectPlace, StorageFinding, SyncRun } from "../../src/media/lifecycle-ports.js";
import { type EmptyDatabase, openMigrated, type TestDatabase } from "../support/database.js";
import { newEntity, newMedia } from "../support/media-rows.js";

const START = new Date("2026-03-04T05:00:00.000Z");
const at = (seconds: number) => new Date(START.getTime() + seconds * 1_000);
const local = (key: string): ObjectPlace => ({ key, storageType: "local" });
const remote = (key: string): ObjectPlace => ({ key, storageType: "s3" });
const orphan = (key: string) => ({ kind: "orphan", storageType: "local", key, mediaId: null }) as const;
const missing = (key: string, mediaId: number) => ({ kind: "missing", storageType: "s3", key, mediaId }) as const;

/** What every SyncLog does. */
export function syncLogContract(create: () => Promise<EmptyDatabase>): void {
  let open: TestDatabase;
  beforeEach(async () => {
    open = await openMigrated(await create());
  });
  afterEach(() => open.close());
  const log = () => open.database.sync;

  describe("a run", () => {
    it("begins at the first row, with nothing counted", async () => {
      const run = await log().resume(START);
      expect(run).toEqual({
        id: run.id,
        startedAt: START,
        finishedAt: null,
        phase: "rows",
        position: null,
        checked: 0,
        missing: 0,
        orphaned: 0,
        unknown: 0,
      });
    });

    it("goes on where it was saved, whoever resumes it", async () => {
      const run = await log().resume(START);
      const saved: SyncRun = {
        ...run,
        phase: "objects",
        position: `users/ü/${"x".repeat(1_000)}`,
        checked: 5_000_000_001,
        missing: 2,
        orphaned: 3,
        unknown: 4,
      };
      await log().save(saved);
      expect(await log().resume(at(60))).toEqual(saved);
      expect(await log().lastFinished()).toBeNull();
    });

    it("is one, of however many that begin at once", async () => {
      const runs = await Promise.all(Array.from({ length: 10 }, () => log().resume(START)));
      expect(new Set(runs.map((run) => run.id)).size).toBe(1);
    });

    it("is followed by a new one when it is finished", async () => {
      const first = await log().resume(START);
      const finished: SyncRun = { ...first, finishedAt: at(5), phase: "done", position: null, checked: 9 };
      await log().save(finished);
      expect(await log().lastFinished()).toEqual(finished);
      const second = await log().resume(at(10));
      expect(second.id).not.toBe(first.id);
      expect(second).toMatchObject({ startedAt: at(10), finishedAt: null, phase: "rows", checked: 0 });
      expect(await log().lastFinished()).toEqual(finished);
    });

    it("is remembered as the last one that came to its end", async () => {
      expect(await log().lastFinished()).toBeNull();
      for (const seconds of [10, 30, 20]) {
        const run = await log().resume(at(seconds));
        await log().save({ ...run, phase: "done", finishedAt: at(seconds + 1) });
      }
      expect(await log().lastFinished()).toMatchObject({ finishedAt: at(31) });
    });

    it("that was never begun can't be saved", async () => {
      const run = await log().resume(START);
      const unknown = { failure: { code: "NOT_FOUND" } };
      await expect(log().save({ ...run, id: 987_654_321 })).rejects.toMatchObject(unknown);
    });
  });

  describe("a finding", () => {
    it("is a suspicion when it is sighted first, and the same one when it is sighted again", async () => {
      const first = await log().sight(orphan("a/stray.jpg"), START);
      expect(first).toEqual({ ...orphan("a/stray.jpg"), id: first.id, firstSeenAt: START, confirmedAt: null });
      expect(await log().sight(orphan("a/stray.jpg"), at(600))).toEqual(first);
      const lost = await log().sight(missing("b/lost.jpg", 17), at(1));
      expect(lost).toEqual({ ...missing("b/lost.jpg", 17), id: lost.id, firstSeenAt: at(1), confirmedAt: null });
    });

    it("is found by its kind and its very key, or null", async () => {
      expect(await log().find("orphan", local("k/A"))).toBeNull();
      const seen = await log().sight(orphan("k/A"), START);
      expect(await log().find("orphan", local("k/A"))).toEqual(seen);
      for (const key of ["k/a", "k/A ", "k/", ""]) expect(await log().find("orphan", local(key)), key).toBeNull();
      expect(await log().find("missing", local("k/A"))).toBeNull();
      await log().clear("orphan", local("k/A"));
      expect(await log().find("orphan", local("k/A"))).toBeNull();
    });

    it("names the item it was seen with last", async () => {
      const { id } = await log().sight(missing("k", 1), START);
      expect(await log().sight(missing("k", 2), at(1))).toEqual({
        ...missing("k", 2),
        id,
        firstSeenAt: START,
        confirmedAt: null,
      });
    });

    it("is of its store: one key may be stray in two, and is watched, confirmed and cleared in each", async () => {
      const here = await log().sight(orphan("k"), START);
      const there = await log().sight({ ...orphan("k"), storageType: "s3" }, at(1));
      expect(there).toEqual({ ...orphan("k"), storageType: "s3", id: there.id, firstSeenAt: at(1), confirmedAt: null });
      expect(there.id).not.toBe(here.id);
      await log().confirm(there.id, at(60));
      expect(await log().find("orphan", local("k"))).toEqual(here);
      expect(await log().find("orphan", remote("k"))).toEqual({ ...there, confirmedAt: at(60) });
      await log().clear("orphan", local("k"));
      expect(await log().find("orphan", local("k"))).toBeNull();
      expect(await log().findings({ kind: "orphan", limit: 9 })).toEqual([{ ...there, confirmedAt: at(60) }]);
    });

    it("is of its kind: one key may be missing here and stray there", async () => {
      const a = await log().sight(orphan("k"), START);
      const b = await log().sight(missing("k", 1), at(1));
      expect(a.id).not.toBe(b.id);
      await log().clear("orphan", local("k"));
      expect(await log().findings({ kind: "orphan", limit: 9 })).toEqual([]);
      expect(await log().findings({ kind: "missing", limit: 9 })).toEqual([b]);
    });

    it("has a key that is compared byte by byte, however long it is", async () => {
      const keys = ["k/A", "k/a", "k/é", "k/e", "k/a ", `k/${"x".repeat(1_022)}`, `k/${"x".repeat(1_021)}y`];
      for (const key of keys) await log().sight(orphan(key), START);
      const found = await log().findings({ kind: "orphan", limit: 99 });
      expect(found.map((finding) => finding.key)).toEqual(keys);
      await log().clear("orphan", local("k/a"));
      expect(await log().findings({ kind: "orphan", limit: 99 })).toHaveLength(keys.length - 1);
    });

    it("is confirmed once, at the first time", async () => {
      const { id } = await log().sight(orphan("k"), START);
      await log().confirm(id, at(60));
      await log().confirm(id, at(120));
      expect(await log().sight(orphan("k"), at(180))).toMatchObject({ id, firstSeenAt: START, confirmedAt: at(60) });
      await expect(log().confirm(987_654_321, START)).resolves.toBeUndefined();
    });

    it("starts anew when it was cleared meanwhile", async () => {
      const { id } = await log().sight(orphan("k"), START);
      await log().confirm(id, at(60));
      await log().clear("orphan", local("k"));
      await log().clear("orphan", local("k"));
      expect(await log().sight(orphan("k"), at(99))).toMatchObject({ firstSeenAt: at(99), confirmedAt: null });
    });

    it("is one, of however many sightings at once", async () => {
      const found = await Promise.all(Array.from({ length: 10 }, () => log().sight(orphan("k"), START)));
      expect(new Set(found.map((finding) => finding.id)).size).toBe(1);
    });

    it("goes with the item that misses its object, and with no other", async () => {
      const entity = await newEntity(open.database, "post");
      const [gone, kept] = [
        await open.database.media.insert(newMedia(entity)),
        await open.database.media.insert(newMedia(entity)),
      ];
      for (const { id } of [gone, kept]) await log().sight(missing(`k/${id}`, id), START);
      await log().sight(orphan("k"), START);
      await open.database.media.remove(gone.id);
      expect(await log().findings({ kind: "missing", limit: 9 })).toMatchObject([{ mediaId: kept.id }]);
      expect(await log().findings({ kind: "orphan", limit: 9 })).toHaveLength(1);
    });

    it("is undone with its transaction", async () => {
      const undone = open.database.transact(async ({ sync }) => {
        await sync.sight(orphan("k"), START);
        throw new RangeError("undo");
      });
      await expect(undone).rejects.toThrow(RangeError);
      expect(await log().findings({ kind: "orphan", limit: 9 })).toEqual([]);
    });
  });

  describe("findings and counts", () => {
    it("are empty where nothing was found", async () => {
      for (const kind of ["missing", "orphan"] as const)
        expect(await log().findings({ kind, confirmedBefore: at(1e6), limit: 9 })).toEqual([]);
      expect(await log().counts()).toEqual({ missing: 0, orphaned: 0 });
    });

    it("come in the order of the first sighting, of one kind, up to the limit", async () => {
      const seen: StorageFinding[] = [];
      for (const key of ["c", "a", "b"]) seen.push(await log().sight(orphan(key), START));
      await log().sight(missing("z", 1), START);
      expect(await log().findings({ kind: "orphan", limit: 9 })).toEqual(seen);
      expect(await log().findings({ kind: "orphan", limit: 2 })).toEqual(seen.slice(0, 2));
    });

    it("can be asked for by when they were confirmed, which leaves suspicions out", async () => {
      for (const [n, key] of ["early", "late", "suspicion"].entries()) {
        const { id } = await log().sight(orphan(key), START);
        if (key !== "suspicion") await log().confirm(id, at(100 * (n + 1)));
      }
      const confirmedBefore = async (seconds: number) =>
        (await log().findings({ kind: "orphan", confirmedBefore: at(seconds), limit: 9 })).map((f) => f.key);
      expect(await confirmedBefore(100)).toEqual([]);
      expect(await confirmedBefore(101)).toEqual(["early"]);
      expect(await confirmedBefore(1e6)).toEqual(["early", "late"]);
    });

    it("come by when they were confirmed where that is asked for, whatever was seen first", async () => {
      const seen: StorageFinding[] = [];
      for (const key of ["a", "b", "c"]) seen.push(await log().sight(orphan(key), START));
      for (const [n, { id }] of seen.entries()) await log().confirm(id, at(100 - n));
      const found = await log().findings({ kind: "orphan", confirmedBefore: at(1e6), limit: 2 });
      expect(found.map((finding) => finding.key)).toEqual(["c", "b"]);
    });

    it("count what is confirmed, by kind", async () => {
      for (const key of ["a", "b", "c"]) await log().confirm((await log().sight(orphan(key), START)).id, at(1));
      await log().confirm((await log().sight(missing("m", 1), START)).id, at(1));
      await log().sight(orphan("suspicion"), START);
      await log().sight(missing("suspicion", 2), START);
      expect(await log().counts()).toEqual({ missing: 1, orphaned: 3 });
      await log().clear("orphan", local("a"));
      expect(await log().counts()).toEqual({ missing: 1, orphaned: 2 });
    });
  });
}
