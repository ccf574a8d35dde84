import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type OpenDatabase, openDatabase } from "../../db/database.js";
import type { InstanceOptions } from "../../db/instances.js";
import type { IdempotencyEntry, IdempotencyKey, UploadOutcome } from "../../src/media/lifecycle-ports.js";
import { type EmptyDatabase, openMigrated, type TestDatabase } from "../support/database.js";

const START = new Date("2026-03-04T05:00:00.000Z");
const DAY_SECONDS = 24 * 60 * 60;
const at = (seconds: number) => new Date(START.getTime() + seconds * 1_000);
/** A request at this second, with keys that are good for a day. */
const times = (seconds: number) => ({ now: at(seconds), expiresBefore: at(seconds - DAY_SECONDS) });

const KEY: IdempotencyKey = { principal: "USR-1", key: "upload-1" };
const CONTENT = "c".repeat(64);
const OTHER_CONTENT = "d".repeat(64);
const BEGUN: IdempotencyEntry = { state: "begun" };
const OUTCOME: UploadOutcome = {
  mediaId: 17,
  reused: false,
  duplicates: [
    { publicId: "MED-ü", distance: 0, tier: "exact" },
    { publicId: "MED-2", distance: 4, tier: "same" },
  ],
};
const conflict = { failure: { code: "CONFLICT" } };

