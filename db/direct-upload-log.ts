import { and, asc, count, eq, gt, inArray, lt } from "drizzle-orm";
import type { DirectUpload, DirectUploadLog } from "../src/media/direct-ports.js";
import type { Scope } from "./scope.js";

/** Every change of state is one guarded write: of an upload, its other try and a sweeper that meet, exactly one wins. */
export function createDirectUploadLog({ db, schema: { directUploads }, dialect }: Scope): DirectUploadLog {
  const isOpen = (id: string) => and(eq(directUploads.id, id), inArray(directUploads.state, ["waiting", "processing"]));
  const change = async (where: ReturnType<typeof and>, set: Partial<DirectUpload>): Promise<boolean> =>
    dialect.affected(await db.update(directUploads).set(set).where(where)) === 1;
  const isIn = (id: string, state: DirectUpload["state"]) =>
    and(eq(directUploads.id, id), eq(directUploads.state, state));
  const isOver = (isCleared: boolean, before: Date) =>
    and(eq(directUploads.isCleared, isCleared), lt(directUploads.expiresAt, before));

  return {
    async open(ticket) {
      await db.insert(directUploads).values({ ...ticket, state: "waiting", isCleared: false });
    },

    async find(id) {
      const [row] = await db.select().from(directUploads).where(eq(directUploads.id, id));
      return row && toTicket(row);
    },

    async countOpen(principal, now) {
      const isOfPrincipal = and(
        eq(directUploads.principal, principal),
        inArray(directUploads.state, ["waiting", "processing"]),
        gt(directUploads.expiresAt, now),
      );
      const [counted] = await db.select({ tickets: count() }).from(directUploads).where(isOfPrincipal);
      return counted?.tickets ?? 0;
    },

    begin: (id) => change(isIn(id, "waiting"), { state: "processing" }),

    async giveBack(id) {
      await change(isIn(id, "processing"), { state: "waiting" });
    },

    finish: (id, outcome) => change(isOpen(id), { state: "ready", outcome }),

    fail: (id, failure) => change(isOpen(id), { state: "failed", failure }),

    async holds({ key, storageType }) {
      const { objectKey, isCleared } = directUploads;
      const isObject = and(eq(objectKey, key), eq(directUploads.storageType, storageType), eq(isCleared, false));
      const [row] = await db.select({ objectKey }).from(directUploads).where(isObject);
      return row?.objectKey === key; // compared once more, because MySQL ignores trailing spaces
    },

    async uncleared({ expiredBefore, limit }) {
      const oldest = db.select().from(directUploads).where(isOver(false, expiredBefore));
      const rows = await oldest.orderBy(asc(directUploads.expiresAt), asc(directUploads.id)).limit(limit);
      return rows.map(toTicket);
    },

    async clear(id) {
      await db.update(directUploads).set({ isCleared: true }).where(eq(directUploads.id, id));
    },

    async forget(expiredBefore) {
      return dialect.affected(await db.delete(directUploads).where(isOver(true, expiredBefore)));
    },
  };
}

const toTicket = ({ isCleared, ...ticket }: DirectUpload & { isCleared: boolean }): DirectUpload => ticket;
