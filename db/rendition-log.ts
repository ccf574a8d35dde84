import { and, eq, inArray, sql } from "drizzle-orm";
import { mediaNotFound } from "../src/media/errors.js";
import type { RenditionClaim, RenditionEntry, RenditionLog, RenditionName } from "../src/media/rendition-ports.js";
import { isForeignKeyViolation } from "./driver-errors.js";
import type { Instances } from "./instances.js";
import type { Scope } from "./scope.js";

type Row = Scope["schema"]["mediaRenditions"]["$inferSelect"];

const NO_OBJECT = { objectKey: null, width: null, height: null, contentType: null, fileSize: null };

/**
 * A claim is a row that the first who asks inserts; the one write locks it before anybody reads it. It belongs to its
 * process, by that one's row in `instances`.
 */
export function createRenditionLog(scope: Scope, instances: Instances): RenditionLog {
  const { db, schema, dialect } = scope;
  const { mediaRenditions } = schema;
  const isNamed = ({ mediaId, spec }: RenditionName) =>
    and(eq(mediaRenditions.mediaId, mediaId), eq(mediaRenditions.spec, spec));
  const isHeld = (claim: RenditionClaim) =>
    and(isNamed(claim), eq(mediaRenditions.claim, claim.claim), eq(mediaRenditions.state, "making"));

  async function read(inner: Scope, name: RenditionName): Promise<Row | undefined> {
    const [row] = await inner.db.select().from(mediaRenditions).where(isNamed(name));
    return row;
  }

  /** The row, held until the end: this claim's where there was none. */
  async function note(inner: Scope, fresh: Row): Promise<Row> {
    const target = [mediaRenditions.mediaId, mediaRenditions.spec];
    const untouched = { spec: sql`${mediaRenditions.spec}` };
    await dialect.upsert(inner.db.insert(mediaRenditions).values(fresh), target, untouched);
    const row = await read(inner, fresh);
    if (!row) throw new Error("The rendition is not there after it was noted.");
    return row;
  }

  return {
    async find(name) {
      const row = await read(scope, name);
      return row && describe(row);
    },

    async begin({ mediaId, spec, claim }, { now, staleBefore, retryBefore }) {
      const take = async (inner: Scope): Promise<RenditionEntry | { state: "begun" }> => {
        // A claim without its process would count as a dead one's.
        await instances.ensure(inner, now);
        const own = { state: "making", claim, instanceId: instances.id, createdAt: now, ...NO_OBJECT } as const;
        const row = await note(inner, { mediaId, spec, ...own });
        if (row.claim === claim) return { state: "begun" };
        const living = row.state === "making" ? await instances.living(inner, now) : [];
        const isFree =
          row.state === "making"
            ? row.createdAt < staleBefore || !living.includes(row.instanceId)
            : row.state === "failed" && row.createdAt < retryBefore;
        if (!isFree) return describe(row);
        await inner.db.update(mediaRenditions).set(own).where(isNamed({ mediaId, spec }));
        return { state: "begun" };
      };
      try {
        return await scope.atomically(take);
      } catch (error) {
        throw isForeignKeyViolation(error) ? mediaNotFound(mediaId) : error;
      }
    },

    async finish(claim, { key, ...made }, now) {
      const whole = { ...made, objectKey: key, state: "made", createdAt: now } as const;
      return dialect.affected(await db.update(mediaRenditions).set(whole).where(isHeld(claim))) === 1;
    },

    async end(claim, state, now) {
      await db.update(mediaRenditions).set({ state, createdAt: now }).where(isHeld(claim));
    },

    async release(claim) {
      await db.delete(mediaRenditions).where(isHeld(claim));
    },

    async madeOf(mediaIds) {
      if (mediaIds.length === 0) return [];
      const { mediaId, spec, objectKey } = mediaRenditions;
      const rows = await db
        .select({ mediaId, spec, key: objectKey })
        .from(mediaRenditions)
        .where(inArray(mediaId, [...mediaIds]));
      return rows.flatMap(({ key, ...name }) => (key === null ? [] : [{ ...name, key }]));
    },

    takeAway: (mediaId, specs) =>
      scope.atomically(async ({ db }) => {
        if (specs?.length === 0) return [];
        const isGoing = and(eq(mediaRenditions.mediaId, mediaId), specs && inArray(mediaRenditions.spec, [...specs]));
        const rows = await dialect.locking(db.select().from(mediaRenditions).where(isGoing));
        if (rows.length > 0) await db.delete(mediaRenditions).where(isGoing);
        return rows.flatMap((row) => row.objectKey ?? []);
      }),

    async drop(key) {
      return dialect.affected(await db.delete(mediaRenditions).where(eq(mediaRenditions.objectKey, key))) === 1;
    },
  };
}

function describe({ state, objectKey: key, width, height, contentType, fileSize }: Row): RenditionEntry {
  if (state !== "made") return { state };
  if (key === null || width === null || height === null || contentType === null || fileSize === null)
    throw new Error("A rendition that is made has an object.");
  return { state, rendition: { key, width, height, contentType, fileSize } };
}
