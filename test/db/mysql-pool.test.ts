import { randomUUID } from "node:crypto";
import { createConnection, type RowDataPacket } from "mysql2/promise";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type OpenDatabase, openDatabase } from "../../db/database.js";
import { createMysqlPool } from "../../db/mysql-pool.js";
import type { Entity } from "../../src/media/ports.js";
import { type EmptyDatabase, openMigrated, thisProcess } from "../support/database.js";
import { createMariadbDatabase } from "../support/mariadb.js";
import { type MariadbServer, startMariadb } from "../support/mariadb-server.js";
import { newEntity, newMedia } from "../support/media-rows.js";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.js";

const unavailable = { failure: { code: "DATABASE_UNAVAILABLE", retryAfterSeconds: 5 } };
/** As long as the silence of a server is borne in these tests. */
const PATIENCE_MS = 1_000;

describe("a pool, behind a line that can be disturbed", () => {
  let empty: EmptyDatabase;
  let line: TcpProxy;
  let open: OpenDatabase;
  let entity: Entity;
  beforeAll(async () => {
    const migrated = await openMigrated(await createMariadbDatabase());
    empty = { url: migrated.url, remove: migrated.close };
  });
  afterAll(() => empty.remove());
  beforeEach(async () => {
    line = await startTcpProxy(Number(new URL(empty.url).port));
    open = await openDatabase(through(line), { ...thisProcess(), poolSize: 3, answerTimeoutMs: PATIENCE_MS });
    entity = await newEntity(open.database, "builder");
  });
  afterEach(async () => {
    await line.accept();
    await open.close();
    line.close();
  });

  const through = ({ port }: TcpProxy) => {
    const url = new URL(empty.url);
    url.port = String(port);
    return url.href;
  };
  const find = () => open.database.entities.find("builder", entity.id);
  const works = async () => {
    await expect.poll(() => find().catch(() => undefined), { timeout: 10_000 }).toEqual(entity);
  };
  const names = async () => (await open.database.media.current(entity, "gallery")).map((item) => item.publicId);

  it("has no more connections than it may, and serves all who wait for one", async () => {
    await open.close();
    open = await openDatabase(through(line), { ...thisProcess(), poolSize: 3 });
    expect(await Promise.all(Array.from({ length: 60 }, find))).toEqual(Array.from({ length: 60 }, () => entity));
    expect(await idsOfConnectionsTo(empty)).toHaveLength(3);
  });

  it("refuses those who would wait behind too many others", async () => {
    const asked = await Promise.allSettled(Array.from({ length: 400 }, find));
    const refused = asked.filter((one) => one.status === "rejected");
    expect(refused.length).toBeGreaterThan(0);
    for (const { reason } of refused) expect(reason).toMatchObject(unavailable);
    await works();
  });

  it("comes back after every connection was cut, idle ones and those under way", async () => {
    await Promise.all([find(), find(), find()]);
    line.cut();
    await works();
    const cut = open.database.transact(async ({ media }) => {
      await media.insert(newMedia(entity));
      line.cut();
      await media.insert(newMedia(entity));
    });
    await expect(cut).rejects.toMatchObject(unavailable);
    await works();
    expect(await names()).toEqual([]);
  });

  it("comes back after a time without a way to the server", async () => {
    line.refuse();
    line.cut();
    for (let n = 0; n < 5; n++) await expect(find()).rejects.toMatchObject(unavailable);
    await line.accept();
    await works();
  });

  it("gives up on a server that takes everything and answers nothing, and comes back", async () => {
    await find();
    line.stall();
    const asked = await Promise.allSettled(Array.from({ length: 12 }, find));
    for (const one of asked) expect(one).toMatchObject({ status: "rejected", reason: unavailable });
    await expect(open.database.ping()).rejects.toMatchObject(unavailable);
    await line.accept();
    await works();
  });

  it("gives up in the midst of a transaction, which the server then undoes", async () => {
    const stalled = open.database.transact(async ({ media }) => {
      await media.insert(newMedia(entity));
      line.stall();
      await media.insert(newMedia(entity));
    });
    await expect(stalled).rejects.toMatchObject(unavailable);
    await line.accept();
    await works();
    await expect.poll(names).toEqual([]);
  });

  it("closes while the server is silent, and while it is out of reach", async () => {
    await find();
    line.stall();
    const asked = find();
    await expect(Promise.allSettled([asked, open.close()])).resolves.toHaveLength(2);
    await expect(asked).rejects.toMatchObject(unavailable);
    await expect(find()).rejects.toMatchObject(unavailable);
  });

  it("does not take idleness for silence", async () => {
    await find();
    const before = await idsOfConnectionsTo(empty);
    await new Promise((resolve) => setTimeout(resolve, PATIENCE_MS * 2));
    await find();
    expect(await idsOfConnectionsTo(empty)).toEqual(before);
  });
});

