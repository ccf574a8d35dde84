import { z } from "zod";
import { requireOverseer } from "./access.js";
import type { Actor } from "./actor.js";
import { decodeCursor, encodeCursor } from "./cursor.js";
import type { ServiceDeps } from "./ports.js";
import { RENDERING } from "./rendering.js";
import type { MediaRenderings, PictureFilter, RenderedItem } from "./rendering-ports.js";

export type StaleVariants = {
  /** What this process makes variants by. */
  rendering: string;
  /** All items whose variants were made by anything else; not those in the trash. */
  stale: number;
  items: RenderedItem[];
  nextCursor: string | null;
};

type Page = { limit: number; cursor?: string | undefined };

/** A word may be unknown, which is none: no item has an empty one. */
const UNKNOWN = "";
const placeSchema = z.tuple([z.string().max(32), z.number().int().min(0)]);

/** What pictures were made by that is not what this process makes them by. */
export const staleRenderings = async (media: Pick<MediaRenderings, "renderings">): Promise<(string | null)[]> =>
  (await media.renderings()).filter((word) => word !== RENDERING);

/** How many pictures there are whose variants were made by anything else. */
export async function countStale(
  media: Pick<MediaRenderings, "renderings" | "countRendered">,
  filter: PictureFilter = {},
): Promise<number> {
  let stale = 0;
  // One after the other: each is a range of the index, for all at once either database would read the whole of it.
  for (const renderedAs of await staleRenderings(media)) stale += await media.countRendered({ ...filter, renderedAs });
  return stale;
}

/** Items whose variants `reprocess` would make anew, and how many there are. Throws VALIDATION for a foreign cursor. */
export async function staleVariants(
  { database: { media } }: Pick<ServiceDeps, "database">,
  actor: Actor,
  { limit, cursor }: Page,
): Promise<StaleVariants> {
  requireOverseer(actor);
  const [from, startId] = cursor === undefined ? [UNKNOWN, 0] : decodeCursor(cursor, placeSchema);
  const words = (await staleRenderings(media)).filter((word) => (word ?? UNKNOWN) >= from);
  const items: RenderedItem[] = [];
  for (const renderedAs of words) {
    const afterId = (renderedAs ?? UNKNOWN) === from ? startId : 0;
    items.push(...(await media.rendered({ renderedAs, afterId, limit: limit + 1 - items.length })));
    if (items.length > limit) break;
  }
  const page = items.slice(0, limit).map(({ id, publicId, renderedAs }) => ({ id, publicId, renderedAs }));
  const last = page.at(-1);
  return {
    rendering: RENDERING,
    stale: await countStale(media),
    items: page,
    nextCursor: items.length > limit && last ? encodeCursor([last.renderedAs ?? UNKNOWN, last.id]) : null,
  };
}
