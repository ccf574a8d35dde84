import { inArray } from "drizzle-orm";
import type { MediaRepository } from "../src/media/ports.js";
import { backlogs } from "./media-backlogs.js";
import { galleries } from "./media-galleries.js";
import { withVariants } from "./media-items.js";
import { objectKeys } from "./media-keys.js";
import { lookAlikes } from "./media-look-alikes.js";
import { renderings } from "./media-renderings.js";
import { searching } from "./media-search.js";
import { writers } from "./media-writers.js";
import { chooseByRef, matchesRef } from "./refs.js";
import type { Scope } from "./scope.js";

export const createMediaRepository = (scope: Scope): MediaRepository => ({
  ...finders(scope),
  ...searching(scope),
  ...objectKeys(scope),
  ...galleries(scope),
  ...lookAlikes(scope),
  ...backlogs(scope),
  ...renderings(scope),
  ...writers(scope),
});

function finders(scope: Scope): Pick<MediaRepository, "find" | "findMany"> {
  const { db, schema } = scope;
  const { media } = schema;
  return {
    async find(ref) {
      const rows = await db.select().from(media).where(matchesRef(media, ref));
      const row = chooseByRef(rows, ref);
      return row && (await withVariants(scope, [row]))[0];
    },

    async findMany(ids) {
      if (ids.length === 0) return [];
      const rows = await db
        .select()
        .from(media)
        .where(inArray(media.id, [...ids]));
      const items = new Map((await withVariants(scope, rows)).map((item) => [item.id, item]));
      return ids.flatMap((id) => items.get(id) ?? []);
    },
  };
}
