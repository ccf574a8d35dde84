import { setTimeout as sleep } from "node:timers/promises";
import { createConnection } from "mysql2/promise";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import type { Entity, Stores } from "../../src/media/ports.js";
import { openMigrated, type TestDatabase } from "../support/database.js";
import { createMariadbDatabase } from "../support/mariadb.js";
import { LATER, newEntity, newMedia } from "../support/media-rows.js";

const unavailable = { failure: { code: "DATABASE_UNAVAILABLE" } };
let open: TestDatabase;
let a: Entity;
let b: Entity;
beforeAll(async () => {
  open = await openMigrated(await createMariadbDatabase());
});
afterAll(() => open.close());
beforeEach(async () => {
  a = await newEntity(open.database, "builder");
  b = await newEntity(open.database, "builder");
});

/** Two that lock each other's entity; each of them runs what it is given after its second lock. */
function deadlock(second: (stores: Stores, lock: () => Promise<unknown>) => Promise<unknown>) {
  let runs = 0;
  const lockBoth = (mine: Entity, other: Entity) =>
    open.database.transact(async (stores) => {
      runs += 1;
      await stores.entities.lock(mine);
      await stores.moderation.add({ ...DECISION, mediaId: mine.id });
      await sleep(50);
      await second(stores, () => stores.entities.lock(other));
      return mine.id;
    });
  return { both: Promise.all([lockBoth(a, b), lockBoth(b, a)]), runs: () => runs };
}

const DECISION = { actorId: null, from: "pending", to: "approved", reason: null, createdAt: LATER } as const;
const decisions = async () => {
  const both = await Promise.all([a, b].map((entity) => open.database.moderation.history(entity.id)));
  return both.map((history) => history.length);
};
const count = async (entity: Entity) => (await open.database.media.current(entity, "gallery")).length;

it("does a transaction again that a real deadlock undid, and keeps of each run nothing but the last", async () => {
  const { both, runs } = deadlock((_stores, lock) => lock());
  expect(await both).toEqual([a.id, b.id]);
  expect(runs()).toBeGreaterThan(2);
  expect(await decisions()).toEqual([1, 1]);
});

it("does it again too where the work swallowed the deadlock, and commits nothing of what came after it", async () => {
  const { both, runs } = deadlock(async (stores, lock) => {
    await lock().catch(() => undefined);
    // The server has undone the transaction by now: this alone would be committed.
    await stores.moderation.add({ ...DECISION, mediaId: a.id, reason: "stray" }).catch(() => undefined);
  });
  expect(await both).toEqual([a.id, b.id]);
  expect(runs()).toBeGreaterThan(2);
  const reasons = (await open.database.moderation.history(a.id)).map((decision) => decision.reason ?? "own");
  expect(reasons.sort((one, other) => (one < other ? -1 : 1))).toEqual(["own", "stray", "stray"]);
  expect(await open.database.moderation.history(b.id)).toHaveLength(1);
});

it("gives up on a row that stays locked, in bounded time, and says that it may be tried again", async () => {
  const { id } = await open.database.media.insert(newMedia(a));
  const holder = await createConnection(open.url);
  await holder.query("begin");
  await holder.query("select id from media where id = ? for update", [id]);
  await expect(open.database.media.update(id, { caption: "x" }, LATER)).rejects.toMatchObject(unavailable);
  await holder.query("rollback");
  await holder.end();
  await open.database.media.update(id, { caption: "x" }, LATER);
  expect((await open.database.media.find(id))?.caption).toBe("x");
}, 60_000);

it("throws what the work throws, and keeps its connection", async () => {
  for (let n = 0; n < 30; n++) {
    const failure = new RangeError(String(n));
    const failing = open.database.transact(async ({ media }) => {
      await media.insert(newMedia(a));
      throw failure;
    });
    await expect(failing).rejects.toBe(failure);
  }
  expect(await count(a)).toBe(0);
});

it("throws what the work throws where the connection is gone by then", async () => {
  const failure = new RangeError("mine");
  const failing = open.database.transact(async ({ media }) => {
    await media.insert(newMedia(a));
    const other = await createConnection(open.url);
    // Of this database alone: other tests use the same server.
    const [rows] = await other.query(
      "select p.id from information_schema.processlist p join information_schema.innodb_trx t " +
        "on t.trx_mysql_thread_id = p.id where p.db = database()",
    );
    expect(rows).toHaveLength(1);
    for (const { id } of rows as { id: number }[]) await other.query(`kill ${id}`);
    await other.end();
    throw failure;
  });
  await expect(failing).rejects.toBe(failure);
  expect(await count(a)).toBe(0);
});
