import { and, asc, between, count, eq, getTableColumns, ne, or, sql, sum } from "drizzle-orm";
import type { SQLiteColumn, SQLiteTable } from "drizzle-orm/sqlite-core";
import type { UsageCounters, UsageRow } from "../src/media/lifecycle-ports.js";
import type { MediaRow } from "./media-row.js";
import type { Scope } from "./scope.js";

/** Stands for nobody in a key, where NULL cannot. */
const NOBODY = "";

export function createUsageCounters({ db, schema }: Scope): UsageCounters {
  const { usageCounters, uploadDays } = schema;
  return {
    async usage({ entityType }) {
      const { items, originalBytes, variantBytes } = usageCounters;
      const isSomething = or(ne(items, 0), ne(originalBytes, 0), ne(variantBytes, 0));
      const rows = await db
        .select()
        .from(usageCounters)
        .where(and(isSomething, entityType && eq(usageCounters.entityType, entityType)))
        .orderBy(...dimensionsOf(usageCounters).map((column) => asc(column)));
      return rows.map((row) => ({ ...row, uploadedBy: row.uploadedBy === NOBODY ? null : row.uploadedBy }));
    },

    uploadDays: ({ from, to }) =>
      db
        .select()
        .from(uploadDays)
        .where(between(uploadDays.day, from, to))
        .orderBy(asc(uploadDays.day), asc(uploadDays.entityType), asc(uploadDays.mediaType)),
  };
}

const dimensionsOf = (table: Scope["schema"]["usageCounters"]) => [
  table.entityType,
  table.entityField,
  table.mediaType,
  table.moderationStatus,
  table.uploadedBy,
  table.isTrashed,
];

type Amounts = Pick<UsageRow, "items" | "originalBytes" | "variants" | "variantBytes">;

/** What an item counts to. */
const placeOf = (row: MediaRow) => ({
  entityType: row.entityType,
  entityField: row.entityField,
  mediaType: row.mediaType,
  moderationStatus: row.moderationStatus,
  uploadedBy: row.uploadedBy ?? NOBODY,
  isTrashed: row.deletedAt !== null,
});

/**
 * Takes an item off where it counted and adds it where it counts, in the transaction that changes its row; null is
 * where it counts to nothing. Counters are always raised in the same order, so that two transactions of one change each
 * wait for each other instead of both failing.
 */
export async function recount(
  scope: Scope,
  { before, after }: { before: MediaRow; after: MediaRow | null } | { before: null; after: MediaRow },
): Promise<void> {
  const [from, to] = [before && placeOf(before), after && placeOf(after)];
  const [fromName, toName] = [JSON.stringify(from), JSON.stringify(to)];
  if (fromName === toName) return;
  const amounts = await amountsOf(scope, before ?? after);
  const changes = [
    { name: fromName, key: from, amounts: negated(amounts) },
    { name: toName, key: to, amounts },
  ].sort((a, b) => (a.name < b.name ? -1 : 1));
  const table = scope.schema.usageCounters;
  for (const { key, amounts } of changes) if (key) await raise(scope, { table, key, amounts });
}

/** Counts an upload on the day of its creation. */
export async function countUpload(scope: Scope, { createdAt, entityType, mediaType, fileSize }: MediaRow) {
  const key = { day: createdAt.toISOString().slice(0, "YYYY-MM-DD".length), entityType, mediaType };
  await raise(scope, { table: scope.schema.uploadDays, key, amounts: { items: 1, bytes: fileSize } });
}

/** The processed video is a variant too: bytes beside the original. */
async function amountsOf({ db, schema: { mediaVariants } }: Scope, row: MediaRow): Promise<Amounts> {
  const [made] = await db
    .select({ variants: count(), bytes: sum(mediaVariants.fileSize).mapWith(Number) })
    .from(mediaVariants)
    .where(eq(mediaVariants.mediaId, row.id));
  return {
    items: 1,
    originalBytes: row.fileSize,
    variants: (made?.variants ?? 0) + (row.videoProcessedSize === null ? 0 : 1),
    variantBytes: (made?.bytes ?? 0) + (row.videoProcessedSize ?? 0),
  };
}

const negated = ({ items, originalBytes, variants, variantBytes }: Amounts): Amounts => ({
  items: -items,
  originalBytes: -originalBytes,
  variants: -variants,
  variantBytes: -variantBytes,
});

/** One row of totals: `key` names it by its primary key, `amounts` go on top of what it holds. */
type Raise = {
  table: SQLiteTable;
  key: Readonly<Record<string, string | boolean>>;
  amounts: Readonly<Record<string, number>>;
};

/** Updates first: on MySQL an insert that meets the row would lock more than the row. */
async function raise({ db, dialect }: Scope, { table, key, amounts }: Raise): Promise<void> {
  const columns = getTableColumns(table);
  const column = (name: string): SQLiteColumn => {
    const found = columns[name];
    if (!found) throw new TypeError(`The totals have no column "${name}".`);
    return found;
  };
  const isRow = and(...Object.entries(key).map(([name, value]) => eq(column(name), value)));
  const raised = Object.fromEntries(
    Object.entries(amounts).map(([name, amount]) => [name, sql`${column(name)} + ${amount}`]),
  );
  const updated = await db.update(table).set(raised).where(isRow);
  if (dialect.affected(updated) > 0) return;
  const target = Object.keys(key).map(column);
  await dialect.upsert(db.insert(table).values({ ...key, ...amounts }), target, raised);
}
