import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createClient } from "@libsql/client";
import { drizzle as drizzleOverLibsql } from "drizzle-orm/libsql";
import { migrate as migrateWithLibsql } from "drizzle-orm/libsql/migrator";
import { drizzle as drizzleOverMysql } from "drizzle-orm/mysql2";
import { migrate as migrateWithMysql } from "drizzle-orm/mysql2/migrator";
import { createConnection } from "mysql2/promise";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { filePath } from "../../db/connect-sqlite.js";
import { type OpenDatabase, openDatabase } from "../../db/database.js";
import { fillWordIndex } from "../../src/media/word-index.js";
import { usageByScan } from "../contracts/usage-counters.js";
import { type EmptyDatabase, thisProcess } from "../support/database.js";
import { DATABASES } from "../support/databases.js";
import { newEntity, newMedia } from "../support/media-rows.js";
import { openTestTables } from "../support/test-tables.js";

const MIGRATIONS = fileURLToPath(new URL("../../db/migrations", import.meta.url));

/** The folder of a dialect's chain up to and with this step, in a place of its own. */
async function chainUntil(dialect: "sqlite" | "mysql", step: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "media-chain-"));
  await cp(join(MIGRATIONS, dialect), folder, { recursive: true });
  const path = join(folder, "meta/_journal.json");
  const journal = JSON.parse(await readFile(path, "utf8")) as { entries: { idx: number }[] };
  const entries = journal.entries.filter((entry) => entry.idx <= step);
  await writeFile(path, JSON.stringify({ ...journal, entries }));
  return folder;
}

/** Brings an empty database to a step of the chain and no further. */
async function migrateUntil(url: string, step: number): Promise<void> {
  const isFile = url.startsWith("file:");
  const migrationsFolder = await chainUntil(isFile ? "sqlite" : "mysql", step);
  try {
    if (isFile) {
      await mkdir(dirname(filePath(url)), { recursive: true });
      const client = createClient({ url });
      await migrateWithLibsql(drizzleOverLibsql({ client }), { migrationsFolder });
      client.close();
    } else {
      const connection = await createConnection(url);
      await migrateWithMysql(drizzleOverMysql({ client: connection }), { migrationsFolder });
      await connection.end();
    }
  } finally {
    await rm(migrationsFolder, { recursive: true, force: true });
  }
}

async function run(url: string, statements: readonly string[]): Promise<void> {
  if (url.startsWith("file:")) {
    const client = createClient({ url });
    await client.batch([...statements], "write");
    client.close();
  } else {
    const connection = await createConnection(url);
    for (const statement of statements) await connection.query(statement);
    await connection.end();
  }
}

type OldItem = {
  id: number;
  uploadedBy: string | null;
  status: "pending" | "approved";
  createdAt: Date;
  isTrashed: boolean;
  /** Bytes of the processed video; a picture where there is none. */
  video: number | null;
  variants: readonly number[];
  sourceUrl?: string;
  imageHash?: string;
};

/** Rows of the first release, in its own SQL. Every original has a thousand bytes. */
function insertOldItem(item: OldItem, moment: (date: Date) => string): string[] {
  const text = (value: string | null) => (value === null ? "null" : `'${value}'`);
  const when = moment(item.createdAt);
  const columns: Record<string, string | number> = {
    id: item.id,
    public_id: text(`OLD-${item.id}`),
    filename: text("a.jpg"),
    original_filename: text("A.JPG"),
    media_type: text(item.video === null ? "IMAGE" : "VIDEO"),
    content_type: text("image/jpeg"),
    file_size: 1_000,
    image_hash: text(item.imageHash ?? null),
    content_sha256: text("0".repeat(64)),
    storage_type: text("local"),
    storage_path: text(`old/${item.id}.jpg`),
    original_url: text(`old/${item.id}.jpg`),
    video_processed_url: item.video === null ? "null" : text(`old/${item.id}.mp4`),
    video_processed_size: item.video ?? "null",
    entity_type: text("builder"),
    entity_id: 1,
    entity_public_id: text("BLD-1"),
    entity_field: text("gallery"),
    sort_order: 0,
    order_key: text(`a${item.id}`),
    is_primary: 0,
    source_url: text(item.sourceUrl ?? null),
    tags: text("[]"),
    metadata: text("{}"),
    uploaded_by: text(item.uploadedBy),
    is_public: 1,
    is_approved: item.status === "approved" ? 1 : 0,
    moderation_status: text(item.status),
    processing_status: text("ready"),
    created_at: when,
    updated_at: when,
    deleted_at: item.isTrashed ? when : "null",
  };
  return [
    `insert into media (${Object.keys(columns).join(", ")}) values (${Object.values(columns).join(", ")})`,
    ...item.variants.map(
      (bytes, n) =>
        "insert into media_variants (media_id, name, object_key, width, height, content_type, file_size) values " +
        `(${item.id}, '${["small", "large"][n]}', 'old/${item.id}_${n}.jpg', 10, 10, 'image/jpeg', ${bytes})`,
    ),
  ];
}

