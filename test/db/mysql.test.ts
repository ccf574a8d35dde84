import { createServer } from "node:net";
import { createConnection, type RowDataPacket } from "mysql2/promise";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openDatabase } from "../../db/database.js";
import { type EmptyDatabase, openMigrated, type TestDatabase, thisProcess } from "../support/database.js";
import { createMariadbDatabase, mariadbUrl } from "../support/mariadb.js";
import { newEntity, newMedia } from "../support/media-rows.js";

const unavailable = { failure: { code: "DATABASE_UNAVAILABLE", retryAfterSeconds: 5 } };

async function onServer(sql: string): Promise<RowDataPacket[]> {
  const connection = await createConnection(await mariadbUrl());
  try {
    const [rows] = await connection.query<RowDataPacket[]>(sql);
    return rows;
  } finally {
    await connection.end();
  }
}

describe("a server with careless defaults", () => {
  let empty: EmptyDatabase;
  let open: TestDatabase;
  let sqlMode: string;
  beforeAll(async () => {
    empty = await createMariadbDatabase();
    [{ mode: sqlMode }] = (await onServer("select @@global.sql_mode as mode")) as [RowDataPacket];
    await onServer("set global sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'");
    await onServer("set global time_zone = '+09:00'");
    await onServer(`alter database ${empty.url.slice(empty.url.lastIndexOf("/") + 1)} character set latin1`);
    open = await openMigrated(empty);
  });
  afterAll(async () => {
    await onServer(`set global sql_mode = '${sqlMode}'`);
    await onServer("set global time_zone = 'SYSTEM'");
    await open.close();
  });

  it("keeps all of Unicode, quotes and backslashes", async () => {
    const entity = await newEntity(open.database, "builder", { name: "Ω 🏗 ' \" \\" });
    expect(entity.name).toBe("Ω 🏗 ' \" \\");
    const item = newMedia(entity, { caption: "\\' or 1=1 -- 🏡", tags: ["\\", "'"], altText: "中文" });
    const { id } = await open.database.media.insert(item);
    expect(await open.database.media.find(id)).toMatchObject({
      caption: item.caption,
      tags: item.tags,
      altText: "中文",
    });
  });

  it("refuses what does not fit instead of cutting it", async () => {
    const entity = await newEntity(open.database, "builder");
    await expect(open.database.media.insert(newMedia(entity, { altText: "x".repeat(501) }))).rejects.toThrow(
      "Failed query",
    );
    const full = await open.database.media.insert(newMedia(entity, { altText: "🏡".repeat(500) }));
    expect((await open.database.media.find(full.id))?.altText).toBe("🏡".repeat(500));
  });

  it("keeps moments as they are", async () => {
    const entity = await newEntity(open.database, "builder");
    const createdAt = new Date("2026-03-29T02:30:00.123Z");
    const { id } = await open.database.media.insert(newMedia(entity, { createdAt }));
    expect((await open.database.media.find(id))?.createdAt).toEqual(createdAt);
  });
});

describe("a server that is away", () => {
  it("does not hinder opening, answers DATABASE_UNAVAILABLE, and does not hinder closing", async () => {
    const probe = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => probe.once("listening", resolve));
    const address = probe.address();
    const port = typeof address === "object" ? address?.port : 0;
    await new Promise((resolve) => probe.close(resolve));
    const { database, users, sessions, migrate, heartbeat, close } = await openDatabase(
      `mysql://root@127.0.0.1:${port}/media`,
      thisProcess(),
    );
    await expect(database.ping()).rejects.toMatchObject(unavailable);
    await expect(database.media.find(1)).rejects.toMatchObject(unavailable);
    await expect(database.transact(async () => 1)).rejects.toMatchObject(unavailable);
    await expect(users.find(1)).rejects.toMatchObject(unavailable);
    await expect(sessions.validate("token")).rejects.toMatchObject(unavailable);
    await expect(migrate()).rejects.toMatchObject(unavailable);
    await expect(heartbeat(new Date())).rejects.toMatchObject(unavailable);
    await expect(close()).resolves.toBeUndefined();
  });
});

describe("a wrong password or database", () => {
  it("is no outage: the server's own words come through", async () => {
    for (const [user, database] of [
      ["nobody:wrong", "mysql"],
      ["root", "there_is_none"],
    ]) {
      const url = (await mariadbUrl()).replace("root", user ?? "");
      const open = await openDatabase(`${url}/${database}`, thisProcess());
      await expect(open.database.ping()).rejects.toThrow(/Access denied|Unknown database/);
      await open.close();
    }
  });
});

describe("connections that are lost", () => {
  let open: TestDatabase;
  beforeEach(async () => {
    open = await openMigrated(await createMariadbDatabase());
  });
  afterEach(() => open.close());

  async function killConnections() {
    const name = open.url.slice(open.url.lastIndexOf("/") + 1);
    const rows = await onServer(`select id from information_schema.processlist where db = '${name}'`);
    for (const { id } of rows) await onServer(`kill ${id}`);
    return rows.length;
  }

  it("while idle are replaced", async () => {
    const entity = await newEntity(open.database, "builder");
    expect(await killConnections()).toBeGreaterThan(0);
    await expect.poll(() => open.database.entities.find("builder", entity.id).catch(() => undefined)).toEqual(entity);
  });

  it("inside a transaction undo it, and say so", async () => {
    const entity = await newEntity(open.database, "builder");
    const cut = open.database.transact(async ({ media }) => {
      await media.insert(newMedia(entity, { publicId: "MED-cut" }));
      await killConnections();
      await media.insert(newMedia(entity));
    });
    await expect(cut).rejects.toMatchObject(unavailable);
    await expect.poll(() => open.database.media.current(entity, "gallery").catch(() => undefined)).toEqual([]);
  });
});
