import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { createClient, type Row } from "@libsql/client";
import { expect } from "vitest";
import type { MediaOut } from "../../src/media/model.js";
import type { Api } from "./crash-stage.js";

/** One item as its table and its variants' table have it. */
export type StoredItem = {
  id: number;
  publicId: string;
  originalFilename: string;
  field: string;
  isTrashed: boolean;
  /** Bytes by key; the original first. */
  objects: Map<string, number>;
};

/** The whole content of the tables named, read past the server. */
async function readTables<Name extends string>(folder: string, names: readonly Name[]): Promise<Record<Name, Row[]>> {
  const client = createClient({ url: `file:${join(folder, "media.db")}` });
  try {
    const tables: [Name, Row[]][] = [];
    for (const name of names) tables.push([name, (await client.execute(`SELECT * FROM ${name}`)).rows]);
    return Object.fromEntries(tables) as Record<Name, Row[]>;
  } finally {
    client.close();
  }
}

const TABLES = ["media", "media_variants", "upload_intents", "object_deletions", "usage_counters"] as const;
type Tables = Record<(typeof TABLES)[number], Row[]>;

export async function itemsIn(folder: string): Promise<StoredItem[]> {
  return toItems(await readTables(folder, TABLES));
}

function text(value: unknown): string {
  if (typeof value === "string") return value;
  throw new TypeError(`a column of text holds ${typeof value}`);
}

const toItems = ({ media, media_variants }: Tables): StoredItem[] =>
  media.map((row) => {
    const variants = media_variants.filter((variant) => variant.media_id === row.id);
    return {
      id: Number(row.id),
      publicId: text(row.public_id),
      originalFilename: text(row.original_filename),
      field: text(row.entity_field),
      isTrashed: row.deleted_at !== null,
      objects: new Map([
        [text(row.storage_path), Number(row.file_size)],
        ...variants.map((variant) => [text(variant.object_key), Number(variant.file_size)] as const),
      ]),
    };
  });

/**
 * What holds at all times once a sweep has run: every row has its five objects, each of its size, and no byte is
 * anywhere else; nothing is promised or under way; a slot has one current item; the counters say what a scan says; and
 * whoever may look sees the same over HTTP. Answers the items.
 */
export async function expectWhole(folder: string, api: Api): Promise<StoredItem[]> {
  const tables = await readTables(folder, TABLES);
  const items = toItems(tables);
  for (const item of items) expect(item.objects.size, `objects of ${item.publicId}`).toBe(5);
  const named = items.flatMap((item) => [...item.objects]);
  expect(await sizesBelow(join(folder, "files"))).toEqual(Object.fromEntries(named));
  expect(await sizesBelow(join(folder, "spool"))).toEqual({});
  expect(tables.upload_intents).toEqual([]);
  expect(tables.object_deletions).toEqual([]);
  expect(items.filter((item) => item.field === "avatar" && !item.isTrashed)).toHaveLength(1);
  expect(totalOf(tables.usage_counters)).toEqual(scan(tables));
  await expectServed(api, items);
  return items;
}

async function sizesBelow(folder: string): Promise<Record<string, number>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const sizes = files.map(async (file) => [file.slice(folder.length + 1), (await stat(file)).size] as const);
  return Object.fromEntries(await Promise.all(sizes));
}

type Totals = Record<string, number[]>;
const NOTHING = [0, 0, 0, 0];

const placeOf = (row: Row, isTrashed: boolean): string =>
  JSON.stringify([
    row.entity_type,
    row.entity_field,
    row.media_type,
    row.moderation_status,
    row.uploaded_by,
    isTrashed,
  ]);

/** Items, bytes of originals, variants and their bytes, by all dimensions; places with nothing are left out. */
const totalOf = (counters: readonly Row[]): Totals =>
  Object.fromEntries(
    counters
      .map((row) => [
        placeOf(row, Number(row.is_trashed) === 1),
        [row.items, row.original_bytes, row.variants, row.variant_bytes].map(Number),
      ])
      .filter(([, amounts]) => String(amounts) !== String(NOTHING)),
  );

function scan({ media, media_variants }: Tables): Totals {
  const totals: Totals = {};
  for (const row of media) {
    const sizes = media_variants.filter((v) => v.media_id === row.id).map((variant) => Number(variant.file_size));
    const amounts = [1, Number(row.file_size), sizes.length, sizes.reduce((sum, size) => sum + size, 0)];
    const place = placeOf(row, row.deleted_at !== null);
    totals[place] = (totals[place] ?? NOTHING).map((total, at) => total + (amounts[at] ?? 0));
  }
  return totals;
}

/** What is current is listed and every file of it answers whole; what is in the trash answers to nobody. */
async function expectServed(api: Api, items: readonly StoredItem[]): Promise<void> {
  const answer = await api.call<{ items: MediaOut[] }>("GET", "/v1/media/entity/builder/BLD-1?limit=100");
  const current = items.filter((item) => !item.isTrashed);
  expect(answer.body.items.map((media) => media.publicId).sort()).toEqual(current.map((item) => item.publicId).sort());
  for (const item of items)
    for (const [key, size] of item.objects) {
      const file = await fetch(`${api.baseUrl}/files/${key}`);
      const length = (await file.arrayBuffer()).byteLength;
      if (item.isTrashed) expect(file.status, key).toBe(404);
      else expect([file.status, length], key).toEqual([200, size]);
    }
}
