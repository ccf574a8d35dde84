import { and, asc, eq, gt, gte, isNull, lt, or, type SQL } from "drizzle-orm";
import { MODERATION_STATUSES, type ModerationStatus } from "../src/media/model.js";
import type { MediaRepository } from "../src/media/ports.js";
import { isUnmarked } from "./media-filters.js";
import { withVariants } from "./media-items.js";
import type { MediaRow } from "./media-row.js";
import type { Scope } from "./scope.js";

const UNAPPROVED = MODERATION_STATUSES.filter((status) => status !== "approved");

/** Items that wait for somebody: for a decision, or for their end. */
export function backlogs(scope: Scope): Pick<MediaRepository, "queue" | "purgeable"> {
  const { db, schema } = scope;
  const { media } = schema;

  return {
    async queue({ statuses, limit, after }) {
      // The lower bound says nothing new, but SQLite seeks by it, and by a choice of two it does not.
      const isBehind =
        after &&
        and(gte(media.createdAt, after.createdAt), or(gt(media.createdAt, after.createdAt), gt(media.id, after.id)));
      const where = and(isUnmarked(media), isNull(media.deletedAt), isBehind ?? undefined);
      return withVariants(scope, await oldestIn(scope, statuses, { where, limit }));
    },

    async purgeable({ trashedBefore, importedBefore, limit }) {
      const trashed = await db
        .select()
        .from(media)
        .where(lt(media.deletedAt, trashedBefore))
        .orderBy(asc(media.deletedAt), asc(media.id))
        .limit(limit);
      const isElsewhere = or(isNull(media.deletedAt), gte(media.deletedAt, trashedBefore));
      const where = and(eq(media.isImported, true), lt(media.createdAt, importedBefore), isElsewhere);
      const room = limit - trashed.length;
      const imported = room > 0 ? await oldestIn(scope, UNAPPROVED, { where, limit: room }) : [];
      return withVariants(scope, [...trashed, ...imported]);
    },
  };
}

type Wanted = { where: SQL | undefined; limit: number };

/**
 * The oldest items in any of the statuses, by (createdAt, id). One query a status, each in the order of the index: for
 * all statuses at once either database would read and sort them all.
 */
async function oldestIn({ db, schema: { media } }: Scope, statuses: readonly ModerationStatus[], wanted: Wanted) {
  const found: MediaRow[] = [];
  for (const status of new Set(statuses)) {
    const inStatus = db
      .select()
      .from(media)
      .where(and(eq(media.moderationStatus, status), wanted.where));
    found.push(...(await inStatus.orderBy(asc(media.createdAt), asc(media.id)).limit(wanted.limit)));
  }
  return found.sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime() || a.id - b.id).slice(0, wanted.limit);
}
