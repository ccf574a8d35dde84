import { eq, or, type SQL } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import type { Ref } from "../src/media/ports.js";

type Identified = { id: number; publicId: string };

/** The integer a reference may stand for; undefined where it can only be a public id. */
function integerId(ref: Ref): number | undefined {
  const isInteger = typeof ref === "number" || /^\d{1,15}$/.test(ref);
  return isInteger ? Number(ref) : undefined;
}

/** Rows a reference may mean: by integer id, by public id; at most one of each. */
export function matchesRef(columns: { id: SQLiteColumn; publicId: SQLiteColumn }, ref: Ref): SQL | undefined {
  const id = integerId(ref);
  return or(id === undefined ? undefined : eq(columns.id, id), eq(columns.publicId, String(ref)));
}

/**
 * The one meant: the integer id goes first. The public id is compared once more, because MySQL ignores trailing
 * spaces.
 */
export function chooseByRef<T extends Identified>(rows: readonly T[], ref: Ref): T | undefined {
  const id = integerId(ref);
  return rows.find((row) => row.id === id) ?? rows.find((row) => row.publicId === String(ref));
}