const DAY_END = new Date("2026-02-28T23:59:59.999Z");
const NEXT_DAY = new Date("2026-03-01T00:00:00.000Z");
/** Its words, and each of its bands, are different numbers, the greatest bits set. */
const OLD_HASH = "1000000000000011" + "0100000000000101" + "1110000000000110" + "1111111111111111";
const OLD = { uploadedBy: null, status: "approved", isTrashed: false, video: null, variants: [] } as const;
const OLD_ITEMS: readonly OldItem[] = [
  { ...OLD, id: 1, createdAt: DAY_END, variants: [10, 20], imageHash: OLD_HASH },
  { ...OLD, id: 2, createdAt: NEXT_DAY, variants: [5], imageHash: OLD_HASH },
  { ...OLD, id: 3, createdAt: NEXT_DAY, uploadedBy: "USR-1", imageHash: "0".repeat(64) },
  { ...OLD, id: 4, createdAt: NEXT_DAY, status: "pending", isTrashed: true, imageHash: OLD_HASH },
  { ...OLD, id: 5, createdAt: DAY_END, video: 300, variants: [7] },
  {
    ...OLD,
    id: 6,
    createdAt: DAY_END,
    status: "pending",
    uploadedBy: "USR-6",
    sourceUrl: "https://example.org/a.jpg",
    imageHash: "0101",
  },
];

