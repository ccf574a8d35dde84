import { requireOverseer } from "./access.js";
import { type Actor, SERVICE_PRINCIPAL } from "./actor.js";
import type { EntityType } from "./attachments.js";
import type { UploadDay, UsageRow } from "./lifecycle-ports.js";
import type { ManageDeps } from "./manage.js";

/** Items and bytes of one group; `bytes` is originals and variants together. */
export type UsageSum = { items: number; originalBytes: number; variants: number; variantBytes: number; bytes: number };

const NOTHING: UsageSum = { items: 0, originalBytes: 0, variants: 0, variantBytes: 0, bytes: 0 };

const add = (sum: UsageSum, row: UsageRow): UsageSum => ({
  items: sum.items + row.items,
  originalBytes: sum.originalBytes + row.originalBytes,
  variants: sum.variants + row.variants,
  variantBytes: sum.variantBytes + row.variantBytes,
  bytes: sum.bytes + row.originalBytes + row.variantBytes,
});

/** The ways storage is broken down; each answers a row's group. */
export const BREAKDOWNS = {
  byEntityType: (row) => row.entityType,
  byField: (row) => `${row.entityType}.${row.entityField}`,
  byMediaType: (row) => row.mediaType,
  byStatus: (row) => row.moderationStatus,
  byUploader: (row) => row.uploadedBy ?? SERVICE_PRINCIPAL,
} as const satisfies Record<string, (row: UsageRow) => string>;
export type BreakdownName = keyof typeof BREAKDOWNS;

export type StorageUsage = { total: UsageSum; current: UsageSum; trash: UsageSum } & Record<
  BreakdownName,
  (UsageSum & { key: string })[]
>;

/**
 * What is stored, from running counters. `total` is all bytes held; the breakdowns are of current items, the largest
 * first; `trash` waits for its purge. For moderators and admins.
 */
export async function storageUsage(deps: ManageDeps, actor: Actor, entityType?: EntityType): Promise<StorageUsage> {
  requireOverseer(actor);
  const rows = await deps.database.usage.usage({ entityType });
  const current = rows.filter((row) => !row.isTrashed);
  const names = Object.keys(BREAKDOWNS) as BreakdownName[];
  const breakdowns = Object.fromEntries(names.map((name) => [name, breakDown(current, BREAKDOWNS[name])]));
  return {
    total: rows.reduce(add, NOTHING),
    current: current.reduce(add, NOTHING),
    trash: rows.filter((row) => row.isTrashed).reduce(add, NOTHING),
    ...(breakdowns as Record<BreakdownName, (UsageSum & { key: string })[]>),
  };
}

function breakDown(rows: readonly UsageRow[], groupOf: (row: UsageRow) => string): (UsageSum & { key: string })[] {
  const sums = new Map<string, UsageSum>();
  for (const row of rows) sums.set(groupOf(row), add(sums.get(groupOf(row)) ?? NOTHING, row));
  return [...sums].map(([key, sum]) => ({ key, ...sum })).sort((a, b) => b.bytes - a.bytes);
}

/** Uploads by UTC day, both ends included. For moderators and admins. */
export async function uploadsOverTime(
  deps: ManageDeps,
  actor: Actor,
  range: { from: string; to: string },
): Promise<UploadDay[]> {
  requireOverseer(actor);
  return deps.database.usage.uploadDays(range);
}
