import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { STORAGE_TYPES, type StorageType } from "../../src/media/model.js";
import { type EmptyDatabase, openMigrated, type TestDatabase } from "../support/database.js";

const START = new Date("2026-03-04T05:00:00.000Z");
const at = (seconds: number) => new Date(START.getTime() + seconds * 1_000);
const local = (key: string) => ({ key, storageType: "local" }) as const;
const remote = (key: string) => ({ key, storageType: "s3" }) as const;

/** What every DeletionOutbox does. */
export function deletionOutboxContract(create: () => Promise<EmptyDatabase>): void {
  let open: TestDatabase;
  beforeAll(async () => {
    open = await openMigrated(await create());
  });
  afterAll(() => open.close());
  afterEach(async () => {
    for (const storageType of STORAGE_TYPES) {
      const rest = await outbox().due({ storageType, now: at(1e9), limit: 10_000 });
      await outbox().done(rest.map((entry) => entry.id));
    }
    expect(await outbox().size()).toBe(0);
  });
  const outbox = () => open.database.deletions;
  const due = (now: Date, limit = 100) => outbox().due({ storageType: "local", now, limit });
  const dueKeys = async (now: Date, limit = 100) => (await due(now, limit)).map((entry) => entry.key);

  it("is empty at first", async () => {
    expect(await due(START, 10)).toEqual([]);
    expect(await outbox().size()).toBe(0);
    expect(await outbox().holds(local("a.jpg"))).toBe(false);
    expect(await outbox().holds(local(""))).toBe(false);
  });

  it("takes nothing for an answer to nothing", async () => {
    await outbox().add([], START);
    expect(await outbox().size()).toBe(0);
  });

  it("hands out what it took, in the order it came, of the store it is asked for alone", async () => {
    await outbox().add([local("z/1.jpg"), remote("a/2.jpg")], START);
    await outbox().add([local("m/3.jpg"), remote("z/1.jpg")], START);
    const taken = async (storageType: StorageType) => outbox().due({ storageType, now: START, limit: 10 });
    const [inLocal, inS3] = [await taken("local"), await taken("s3")];
    expect(inLocal.map(({ id: _id, ...entry }) => entry)).toEqual([
      { key: "z/1.jpg", storageType: "local", attempts: 0 },
      { key: "m/3.jpg", storageType: "local", attempts: 0 },
    ]);
    expect(inS3.map(({ id: _id, ...entry }) => entry)).toEqual([
      { key: "a/2.jpg", storageType: "s3", attempts: 0 },
      { key: "z/1.jpg", storageType: "s3", attempts: 0 },
    ]);
    expect(new Set([...inLocal, ...inS3].map((entry) => entry.id)).size).toBe(4);
    expect(await outbox().size()).toBe(4);
  });

  it("lets no store's backlog keep another store's entries from their turn", async () => {
    await outbox().add(
      Array.from({ length: 50 }, (_, n) => remote(`down/${n}`)),
      START,
    );
    await outbox().add([local("up")], at(1));
    expect(await dueKeys(at(1), 1)).toEqual(["up"]);
  });

  it("holds an object in its store alone", async () => {
    await outbox().add([local("k")], START);
    expect([await outbox().holds(local("k")), await outbox().holds(remote("k"))]).toEqual([true, false]);
    await outbox().add([remote("k")], START);
    await outbox().done((await due(START)).map((entry) => entry.id));
    expect([await outbox().holds(local("k")), await outbox().holds(remote("k"))]).toEqual([false, true]);
  });

  it("waits until the time has come, to the millisecond", async () => {
    await outbox().add([local("now.jpg")], START);
    expect(await dueKeys(new Date(START.getTime() - 1))).toEqual([]);
    expect(await dueKeys(START)).toEqual(["now.jpg"]);
  });

  it("hands out the oldest first, up to the limit, as often as it is asked", async () => {
    await outbox().add([local("late")], at(9));
    await outbox().add([local("early"), local("early-2")], at(1));
    for (let round = 0; round < 2; round++) expect(await dueKeys(at(10), 2)).toEqual(["early", "early-2"]);
    expect(await dueKeys(at(10))).toEqual(["early", "early-2", "late"]);
  });

  it("forgets what is done, and nothing else", async () => {
    await outbox().add([local("a"), local("b")], START);
    const [a] = await due(START, 1);
    await outbox().done([a?.id ?? 0]);
    await outbox().done([a?.id ?? 0]);
    await outbox().done([987_654_321]);
    expect(await dueKeys(START)).toEqual(["b"]);
    expect([await outbox().holds(local("a")), await outbox().holds(local("b"))]).toEqual([false, true]);
  });

  it("forgets many at once, and nothing for nothing", async () => {
    await outbox().add(["a", "b", "c", "d"].map(local), START);
    const [a, b, c] = await due(START);
    await outbox().done([]);
    expect(await outbox().size()).toBe(4);
    await outbox().done([a, b, c].map((entry) => entry?.id ?? 0));
    expect(await dueKeys(START)).toEqual(["d"]);
  });

  it("counts an attempt and comes back to it later", async () => {
    await outbox().add([local("a"), local("b")], START);
    const [a] = await due(START, 1);
    await outbox().postpone(a?.id ?? 0, at(60));
    expect(await dueKeys(at(59))).toEqual(["b"]);
    expect(await due(at(60), 10)).toMatchObject([
      { key: "b", attempts: 0 },
      { id: a?.id, key: "a", attempts: 1 },
    ]);
    await outbox().postpone(a?.id ?? 0, at(120));
    expect((await due(at(120), 10)).at(-1)).toMatchObject({ key: "a", attempts: 2 });
    expect(await outbox().size()).toBe(2);
    await outbox().postpone(987_654_321, at(1));
  });

  it("holds a key until its last entry is done, whenever that is due", async () => {
    await outbox().add([local("twice"), local("twice")], at(1_000));
    expect(await outbox().holds(local("twice"))).toBe(true);
    const [one, two] = await due(at(1_000), 10);
    await outbox().done([one?.id ?? 0]);
    expect(await outbox().holds(local("twice"))).toBe(true);
    await outbox().done([two?.id ?? 0]);
    expect(await outbox().holds(local("twice"))).toBe(false);
  });

  it("tells keys apart byte by byte, however long they are", async () => {
    const long = `stray/${"x".repeat(1_018)}`;
    const keys = ["k/Case.jpg", "k/é", "k/space ", "🏡", long];
    await outbox().add(keys.map(local), START);
    expect(await dueKeys(START)).toEqual(keys);
    for (const key of keys) expect(await outbox().holds(local(key)), key).toBe(true);
    for (const key of ["k/case.jpg", "k/e\u0301", "k/e", "k/space", "k/%", `${long}x`, long.slice(1)])
      expect(await outbox().holds(local(key)), key).toBe(false);
  });

  it("takes the keys of a thousand items at once", async () => {
    const keys = Array.from({ length: 5_000 }, (_, n) => `many/${n}.jpg`);
    await outbox().add(keys.map(local), START);
    expect(await outbox().size()).toBe(5_000);
    expect(await dueKeys(START, 3)).toEqual(keys.slice(0, 3));
  });

  describe("what is retired", () => {
    const object = (key: string) => ({ ...local(key), contentType: "image/webp", fileSize: 12 });
    const retire = (mediaId: number, ...keys: string[]) =>
      outbox().retire(mediaId, keys.map(object), { now: START, until: at(3_600) });

    it("is served until its time comes, and is due then", async () => {
      await retire(7, "r/1", "r/2");
      const [one, millisecondEarly] = [at(3_600), new Date(at(3_600).getTime() - 1)];
      expect(await outbox().findRetired("r/1", START)).toEqual({ mediaId: 7, ...object("r/1") });
      expect(await outbox().findRetired("r/2", millisecondEarly)).toMatchObject({ key: "r/2" });
      expect([await outbox().findRetired("r/1", one), await dueKeys(millisecondEarly)]).toEqual([null, []]);
      expect(await dueKeys(one)).toEqual(["r/1", "r/2"]);
      expect([await outbox().holds(local("r/1")), await outbox().size()]).toEqual([true, 2]);
    });

    it("is nothing else in the outbox, and nothing where nothing was retired", async () => {
      await outbox().retire(7, [], { now: START, until: at(9) });
      await outbox().add([local("plain")], at(9));
      await retire(7, "R/1");
      for (const key of ["plain", "r/1", "R/1 ", ""]) expect(await outbox().findRetired(key, START), key).toBeNull();
    });

    it("is not served any more where its removal was tried and put off", async () => {
      await retire(7, "r/1");
      const [entry] = await due(at(3_600));
      await outbox().postpone(entry?.id ?? 0, at(7_200));
      expect(await outbox().findRetired("r/1", at(3_600))).toBeNull();
    });

    it("can be hastened, an item's for itself", async () => {
      await retire(7, "r/1");
      await retire(8, "r/2");
      await outbox().hasten(7, at(5));
      expect([await dueKeys(at(5)), await outbox().findRetired("r/1", at(5))]).toEqual([["r/1"], null]);
      await outbox().hasten(7, at(9_999));
      await outbox().hasten(987_654_321, START);
      expect([await dueKeys(at(5)), await outbox().findRetired("r/2", at(5))]).toEqual([
        ["r/1"],
        expect.objectContaining({ mediaId: 8 }),
      ]);
    });
  });

  it("promises nothing when the transaction is undone", async () => {
    const undone = open.database.transact(async ({ deletions }) => {
      await deletions.add([local("undone")], START);
      expect(await deletions.holds(local("undone"))).toBe(true);
      throw new RangeError("undo");
    });
    await expect(undone).rejects.toThrow(RangeError);
    expect(await outbox().holds(local("undone"))).toBe(false);
  });
}