describe.each(DATABASES)("a database of the first release on $name", ({ name, create }) => {
  let empty: EmptyDatabase;
  let upgraded: OpenDatabase;
  beforeEach(async () => {
    empty = await create();
    const moment = (date: Date) =>
      name === "SQLite" ? String(date.getTime()) : `'${date.toISOString().replace("T", " ").replace("Z", "")}'`;
    await migrateUntil(empty.url, 0);
    await run(
      empty.url,
      OLD_ITEMS.flatMap((item) => insertOldItem(item, moment)),
    );
    upgraded = await openDatabase(empty.url, thisProcess());
    await upgraded.migrate();
  });
  afterEach(async () => {
    await upgraded.close();
    await empty.remove();
  });

  it("keeps its items, none of them marked", async () => {
    const { media } = upgraded.database;
    const stored = await media.storedItems({ afterId: 0, limit: 99 });
    expect(stored.map(({ id, missingSince }) => [id, missingSince])).toEqual(OLD_ITEMS.map(({ id }) => [id, null]));
    expect(await media.find("OLD-1")).toMatchObject({ createdAt: DAY_END, storagePath: "old/1.jpg" });
    expect((await media.find(1))?.variants).toHaveLength(2);
  });

  it("has every item counted", async () => {
    const place = { entityType: "builder", entityField: "gallery", uploadedBy: null, isTrashed: false };
    const approved = { ...place, moderationStatus: "approved" };
    expect(await upgraded.database.usage.usage({})).toEqual([
      { ...approved, mediaType: "IMAGE", items: 2, originalBytes: 2_000, variants: 3, variantBytes: 35 },
      {
        ...approved,
        mediaType: "IMAGE",
        uploadedBy: "USR-1",
        items: 1,
        originalBytes: 1_000,
        variants: 0,
        variantBytes: 0,
      },
      {
        ...place,
        mediaType: "IMAGE",
        moderationStatus: "pending",
        isTrashed: true,
        items: 1,
        originalBytes: 1_000,
        variants: 0,
        variantBytes: 0,
      },
      {
        ...place,
        mediaType: "IMAGE",
        moderationStatus: "pending",
        uploadedBy: "USR-6",
        items: 1,
        originalBytes: 1_000,
        variants: 0,
        variantBytes: 0,
      },
      { ...approved, mediaType: "VIDEO", items: 1, originalBytes: 1_000, variants: 2, variantBytes: 307 },
    ]);
    expect(await upgraded.database.usage.usage({})).toEqual(await usageByScan(upgraded.database.media));
  });

  it("has every upload on its day of UTC", async () => {
    const day = { entityType: "builder", mediaType: "IMAGE" };
    expect(await upgraded.database.usage.uploadDays({ from: "2026-01-01", to: "2026-12-31" })).toEqual([
      { ...day, day: "2026-02-28", items: 2, bytes: 2_000 },
      { ...day, day: "2026-02-28", mediaType: "VIDEO", items: 1, bytes: 1_000 },
      { ...day, day: "2026-03-01", items: 3, bytes: 3_000 },
    ]);
  });

  it("counts on from there", async () => {
    const { media, usage } = upgraded.database;
    const builder = await newEntity(upgraded.database, "builder");
    await media.update(1, { moderationStatus: "flagged" }, NEXT_DAY);
    await media.update(4, { deletedAt: null }, NEXT_DAY);
    await media.remove(5);
    await media.insert(newMedia(builder, { createdAt: DAY_END }));
    expect(await usage.usage({})).toEqual(await usageByScan(media));
    expect(await usage.uploadDays({ from: "2026-02-28", to: "2026-02-28" })).toMatchObject([
      { items: 3 },
      { items: 1 },
    ]);
    for (const { id } of await media.storedItems({ afterId: 0, limit: 99 })) await media.remove(id);
    expect(await usage.usage({})).toEqual([]);
  });

  it("finds what looked alike, in the trash or not, and passes over what is no hash", async () => {
    const { media } = upgraded.database;
    const alike = (imageHash: string) =>
      media.lookAlikes({
        of: { contentSha256: "none", imageHash, mediaType: "IMAGE" },
        maxDistance: 0,
        within: "everywhere",
      });
    const publicIds = async (hash: string) => (await alike(hash)).map(({ publicId }) => publicId);
    expect(await publicIds(OLD_HASH)).toEqual(["OLD-1", "OLD-2"]);
    expect(await publicIds("0".repeat(64))).toEqual(["OLD-3"]);
    await media.update(4, { deletedAt: null }, NEXT_DAY);
    expect(await publicIds(OLD_HASH)).toEqual(["OLD-1", "OLD-2", "OLD-4"]);
    for (const id of [1, 2, 3, 4]) await media.remove(id);
    expect(await openTestTables(empty.url).execute("select * from media_hash_bands")).toEqual([]);
  });

  it("knows which items were imported", async () => {
    const { media } = upgraded.database;
    const purgeable = await media.purgeable({ trashedBefore: new Date(0), importedBefore: NEXT_DAY, limit: 9 });
    expect(purgeable.map((item) => item.publicId)).toEqual(["OLD-6"]);
  });
});

