import { and, asc, desc, eq, getTableColumns, gt, gte, inArray, like, lt, max } from "drizzle-orm";
import type { MediaRepository, MediaSearchQuery } from "../src/media/ports.js";
import type { Term } from "./dialect.js";
import { isFound } from "./media-filters.js";
import { withVariants } from "./media-items.js";
import type { MediaRow } from "./media-row.js";
import { documentOf, termsOf } from "./media-words.js";
import type { Scope } from "./scope.js";

/** Finding items among all there are. */
export function searching(scope: Scope): Pick<MediaRepository, "search" | "indexWords"> {
  return {
    async search(query) {
      const terms = await termsOf(query);
      return withVariants(scope, await (terms ? searchByTerms(scope, query, terms) : newest(scope, query)));
    },
    indexWords: (page) => indexWords(scope, page),
  };
}

function newest({ db, schema }: Scope, query: MediaSearchQuery): Promise<MediaRow[]> {
  const { media } = schema;
  const found = db.select().from(media).where(isFound({ schema }, query));
  return found.orderBy(desc(media.id)).limit(query.limit);
}

/**
 * What stands in one item of a hundred fills a page from the newest alone. The index would first collect every item
 * that has it, which on MySQL takes a second for 200,000; of the rest it has few.
 */
async function searchByTerms(scope: Scope, query: MediaSearchQuery, terms: readonly Term[]): Promise<MediaRow[]> {
  // A text of signs alone: nothing has none of its words.
  if (terms.length === 0) return [];
  const found = await amongNewest(scope, query, terms);
  return found.length < query.limit ? throughIndex(scope, query, terms) : found;
}

/** So many ids below the cursor are looked through without the index. */
const NEWEST = 5_000;

async function amongNewest({ db, schema }: Scope, query: MediaSearchQuery, terms: readonly Term[]) {
  const { media, mediaSearch } = schema;
  const end = query.beforeId ?? (await highestId()) + 1;
  // Tokens hold no wildcard, and the words stand between spaces.
  const hasAll = terms.map(({ token, isPrefix }) => like(mediaSearch.words, isPrefix ? `% ${token}%` : `% ${token} %`));
  const isNew = and(gte(mediaSearch.mediaId, end - NEWEST), lt(mediaSearch.mediaId, end));
  return (
    db
      .select(getTableColumns(media))
      .from(mediaSearch)
      // Not an inner join, which SQLite turns round, and sorts then.
      .crossJoin(media)
      .where(and(eq(media.id, mediaSearch.mediaId), isNew, ...hasAll, isFound({ schema }, query)))
      .orderBy(desc(mediaSearch.mediaId))
      .limit(query.limit)
  );

  async function highestId() {
    const [highest] = await db.select({ id: max(mediaSearch.mediaId) }).from(mediaSearch);
    return highest?.id ?? 0;
  }
}

function throughIndex({ db, schema, dialect }: Scope, query: MediaSearchQuery, terms: readonly Term[]) {
  const { media } = schema;
  const { from, id, matches } = dialect.wordIndex;
  const isBefore = query.beforeId === null ? undefined : lt(id, query.beforeId);
  return (
    db
      .select(getTableColumns(media))
      .from(from)
      // Keeps SQLite from looking into the index once for each item.
      .crossJoin(media)
      .where(and(eq(media.id, id), matches(terms), isBefore, isFound({ schema }, query)))
      .orderBy(desc(id))
      .limit(query.limit)
  );
}

async function indexWords(scope: Scope, { afterId, limit }: { afterId: number; limit: number }) {
  const { media, mediaSearch } = scope.schema;
  const page = await scope.db
    .select({ id: media.id, indexedId: mediaSearch.mediaId })
    .from(media)
    .leftJoin(mediaSearch, eq(mediaSearch.mediaId, media.id))
    .where(gt(media.id, afterId))
    .orderBy(asc(media.id))
    .limit(limit);
  const last = page.at(-1);
  if (!last) return null;
  const missing = page.filter(({ indexedId }) => indexedId === null).map(({ id }) => id);
  const indexed = missing.length === 0 ? 0 : await scope.atomically((inner) => addWords(inner, missing));
  return { lastId: last.id, indexed };
}

/** The rows are held, so that nobody changes them in between; whoever did so before has given them words. */
async function addWords({ db, schema: { media, mediaSearch }, dialect }: Scope, ids: readonly number[]) {
  const { id, altText, caption, originalFilename, tags } = media;
  const described = db.select({ id, altText, caption, originalFilename, tags }).from(media);
  const rows = await dialect.locking(described.where(inArray(id, [...ids])).orderBy(asc(id)));
  const given = await db
    .select({ id: mediaSearch.mediaId })
    .from(mediaSearch)
    .where(inArray(mediaSearch.mediaId, [...ids]));
  const isGiven = new Set(given.map((row) => row.id));
  const lacking = rows.filter((row) => !isGiven.has(row.id));
  const documents = lacking.map(async (row) => ({ mediaId: row.id, words: await documentOf(row) }));
  if (documents.length > 0) await db.insert(mediaSearch).values(await Promise.all(documents));
  return documents.length;
}
