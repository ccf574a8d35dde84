import { and, count, getTableColumns, inArray, lte, ne, type SQL, sql } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import type { MediaRepository } from "../src/media/ports.js";
import { galleryOrder, isAhead, isBehind, isCurrent, isCurrentIn, isListed, lastFirst } from "./media-filters.js";
import { variantsColumn, withVariants } from "./media-items.js";
import { toMedia } from "./media-row.js";
import type { Scope } from "./scope.js";

type Galleries = Pick<MediaRepository, "list" | "current" | "currentOfEntity"> & Places;
type Places = Pick<MediaRepository, "lastPlace" | "neighbour" | "setPlaces">;

/** Items in their order. */
export function galleries(scope: Scope): Galleries {
  const { db, schema } = scope;
  const { media } = schema;
  const inOrder = (where: SQL | undefined) =>
    db
      .select()
      .from(media)
      .where(where)
      .orderBy(...galleryOrder(media));

  return {
    async list(query) {
      const filter = isListed(scope, query);
      const counted = db.select({ total: count() }).from(media).where(filter);
      const rows = await db
        .select({
          row: getTableColumns(media),
          variants: variantsColumn(scope),
          total: sql`(${counted})`.mapWith(Number),
        })
        .from(media)
        .where(and(filter, query.after ? isBehind(media, query.after) : undefined))
        .orderBy(...galleryOrder(media))
        .limit(query.limit);
      const items = rows.map(({ row, variants }) => toMedia(row, variants ?? []));
      // Only behind the last item is there no row that could say how many there are.
      const isPastEnd = rows.length === 0 && query.after !== null;
      const total = isPastEnd ? (await counted)[0]?.total : rows[0]?.total;
      return { items, total: total ?? 0 };
    },

    current: async (entity, field) => withVariants(scope, await inOrder(isCurrentIn(media, entity, field))),
    currentOfEntity: async (entity) => withVariants(scope, await inOrder(isCurrent(media, entity))),

    ...places(scope),
  };
}

function places(scope: Scope): Places {
  const { db, schema } = scope;
  const { media } = schema;

  async function firstPlace(where: SQL | undefined, order: SQL[]) {
    const { sortOrder, orderKey, id } = media;
    const selected = db.select({ sortOrder, orderKey, id }).from(media).where(where);
    const [place] = await selected.orderBy(...order).limit(1);
    return place ?? null;
  }

  return {
    lastPlace(entity, field, upTo) {
      const isBefore = upTo === undefined ? undefined : lte(media.sortOrder, upTo);
      return firstPlace(and(isCurrentIn(media, entity, field), isBefore), lastFirst(media));
    },

    neighbour({ entity, field, from, except }, side) {
      const isOther = and(isCurrentIn(media, entity, field), ne(media.id, except));
      return side === "after"
        ? firstPlace(and(isOther, isBehind(media, from)), galleryOrder(media))
        : firstPlace(and(isOther, isAhead(media, from)), lastFirst(media));
    },

    setPlaces: (given, now) =>
      scope.atomically(async (inner) => {
        for (const chunk of chunksById(given)) await setChunk(inner, chunk, now);
      }),
  };
}

type Place = { id: number; sortOrder: number; orderKey: string };

/** So many places go into one statement, which keeps it well below what either database takes. */
const PLACES_AT_ONCE = 500;

/** In the order of ids, so that two that set the same places wait for each other instead of both failing. */
function chunksById(given: readonly Place[]): Place[][] {
  const sorted = [...given].sort((a, b) => a.id - b.id);
  const starts = Array.from({ length: Math.ceil(sorted.length / PLACES_AT_ONCE) }, (_, n) => n * PLACES_AT_ONCE);
  return starts.map((start) => sorted.slice(start, start + PLACES_AT_ONCE));
}

async function setChunk({ db, schema: { media } }: Scope, chunk: readonly Place[], updatedAt: Date): Promise<void> {
  const sortOrder = byId(media.id, new Map(chunk.map((place) => [place.id, place.sortOrder])));
  const orderKey = byId(media.id, new Map(chunk.map((place) => [place.id, place.orderKey])));
  const ids = chunk.map((place) => place.id);
  await db.update(media).set({ sortOrder, orderKey, updatedAt }).where(inArray(media.id, ids));
}

/** The value that belongs to the row's id. */
function byId(id: SQLiteColumn, values: ReadonlyMap<number, string | number>): SQL {
  const cases = [...values].map(([key, value]) => sql`when ${key} then ${value}`);
  return sql`case ${id} ${sql.join(cases, sql` `)} end`;
}