describe("a transaction whose connection is lost at its commit", () => {
  it.each([true, false])("is not done again, whether it took place or not (%s)", async (tookPlace) => {
    const empty = await createMariadbDatabase();
    const line = await startTcpProxy(Number(new URL(empty.url).port));
    const url = new URL(empty.url);
    url.port = String(line.port);
    const open = await openDatabase(url.href, { ...thisProcess(), answerTimeoutMs: PATIENCE_MS });
    await open.migrate();
    const entity = await newEntity(open.database, "builder");
    let runs = 0;
    const lost = open.database.transact(async ({ media }) => {
      runs += 1;
      await media.insert(newMedia(entity));
      if (tookPlace) line.mute();
      else line.cut();
    });
    await expect(lost).rejects.toMatchObject(unavailable);
    await line.accept();
    const stored = () => open.database.media.current(entity, "gallery").catch(() => undefined);
    await expect.poll(stored).toHaveLength(tookPlace ? 1 : 0);
    expect(runs).toBe(1);
    await open.close();
    line.close();
    await empty.remove();
  });
});

describe("a server that dies", () => {
  let server: MariadbServer;
  beforeAll(async () => {
    server = await startMariadb();
    const connection = await createConnection(server.url);
    await connection.query("create database media");
    await connection.end();
  });
  afterAll(() => server.stop());

  it("is found again when it is back, by idle and by busy connections alike", async () => {
    const open = await openDatabase(`${server.url}/media`, thisProcess());
    await open.migrate();
    const entity = await newEntity(open.database, "builder");
    // The private server writes its log once a second.
    await onServer(server.url, "set global innodb_flush_log_at_trx_commit = 1");
    const { id } = await open.database.media.insert(newMedia(entity));
    const died = open.database.transact(async ({ media }) => {
      await media.update(id, { altText: "never" }, new Date());
      await server.kill();
      await media.update(id, { caption: "never" }, new Date());
    });
    await expect(died).rejects.toMatchObject(unavailable);
    await expect(open.database.media.find(id)).rejects.toMatchObject(unavailable);
    await expect(open.database.ping()).rejects.toMatchObject(unavailable);
    await server.restart();
    await expect
      .poll(() =>
        open.database.ping().then(
          () => "up",
          () => "down",
        ),
      )
      .toBe("up");
    expect(await open.database.media.find(id)).toMatchObject({ altText: null, caption: null });
    await open.close();
  });

  it("that takes no writes is unavailable, and left as soon as it is known", async () => {
    const user = `app_${randomUUID().slice(0, 8)}`;
    await onServer(server.url, `create user ${user}@'%'`, `grant all on media.* to ${user}@'%'`);
    const open = await openDatabase(`${server.url.replace("root", user)}/media`, thisProcess());
    await open.migrate();
    const entity = await newEntity(open.database, "builder");
    await onServer(server.url, "set global read_only = 1");
    try {
      await expect(open.database.media.insert(newMedia(entity))).rejects.toMatchObject(unavailable);
      const rows = await onServer(server.url, `select id from information_schema.processlist where user = '${user}'`);
      expect(rows).toEqual([]);
    } finally {
      await onServer(server.url, "set global read_only = 0");
    }
    await expect(open.database.media.insert(newMedia(entity))).resolves.toBeDefined();
    await open.close();
  });
});

it("has the same session on every connection: strict, UTC, utf8mb4, READ COMMITTED", async () => {
  const empty = await createMariadbDatabase();
  const pool = createMysqlPool(empty.url, { poolSize: 2 });
  const asked =
    "select @@sql_mode as mode, @@time_zone as zone, @@tx_isolation as isolation, " +
    "@@character_set_client as sent, @@character_set_results as received";
  const session = () => pool.using(async (connection) => (await connection.query<RowDataPacket[]>(asked))[0][0]);
  for (const found of await Promise.all([session(), session()]))
    expect(found).toEqual({
      mode: "STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION",
      zone: "+00:00",
      isolation: "READ-COMMITTED",
      sent: "utf8mb4",
      received: "utf8mb4",
    });
  await pool.close();
  await empty.remove();
});

async function onServer(url: string, ...statements: string[]): Promise<RowDataPacket[]> {
  const connection = await createConnection(url);
  try {
    let rows: RowDataPacket[] = [];
    for (const statement of statements) [rows] = await connection.query<RowDataPacket[]>(statement);
    return rows;
  } finally {
    await connection.end();
  }
}

async function idsOfConnectionsTo({ url }: EmptyDatabase): Promise<number[]> {
  const name = url.slice(url.lastIndexOf("/") + 1);
  const list = `select id from information_schema.processlist where db = '${name}' and id <> connection_id() order by id`;
  return (await onServer(url, list)).map((row) => row.id as number);
}
