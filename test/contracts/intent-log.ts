import { afterEach, describe, expect, it } from "vitest";
import { type OpenDatabase, openDatabase } from "../../db/database.js";
import type { InstanceOptions } from "../../db/instances.js";
import type { StorageType } from "../../src/media/model.js";
import type { IntentLog, UploadIntent } from "../../src/media/ports.js";
import { type EmptyDatabase, openMigrated, type TestDatabase } from "../support/database.js";

const START = new Date("2026-03-04T05:00:00.000Z");
const at = (seconds: number) => new Date(START.getTime() + seconds * 1_000);
const intent = (id: string, storageType: StorageType = "local"): UploadIntent => ({
  id,
  mediaPublicId: `MED-${id}`,
  storageType,
  keys: [`a/${id}.jpg`, `a/${id}_thumb.jpg`],
});

const claim = (intents: IntentLog, now: Date, limit = 10) =>
  intents.claimAbandoned({ storageType: "local", now, limit });

/** What every IntentLog does, seen by several processes of two hosts on one database. */
export function intentLogContract(create: () => Promise<EmptyDatabase>): void {
  let main: TestDatabase;
  const others: OpenDatabase[] = [];
  const alive = new Set<number>();

  const processOf = (id: string, host: string, pid: number): InstanceOptions => ({
    instance: { id, host, pid },
    isProcessAlive: (asked) => alive.has(asked),
  });

  async function setUp() {
    alive.clear();
    main = await openMigrated(await create(), processOf("main", "host-a", 100));
    return main.database.intents;
  }

  async function join(id: string, host: string, pid: number) {
    alive.add(pid);
    const other = await openDatabase(main.url, processOf(id, host, pid));
    others.push(other);
    return other;
  }

  afterEach(async () => {
    for (const other of others.splice(0)) await other.close();
    await main.close();
  });

  describe("an intent", () => {
    it("ends once", async () => {
      const intents = await setUp();
      await intents.open(intent("i"), START);
      expect(await intents.close("i")).toBe(true);
      expect(await intents.close("i")).toBe(false);
      expect(await intents.close("never")).toBe(false);
    });

    it("is not opened twice", async () => {
      const intents = await setUp();
      await intents.open(intent("i"), START);
      await expect(intents.open(intent("i"), START)).rejects.toMatchObject({ failure: { code: "CONFLICT" } });
    });

    it("that was given up can't be closed, and is cleared like an abandoned one", async () => {
      const intents = await setUp();
      await intents.open(intent("i"), START);
      expect(await intents.abandon("i")).toBe(true);
      expect(await intents.abandon("i")).toBe(false);
      expect(await intents.close("i")).toBe(false);
      expect(await claim(intents, START)).toEqual([intent("i")]);
      await intents.forget("i");
      expect(await claim(intents, START)).toEqual([]);
    });

    it("is not given up when its item was committed", async () => {
      const intents = await setUp();
      await intents.open(intent("i"), START);
      await main.database.transact((stores) => stores.intents.close("i"));
      expect(await intents.abandon("i")).toBe(false);
    });

    it("is not forgotten while it is open", async () => {
      const intents = await setUp();
      await intents.open(intent("i"), START);
      await intents.forget("i");
      expect(await intents.close("i")).toBe(true);
    });

    it("stays open when the transaction that closed it is undone", async () => {
      const intents = await setUp();
      await intents.open(intent("i"), START);
      const undone = main.database.transact(async (stores) => {
        expect(await stores.intents.close("i")).toBe(true);
        throw new RangeError("undo");
      });
      await expect(undone).rejects.toThrow(RangeError);
      expect(await intents.close("i")).toBe(true);
    });
  });

  describe("claimAbandoned", () => {
    it("leaves the intents of processes that live: our own, our host's, another host's", async () => {
      const intents = await setUp();
      const sibling = await join("sibling", "host-a", 200);
      const distant = await join("distant", "host-b", 100);
      await intents.open(intent("own"), START);
      await sibling.database.intents.open(intent("sibling"), START);
      await distant.database.intents.open(intent("distant"), START);
      expect(await claim(intents, at(119))).toEqual([]);
    });

    it("never takes our own, however late the heartbeat", async () => {
      const intents = await setUp();
      await intents.open(intent("own"), START);
      expect(await claim(intents, at(9_999))).toEqual([]);
    });

    it("takes those of a dead process of our host", async () => {
      const intents = await setUp();
      const sibling = await join("sibling", "host-a", 200);
      await sibling.database.intents.open(intent("i"), START);
      alive.delete(200);
      expect(await claim(intents, at(1))).toEqual([intent("i")]);
      expect(await sibling.database.intents.close("i")).toBe(false);
    });

    it("takes those of a process whose number we have now", async () => {
      const intents = await setUp();
      const earlier = await join("earlier", "host-a", 100);
      await earlier.database.intents.open(intent("i"), START);
      expect(await claim(intents, at(1))).toEqual([intent("i")]);
    });

    it("takes those of another host's process after two minutes without a heartbeat", async () => {
      const intents = await setUp();
      const distant = await join("distant", "host-b", 300);
      await distant.database.intents.open(intent("i"), START);
      await distant.heartbeat(at(100));
      expect(await claim(intents, at(220))).toEqual([]);
      expect(await claim(intents, at(221))).toEqual([intent("i")]);
    });

    it("takes those of a process that left", async () => {
      const intents = await setUp();
      const distant = await join("distant", "host-b", 300);
      await distant.database.intents.open(intent("i"), START);
      await distant.close();
      expect(await claim(intents, at(1))).toEqual([intent("i")]);
    });

    it("answers the oldest first, the claimed ones again, up to the limit", async () => {
      const intents = await setUp();
      const distant = await join("distant", "host-b", 300);
      for (const [id, second] of [
        ["c", 3],
        ["a", 1],
        ["d", 3],
        ["b", 2],
      ] as const)
        await distant.database.intents.open(intent(id), at(second));
      await distant.close();
      const claimed = async (limit: number) => (await claim(intents, at(5), limit)).map((i) => i.id);
      expect(await claimed(3)).toEqual(["a", "b", "c"]);
      expect(await claimed(3)).toEqual(["a", "b", "c"]);
      await intents.forget("a");
      expect(await claimed(9)).toEqual(["b", "c", "d"]);
    });

    it("takes those of the store it is asked for, and leaves the others unclaimed and open", async () => {
      const intents = await setUp();
      const distant = await join("distant", "host-b", 300);
      for (const [n, type] of (["s3", "local", "s3"] as const).entries())
        await distant.database.intents.open(intent(`i${n}`, type), at(n));
      const claimed = await intents.claimAbandoned({ storageType: "local", now: at(999), limit: 1 });
      expect(claimed).toEqual([intent("i1")]);
      expect(await distant.database.intents.close("i0")).toBe(true);
      expect(await intents.claimAbandoned({ storageType: "s3", now: at(999), limit: 9 })).toEqual([intent("i2", "s3")]);
      expect(await intents.abandon("i2")).toBe(false);
    });

    it("lets an upload and a sweeper that meet not both win", async () => {
      const intents = await setUp();
      const distant = await join("distant", "host-b", 300);
      const ids = Array.from({ length: 10 }, (_, n) => `race-${n}`);
      for (const id of ids) await distant.database.intents.open(intent(id), START);
      const [claimed, ...closed] = await Promise.all([
        claim(intents, at(999), 100),
        ...ids.map((id) => distant.database.transact((stores) => stores.intents.close(id))),
      ]);
      const won = ids.filter((_, n) => closed[n]);
      expect([...won, ...claimed.map((i) => i.id)].sort()).toEqual(ids);
    });
  });
}