describe.each(DATABASES)("a database of the second release on $name", ({ name, create }) => {
  let empty: EmptyDatabase;
  beforeEach(async () => {
    empty = await create();
    await migrateUntil(empty.url, 2);
  });
  afterEach(() => empty.remove());
  const moment = name === "SQLite" ? String(DAY_END.getTime()) : "'2026-02-28 23:59:59.999'";
  const digestOf = (key: string) => createHash("sha256").update(key).digest("hex");

  it("has the same counts when their filling was cut short and comes again", async () => {
    await run(
      empty.url,
      OLD_ITEMS.flatMap((item) => insertOldItem(item, () => moment)),
    );
    const newest = "select at from (select max(created_at) as at from __drizzle_migrations) as newest";
    await run(empty.url, [`delete from __drizzle_migrations where created_at in (${newest})`]);
    const upgraded = await openDatabase(empty.url, thisProcess());
    await upgraded.migrate();
    expect(await upgraded.database.usage.usage({})).toEqual(await usageByScan(upgraded.database.media));
    await upgraded.close();
  });

  it("keeps its findings, deletions and intents, and lets a key be stray in two stores from then on", async () => {
    const finding = (kind: string, key: string, confirmedAt = "null") =>
      "insert into storage_findings (kind, storage_type, object_key, key_digest, media_id, first_seen_at, confirmed_at) " +
      `values ('${kind}', 'local', '${key}', '${digestOf(key)}', null, ${moment}, ${confirmedAt})`;
    await run(empty.url, [
      finding("orphan", "stray", moment),
      finding("missing", "stray"),
      finding("orphan", "other"),
      "insert into object_deletions (object_key, key_digest, storage_type, attempts, run_after, created_at) " +
        `values ('gone', '${digestOf("gone")}', 's3', 3, ${moment}, ${moment})`,
      "insert into upload_intents (id, media_public_id, storage_type, `keys`, instance_id, is_claimed, created_at) " +
        `values ('i', 'M', 's3', '["a"]', 'dead', 0, ${moment})`,
    ]);
    const upgraded = await openDatabase(empty.url, thisProcess());
    await upgraded.migrate();
    const { sync, deletions, intents } = upgraded.database;
    const stray = { key: "stray", storageType: "local" } as const;
    const kept = await sync.find("orphan", stray);
    expect(kept).toMatchObject({ firstSeenAt: DAY_END, confirmedAt: DAY_END });
    expect(await sync.sight({ ...stray, kind: "orphan", mediaId: null }, NEXT_DAY)).toEqual(kept);
    expect(await sync.findings({ kind: "missing", limit: 9 })).toMatchObject([{ key: "stray", confirmedAt: null }]);
    const inS3 = await sync.sight({ kind: "orphan", key: "stray", storageType: "s3", mediaId: null }, NEXT_DAY);
    expect(inS3.id).not.toBe(kept?.id);
    expect(await sync.counts()).toEqual({ missing: 0, orphaned: 1 });
    const due = await deletions.due({ storageType: "s3", now: NEXT_DAY, limit: 9 });
    expect(due).toMatchObject([{ key: "gone", attempts: 3 }]);
    expect(await deletions.holds({ key: "gone", storageType: "s3" })).toBe(true);
    const abandoned = await intents.claimAbandoned({ storageType: "s3", now: NEXT_DAY, limit: 9 });
    expect(abandoned).toEqual([{ id: "i", mediaPublicId: "M", storageType: "s3", keys: ["a"] }]);
    await upgraded.close();
  });
});

describe.each(DATABASES)("a database from before words were kept, on $name", ({ name, create }) => {
  let empty: EmptyDatabase;
  let upgraded: OpenDatabase;
  beforeEach(async () => {
    empty = await create();
    await migrateUntil(empty.url, 4);
    const moment = name === "SQLite" ? String(DAY_END.getTime()) : "'2026-02-28 23:59:59.999'";
    await run(empty.url, [
      ...OLD_ITEMS.flatMap((item) => insertOldItem(item, () => moment)),
      `update media set caption = 'Schöne Küche', tags = '["pool"]' where id in (2, 4)`,
    ]);
    upgraded = await openDatabase(empty.url, thisProcess());
    await upgraded.migrate();
  });
  afterEach(async () => {
    await upgraded.close();
    await empty.remove();
  });

  const search = async (query: { text?: string; tag?: string }) => {
    const found = await upgraded.database.media.search({
      audience: { sees: "everything" },
      limit: 9,
      beforeId: null,
      ...query,
    });
    return found.map(({ id }) => id);
  };
  const everyFile = [6, 5, 3, 2, 1];

  it("finds what was there once the words are made, and what is new at once", async () => {
    const log = { lines: [] as unknown[], info: (fields: object) => void log.lines.push(fields) };
    const fill = (afterId: number, signal: AbortSignal) =>
      fillWordIndex({ database: upgraded.database, log }, { afterId, signal });
    const builder = await newEntity(upgraded.database, "builder");
    const { id } = await upgraded.database.media.insert(newMedia(builder));
    expect([await search({}), await search({ text: "jpg" })]).toEqual([[id, ...everyFile], [id]]);
    expect(await fill(0, AbortSignal.abort())).toBe(0);
    expect(await search({ text: "jpg" })).toEqual([id]);
    const { signal } = new AbortController();
    expect(await fill(0, signal)).toBe(id);
    expect([await fill(0, signal), await fill(id, signal)]).toEqual([id, id]);
    expect(log.lines).toEqual([{ indexed: OLD_ITEMS.length, isComplete: true }]);
    expect(await search({ text: "jpg" })).toEqual([id, ...everyFile]);
    expect([await search({ text: "kuche" }), await search({ tag: "pool" })]).toEqual([[2], [2]]);
    await upgraded.database.media.update(4, { deletedAt: null }, NEXT_DAY);
    expect(await search({ text: "schon", tag: "pool" })).toEqual([4, 2]);
  });
});