/** What every IdempotencyLog does, seen by several processes of two hosts on one database. */
export function idempotencyLogContract(create: () => Promise<EmptyDatabase>): void {
  let main: TestDatabase;
  const others: OpenDatabase[] = [];
  const alive = new Set<number>();

  const processOf = (id: string, host: string, pid: number): InstanceOptions => ({
    instance: { id, host, pid },
    isProcessAlive: (asked) => alive.has(asked),
  });
  async function join(id: string, host: string, pid: number) {
    alive.add(pid);
    const other = await openDatabase(main.url, processOf(id, host, pid));
    others.push(other);
    return other;
  }
  beforeEach(async () => {
    alive.clear();
    alive.add(100);
    main = await openMigrated(await create(), processOf("main", "host-a", 100));
  });
  afterEach(async () => {
    for (const other of others.splice(0)) await other.close();
    await main.close();
  });

  const log = () => main.database.idempotency;
  const begin = (seconds = 0, key = KEY, fingerprint = CONTENT) => log().begin(key, fingerprint, times(seconds));

  describe("a key", () => {
    it("belongs to the request that comes first, until that one is done", async () => {
      expect(await begin()).toEqual(BEGUN);
      expect(await begin(1)).toEqual({ state: "running", fingerprint: CONTENT });
      await log().finish(KEY, OUTCOME);
      for (let n = 2; n < 5; n++)
        expect(await begin(n)).toEqual({ state: "done", fingerprint: CONTENT, outcome: OUTCOME });
    });

    it("answers with the content it was used for, whatever comes with it now", async () => {
      await begin();
      expect(await begin(1, KEY, OTHER_CONTENT)).toEqual({ state: "running", fingerprint: CONTENT });
      await log().finish(KEY, OUTCOME);
      expect(await begin(1, KEY, OTHER_CONTENT)).toMatchObject({ state: "done", fingerprint: CONTENT });
    });

    it("keeps every outcome as it was", async () => {
      const outcomes = [OUTCOME, { mediaId: 2 ** 31 - 1, reused: true, duplicates: [] }];
      for (const [n, outcome] of outcomes.entries()) {
        const key = { principal: "USR-1", key: `outcome-${n}` };
        await begin(0, key);
        await log().finish(key, outcome);
        expect(await begin(1, key)).toEqual({ state: "done", fingerprint: CONTENT, outcome });
      }
    });

    it("is its principal's alone, and compared byte by byte", async () => {
      await begin();
      const others = [
        { principal: "USR-2", key: "upload-1" },
        { principal: "usr-1", key: "upload-1" },
        { principal: "service", key: "upload-1" },
        { principal: "USR-1", key: "Upload-1" },
        { principal: "USR-1", key: "upload-é" },
        { principal: "USR-1", key: "upload-e" },
        { principal: "USR-1", key: "ü🏡".repeat(127) },
        { principal: "USR-1", key: "" },
      ];
      for (const key of others) expect(await begin(0, key), JSON.stringify(key)).toEqual(BEGUN);
      expect(await begin(0)).toMatchObject({ state: "running" });
    });
  });

  describe("many at once", () => {
    it("have one owner among twenty requests of one process", async () => {
      const entries = await Promise.all(Array.from({ length: 20 }, () => begin()));
      expect(entries.filter((entry) => entry.state === "begun")).toHaveLength(1);
      expect(entries.filter((entry) => entry.state === "running")).toHaveLength(19);
    });

    it("have one owner among the requests of several processes", async () => {
      const logs = [main, await join("sibling", "host-a", 200), await join("distant", "host-b", 300)];
      const entries = await Promise.all(
        Array.from({ length: 7 }, () => logs)
          .flat()
          .map(({ database }) => database.idempotency.begin(KEY, CONTENT, times(0))),
      );
      expect(entries.filter((entry) => entry.state === "begun")).toHaveLength(1);
    });

    it("have one heir to a dead process", async () => {
      const dead = await join("dead", "host-a", 200);
      await dead.database.idempotency.begin(KEY, CONTENT, times(0));
      alive.delete(200);
      const entries = await Promise.all(Array.from({ length: 20 }, () => begin(1)));
      expect(entries.filter((entry) => entry.state === "begun")).toHaveLength(1);
    });

    it("go on side by side under different keys", async () => {
      const keys = Array.from({ length: 20 }, (_, n) => ({ principal: "USR-1", key: `side-${n}` }));
      const entries = await Promise.all(keys.map((key) => begin(0, key)));
      expect(entries).toEqual(keys.map(() => BEGUN));
    });
  });

  describe("finish", () => {
    it("holds with the transaction it is part of", async () => {
      await begin();
      const undone = main.database.transact(async ({ idempotency }) => {
        await idempotency.finish(KEY, OUTCOME);
        throw new RangeError("undo");
      });
      await expect(undone).rejects.toThrow(RangeError);
      expect(await begin(1)).toMatchObject({ state: "running" });
      await main.database.transact(({ idempotency }) => idempotency.finish(KEY, OUTCOME));
      expect(await begin(2)).toMatchObject({ state: "done" });
    });

    it("refuses a key that was never begun, was given up, or is done", async () => {
      await expect(log().finish(KEY, OUTCOME)).rejects.toMatchObject(conflict);
      await begin();
      await log().release(KEY);
      await expect(log().finish(KEY, OUTCOME)).rejects.toMatchObject(conflict);
      await begin();
      await log().finish(KEY, OUTCOME);
      await expect(log().finish(KEY, { ...OUTCOME, mediaId: 18 })).rejects.toMatchObject(conflict);
      expect(await begin(1)).toMatchObject({ outcome: { mediaId: 17 } });
    });

    it("refuses a key that another process took over meanwhile", async () => {
      const slow = await join("slow", "host-a", 200);
      await slow.database.idempotency.begin(KEY, CONTENT, times(0));
      alive.delete(200);
      expect(await begin(1)).toEqual(BEGUN);
      await expect(slow.database.idempotency.finish(KEY, OUTCOME)).rejects.toMatchObject(conflict);
      await expect(log().finish(KEY, OUTCOME)).resolves.toBeUndefined();
    });
  });

  describe("release", () => {
    it("gives the key to whoever comes next, with any content", async () => {
      await begin();
      await log().release(KEY);
      expect(await begin(1, KEY, OTHER_CONTENT)).toEqual(BEGUN);
      expect(await begin(2)).toEqual({ state: "running", fingerprint: OTHER_CONTENT });
    });

    it("takes nothing from what is done, from other processes, or from nowhere", async () => {
      await log().release(KEY);
      await begin();
      const sibling = await join("sibling", "host-a", 200);
      await sibling.database.idempotency.release(KEY);
      expect(await begin(1)).toMatchObject({ state: "running" });
      await log().finish(KEY, OUTCOME);
      await log().release(KEY);
      expect(await begin(1)).toMatchObject({ state: "done" });
    });
  });

  describe("a key whose process is gone", () => {
    it("is taken over when that one died before it was done", async () => {
      const dead = await join("dead", "host-a", 200);
      await dead.database.idempotency.begin(KEY, CONTENT, times(0));
      expect(await begin(1)).toEqual({ state: "running", fingerprint: CONTENT });
      alive.delete(200);
      expect(await begin(2, KEY, OTHER_CONTENT)).toEqual(BEGUN);
      expect(await begin(3)).toEqual({ state: "running", fingerprint: OTHER_CONTENT });
    });

    it("is taken over when that one closed, or was silent on its host for two minutes", async () => {
      const closed = await join("closed", "host-a", 200);
      await closed.database.idempotency.begin(KEY, CONTENT, times(0));
      await closed.close();
      expect(await begin(1)).toEqual(BEGUN);
      const key = { principal: "USR-1", key: "silent" };
      const silent = await join("silent", "host-b", 300);
      await silent.database.idempotency.begin(key, CONTENT, times(0));
      expect(await begin(120, key)).toMatchObject({ state: "running" });
      expect(await begin(121, key)).toEqual(BEGUN);
    });

    it("still answers what that one finished", async () => {
      const gone = await join("gone", "host-a", 200);
      await gone.database.idempotency.begin(KEY, CONTENT, times(0));
      await gone.database.idempotency.finish(KEY, OUTCOME);
      await gone.close();
      alive.delete(200);
      expect(await begin(1)).toEqual({ state: "done", fingerprint: CONTENT, outcome: OUTCOME });
    });

    it("is never our own, however late our heartbeat", async () => {
      await begin();
      expect(await begin(9_999)).toMatchObject({ state: "running" });
    });
  });

  describe("an old key", () => {
    it("is taken over once its day is over, done or not", async () => {
      const done = { principal: "USR-1", key: "done" };
      await begin();
      await begin(0, done);
      await log().finish(done, OUTCOME);
      expect(await begin(DAY_SECONDS, done)).toMatchObject({ state: "done" });
      expect(await begin(DAY_SECONDS + 1, done, OTHER_CONTENT)).toEqual(BEGUN);
      expect(await begin(DAY_SECONDS + 1)).toEqual(BEGUN);
      expect(await begin(DAY_SECONDS + 2, done), "its day begins anew").toEqual({
        state: "running",
        fingerprint: OTHER_CONTENT,
      });
    });

    it("goes with expire, and nothing younger does", async () => {
      const young = { principal: "USR-1", key: "young" };
      await begin(0);
      await begin(10, young);
      expect(await log().expire(at(0))).toBe(0);
      expect(await log().expire(at(10))).toBe(1);
      expect(await log().expire(at(10))).toBe(0);
      expect(await begin(11, young)).toMatchObject({ state: "running" });
      expect(await begin(11)).toEqual(BEGUN);
    });
  });
}
