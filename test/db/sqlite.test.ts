import { readdirSync, readlinkSync } from "node:fs";
import { copyFile, mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Client, createClient } from "@libsql/client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { connectSqlite, filePath } from "../../db/connect-sqlite.js";
import { openDatabase } from "../../db/database.js";
import { createSingleWriterClient } from "../../db/sqlite-writer.js";
import { type EmptyDatabase, openMigrated, thisProcess } from "../support/database.js";
import { NOW, newEntity, newMedia } from "../support/media-rows.js";
import { createSqliteDatabase } from "../support/sqlite.js";

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const permissions = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

let empty: EmptyDatabase;
beforeEach(async () => {
  empty = await createSqliteDatabase();
});
afterEach(() => empty.remove());

/** The same database, which stays when it is closed. */
const kept = (): EmptyDatabase => ({ url: empty.url, remove: () => Promise.resolve() });

describe("the file", () => {
  it("and its folder are made for this user alone", async () => {
    const { close } = await connectSqlite(empty.url);
    const path = filePath(empty.url);
    expect(await permissions(path)).toBe("600");
    expect(await permissions(dirname(path))).toBe("700");
    await close();
  });

  it("beside it are its user's alone too", async () => {
    const open = await openMigrated(kept());
    await newEntity(open.database, "builder");
    expect(await permissions(`${filePath(empty.url)}-wal`)).toBe("600");
    await open.close();
  });

  it("goes into a folder that is there already", async () => {
    await mkdir(dirname(filePath(empty.url)), { recursive: true });
    const { ping, close } = await connectSqlite(empty.url);
    await expect(ping()).resolves.toBeUndefined();
    await close();
  });

  it("is named by any form of file URL", () => {
    expect(filePath("file:./data/media.db")).toBe("./data/media.db");
    expect(filePath("file:/srv/a%20b.db")).toBe("/srv/a b.db");
    expect(filePath("file:///srv/a.db?x=1")).toBe("/srv/a.db");
    expect(filePath("file://localhost/srv/a.db")).toBe("/srv/a.db");
    for (const url of ["file:", "file::memory:"]) expect(() => filePath(url)).toThrow(TypeError);
  });

  it("keeps what was committed when it is opened again", async () => {
    const first = await openMigrated(kept());
    const entity = await newEntity(first.database, "builder");
    await first.close();
    const second = await openMigrated(kept());
    expect(await second.database.entities.find("builder", entity.id)).toEqual(entity);
    await second.close();
  });

  it("is the whole database after close, without the files beside it", async () => {
    const open = await openMigrated(kept());
    const entity = await newEntity(open.database, "builder");
    await open.close();
    const copy = `${filePath(empty.url)}.copy`;
    await copyFile(filePath(empty.url), copy);
    const copied = await openDatabase(`file:${copy}`, thisProcess());
    expect(await copied.database.entities.find("builder", entity.id)).toEqual(entity);
    await copied.close();
  });

  it.runIf(process.platform === "linux")("is held by nobody after close", async () => {
    const folder = dirname(filePath(empty.url));
    const held = () => {
      const targets = readdirSync("/proc/self/fd").map((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`);
        } catch {
          // The listing's own descriptor is gone by now.
          return "";
        }
      });
      return targets.filter((target) => target.startsWith(folder));
    };
    const open = await openMigrated(kept());
    const entity = await newEntity(open.database, "builder");
    await Promise.all(Array.from({ length: 9 }, () => open.database.media.current(entity, "gallery")));
    expect(held()).not.toEqual([]);
    await open.close();
    await open.close();
    // libsql lets go of a closed file when its statements are collected, and nothing may keep them from that.
    setFlagsFromString("--expose-gc");
    const collectGarbage: () => void = runInNewContext("gc");
    await expect
      .poll(() => {
        collectGarbage();
        return held();
      })
      .toEqual([]);
  });
});

describe("the writing connection", () => {
  let reader: Client;
  let writer: Client;
  let client: Client;
  beforeEach(async () => {
    await (await connectSqlite(empty.url)).close();
    reader = createClient({ url: empty.url });
    writer = createClient({ url: empty.url, concurrency: 1 });
    client = createSingleWriterClient(reader, writer);
    await client.execute("create table parents (id integer primary key)");
    await client.execute("create table children (parent references parents (id))");
  });
  afterEach(() => client.close());

  const orphan = "insert into children values (1)";
  const unsafe = "PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF";

  it("checks foreign keys and syncs in full whatever connection libsql writes on", async () => {
    const spoilers = [
      () => writer.executeMultiple(unsafe),
      async () => {
        client.reconnect();
        await writer.executeMultiple(unsafe);
      },
    ];
    for (const spoil of spoilers) {
      await spoil();
      await expect(client.execute(orphan)).rejects.toThrow("FOREIGN KEY");
      await spoil();
      await expect(client.batch([orphan])).rejects.toThrow("FOREIGN KEY");
      await spoil();
      const transaction = await client.transaction("write");
      expect((await transaction.execute("PRAGMA synchronous")).rows[0]?.[0]).toBe(2);
      await expect(transaction.execute(orphan)).rejects.toThrow("FOREIGN KEY");
      await transaction.rollback();
    }
  });

  it("writes ahead of the file, so that readers never wait", async () => {
    expect((await client.execute("select * from pragma_journal_mode")).rows[0]?.[0]).toBe("wal");
    const transaction = await client.transaction("write");
    await transaction.execute("insert into parents values (1)");
    expect((await client.execute("select count(*) from parents")).rows[0]?.[0]).toBe(0);
    await transaction.commit();
    expect((await client.execute("select count(*) from parents")).rows[0]?.[0]).toBe(1);
  });

  it("is free again however a transaction ends", async () => {
    const ends = [
      (t: Awaited<ReturnType<Client["transaction"]>>) => t.commit(),
      (t: Awaited<ReturnType<Client["transaction"]>>) => t.rollback(),
      async (t: Awaited<ReturnType<Client["transaction"]>>) => t.close(),
    ];
    for (const end of ends) {
      const transaction = await client.transaction("write");
      await transaction.execute("insert into parents default values");
      await end(transaction);
      expect(transaction.closed).toBe(true);
    }
    await expect(client.execute("insert into parents default values")).resolves.toMatchObject({ rowsAffected: 1 });
    expect((await client.execute("select count(*) from parents")).rows[0]?.[0]).toBe(2);
  });

  it("serves writers in the order they came", async () => {
    const insert = (id: number) => client.execute({ sql: "insert into parents values (?)", args: [id] });
    const transaction = await client.transaction("write");
    const waiting = [5, 3, 4].map(insert);
    await transaction.execute("insert into parents values (1)");
    await transaction.commit();
    await Promise.all(waiting);
    const { rows } = await client.execute("select id from parents order by rowid");
    expect(rows.map((row) => row[0])).toEqual([1, 3, 4, 5]);
  });

  it("is free again after a write that failed", async () => {
    await expect(client.execute("insert into nowhere values (1)")).rejects.toThrow("no such table");
    await expect(client.execute("insert into parents values (1)")).resolves.toBeDefined();
  });
});

describe("two processes on one file", () => {
  it("wait for each other's transactions, and go on committing after that", async () => {
    const open = await openMigrated(kept());
    const entity = await newEntity(open.database, "builder");
    const other = createClient({ url: empty.url, concurrency: 1 });
    for (let round = 0; round < 3; round++) {
      const theirs = await other.transaction("write");
      const ours = [
        open.database.transact(({ media }) => media.insert(newMedia(entity))),
        open.database.media.insert(newMedia(entity)),
        open.database.entities.grant(entity, { userId: "USR-1", right: "upload", expiresAt: null }, NOW),
      ];
      await sleep(300);
      await theirs.commit();
      await Promise.all(ours);
    }
    expect(await open.database.media.current(entity, "gallery")).toHaveLength(6);
    other.close();
    await open.close();
  });

  it("both write much at the same time without losing anything", async () => {
    const both = [await openMigrated(kept()), await openMigrated(kept())];
    const [first] = both;
    if (!first) throw new Error("unreachable");
    const entity = await newEntity(first.database, "builder");
    await Promise.all(
      both.flatMap(({ database }) =>
        Array.from({ length: 20 }, () => database.transact(({ media }) => media.insert(newMedia(entity)))),
      ),
    );
    expect(await first.database.media.current(entity, "gallery")).toHaveLength(40);
    for (const open of both) await open.close();
  });
});

it("answers DATABASE_UNAVAILABLE once it is closed", async () => {
  const { database, close } = await openDatabase(empty.url, thisProcess());
  await close();
  const unavailable = { failure: { code: "DATABASE_UNAVAILABLE", retryAfterSeconds: 5 } };
  await expect(database.ping()).rejects.toMatchObject(unavailable);
  await expect(database.media.find(1)).rejects.toMatchObject(unavailable);
  await expect(database.transact(async () => 1)).rejects.toMatchObject(unavailable);
});
