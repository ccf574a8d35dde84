import { eq, inArray, type SQL, sql } from "drizzle-orm";
import type { Media } from "../src/media/model.js";
import { type MediaRow, toMedia, type VariantRow } from "./media-row.js";
import type { Scope } from "./scope.js";

/** Rows become items, with one more query for the variants of them all. */
export async function withVariants(scope: Scope, rows: readonly MediaRow[]): Promise<Media[]> {
  const variants = await selectVariants(
    scope,
    rows.map((row) => row.id),
  );
  return rows.map((row) => toMedia(row, variants.get(row.id) ?? []));
}

/** The variants of these items by the item's id, in any order. */
export async function selectVariants(
  { db, schema: { mediaVariants } }: Scope,
  mediaIds: readonly number[],
): Promise<ReadonlyMap<number, VariantRow[]>> {
  const byItem = new Map<number, VariantRow[]>(mediaIds.map((id) => [id, []]));
  if (mediaIds.length === 0) return byItem;
  const variants = await db
    .select()
    .from(mediaVariants)
    .where(inArray(mediaVariants.mediaId, [...mediaIds]));
  for (const variant of variants) byItem.get(variant.mediaId)?.push(variant);
  return byItem;
}

/** The variants of the row of `media` a query is at, as a column of it: no statement of their own. NULL where none. */
export function variantsColumn({ db, schema: { media, mediaVariants }, dialect }: Scope): SQL<VariantRow[] | null> {
  const { mediaId, name, objectKey, width, height, contentType, fileSize } = mediaVariants;
  const fields = Object.entries({ mediaId, name, objectKey, width, height, contentType, fileSize });
  const members = fields.map(([field, column]) => sql`${sql.raw(`'${field}'`)}, ${column}`);
  const variant = sql`json_object(${sql.join(members, sql`, `)})`;
  const ofRow = db
    .select({ all: dialect.jsonArray(variant) })
    .from(mediaVariants)
    .where(eq(mediaVariants.mediaId, media.id));
  // MySQL's driver hands JSON back parsed, the others' as text.
  return sql<VariantRow[]>`(${ofRow})`.mapWith((value: unknown) =>
    typeof value === "string" ? (JSON.parse(value) as unknown) : value,
  ) as SQL<VariantRow[] | null>;
}
