import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type OpenDatabase, openDatabase } from "../../db/database.js";
import { openMigrated, type TestDatabase, thisProcess } from "../support/database.js";
import { createMariadbDatabase } from "../support/mariadb.js";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.js";

const unavailable = { failure: { code: "DATABASE_UNAVAILABLE" } };

describe("what a process could not give up while the database was away", () => {
  /** Another process, on a line of its own that nothing disturbs. */
  let other: TestDatabase;
  let line: TcpProxy;
  let open: OpenDatabase;
  beforeAll(async () => {
    const instance = { id: randomUUID(), host: "another-host", pid: 1 };
    other = await openMigrated(await createMariadbDatabase(), { instance });
  });
  afterAll(() => other.close());
  beforeEach(async () => {
    const url = new URL(other.url);
    line = await startTcpProxy(Number(url.port));
    url.port = String(line.port);
    open = await openDatabase(url.href, thisProcess());
  });
  afterEach(async () => {
    await open.close();
    line.close();
  });

  async function whileAway(work: () => Promise<unknown>): Promise<void> {
    line.refuse();
    line.cut();
    await expect(work()).rejects.toMatchObject(unavailable);
    await line.accept();
  }

  const now = new Date();
  const times = { now, expiresBefore: new Date(0) };
  const begin = ({ database }: Pick<OpenDatabase, "database">, key: string) =>
    database.idempotency.begin({ principal: "USR-1", key }, "f".repeat(64), times);

  it("is an idempotency key that the next request of this process gets", async () => {
    const key = randomUUID();
    expect(await begin(open, key)).toEqual({ state: "begun" });
    await whileAway(() => open.database.idempotency.release({ principal: "USR-1", key }));
    expect(await begin(other, key)).toMatchObject({ state: "running" });
    expect(await begin(open, key)).toEqual({ state: "begun" });
  });

  it("is an idempotency key that other processes get after the next heartbeat", async () => {
    const key = randomUUID();
    await begin(open, key);
    await whileAway(() => open.database.idempotency.release({ principal: "USR-1", key }));
    await open.heartbeat(now);
    expect(await begin(other, key)).toEqual({ state: "begun" });
  });

  it("is an intent that is claimed with the next heartbeat, and not before", async () => {
    const id = randomUUID();
    const intent = { id, mediaPublicId: "MED-1", storageType: "local", keys: ["a/b.jpg"] } as const;
    await open.database.intents.open(intent, now);
    await whileAway(() => open.database.intents.abandon(id));
    const claimed = () => other.database.intents.claimAbandoned({ storageType: "local", now, limit: 10 });
    expect(await claimed()).toEqual([]);
    await open.heartbeat(now);
    expect(await claimed()).toEqual([intent]);
  });

  it("is done once: a key that was begun anew afterwards stays", async () => {
    const key = randomUUID();
    await begin(open, key);
    await whileAway(() => open.database.idempotency.release({ principal: "USR-1", key }));
    await open.heartbeat(now);
    await begin(open, key);
    await open.heartbeat(now);
    expect(await begin(other, key)).toMatchObject({ state: "running" });
  });
});
