import { asc, eq } from "drizzle-orm";
import type { ModerationLog } from "../src/media/lifecycle-ports.js";
import type { Scope } from "./scope.js";

export function createModerationLog({ db, schema: { moderationEvents } }: Scope): ModerationLog {
  return {
    async add({ from, to, ...event }) {
      await db.insert(moderationEvents).values({ ...event, fromStatus: from, toStatus: to });
    },

    async history(mediaId) {
      const rows = await db
        .select()
        .from(moderationEvents)
        .where(eq(moderationEvents.mediaId, mediaId))
        .orderBy(asc(moderationEvents.id));
      return rows.map(({ fromStatus, toStatus, ...event }) => ({ ...event, from: fromStatus, to: toStatus }));
    },
  };
}
