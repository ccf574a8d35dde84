import { and, eq, inArray, isNull, type SQL } from "drizzle-orm";
import { wordsOf } from "../src/media/hash-bands.js";
import type { Fingerprint, LookAlikeQuery, MediaRepository } from "../src/media/ports.js";
import { idsWithin } from "./hash-bands.js";
import { galleryOrder, isCurrent, isCurrentIn, isUnmarked } from "./media-filters.js";
import type { Scope } from "./scope.js";

/**
 * Up to so many items of an entity are read and compared one by one: `npm run bench:duplicates` measures 10 ms for
 * them, and 8 ms within 5 places and 32 ms within 10 for the bands of ten million items. It also takes the same
 * however many pictures of the platform look alike.
 */
const COMPARED_ONE_BY_ONE = 1_000;

/** So many ids go into one statement. */
const IDS_AT_ONCE = 500;

/** What items look like. Whoever sends lost bytes again brings them back: what is marked is no duplicate. */
export function lookAlikes(scope: Scope): Pick<MediaRepository, "fingerprints" | "lookAlikes"> {
  const { db, schema } = scope;
  const { media } = schema;
  const { id, publicId, contentSha256, imageHash, mediaType, entityField } = media;
  return {
    fingerprints: (entity, field) =>
      db
        .select({ id, publicId, contentSha256, imageHash, mediaType, entityField })
        .from(media)
        .where(and(field ? isCurrentIn(media, entity, field) : isCurrent(media, entity), isUnmarked(media)))
        .orderBy(...galleryOrder(media)),

    async lookAlikes(query) {
      const isCandidate = isOfKind(scope, query);
      const found = (await isSmall(scope, query))
        ? await selectFingerprints(scope, isCandidate)
        : await lookUp(scope, query, isCandidate);
      return found.sort((a, b) => a.id - b.id);
    },
  };
}

function isOfKind({ schema: { media } }: Scope, { of, within }: LookAlikeQuery): SQL | undefined {
  const isThere = within === "everywhere" ? isNull(media.deletedAt) : isCurrent(media, within);
  return and(isThere, isUnmarked(media), eq(media.mediaType, of.mediaType));
}

type Found = Fingerprint & { id: number };

function selectFingerprints({ db, schema: { media } }: Scope, where: SQL | undefined): Promise<Found[]> {
  const { id, publicId, contentSha256, imageHash } = media;
  return db.select({ id, publicId, contentSha256, imageHash }).from(media).where(where);
}

/** Whether an entity has few items, by a walk along the index that ends where it has many. */
async function isSmall({ db, schema: { media } }: Scope, { within }: LookAlikeQuery): Promise<boolean> {
  if (within === "everywhere") return false;
  const items = db.select({ id: media.id }).from(media).where(isCurrent(media, within));
  return (
    (
      await items
        .orderBy(...galleryOrder(media))
        .limit(1)
        .offset(COMPARED_ONE_BY_ONE)
    ).length === 0
  );
}

/** Copies by the index of digests, the others by their bands. */
async function lookUp(
  scope: Scope,
  { of, maxDistance, limit = Infinity }: LookAlikeQuery,
  isCandidate: SQL | undefined,
) {
  const { media } = scope.schema;
  const copies = await selectFingerprints(scope, and(eq(media.contentSha256, of.contentSha256), isCandidate));
  const found = new Map(copies.map((copy) => [copy.id, copy]));
  const hash = wordsOf(of.imageHash);
  const ids = hash ? await idsWithin(scope, hash, maxDistance) : [];
  for (let at = 0; at < ids.length && found.size < limit; at += IDS_AT_ONCE) {
    const isNear = inArray(media.id, ids.slice(at, at + IDS_AT_ONCE));
    for (const item of await selectFingerprints(scope, and(isNear, isCandidate))) found.set(item.id, item);
  }
  return [...found.values()];
}
