import { createItemWalk, type WalkOptions } from "./item-walk.js";
import type { MediaRepository } from "./ports.js";
import { type RenderDeps, renderAnew } from "./render-anew.js";
import type { PictureFilter, RenderedItem } from "./rendering-ports.js";
import { countStale, staleRenderings } from "./stale-variants.js";

/** Which items: named ones, or by facts, either all of them or those whose variants are not of this table. */
export type Selection =
  | { ids: readonly number[] }
  | ({ which: "stale" | "all" /** Only items with a greater id. */; afterId?: number } & PictureFilter);

/** What a walk came to, in items. */
export type Reprocessed = {
  made: number;
  gone: number;
  failed: { publicId: string; reason: string }[];
  /** Whose originals tell where they were taken, although positions are not kept here. They were left as they are. */
  withPosition: string[];
  /** False where it ended early: it was told to stop, or a store did not answer about one item after another. */
  isComplete: boolean;
  /** The last page was begun behind this id: where to go on with all items. */
  afterId: number;
};

const PAGE = 100;

type Renderings = Pick<MediaRepository, "renderings" | "rendered" | "countRendered" | "findMany">;

/** How many items there are to do; those somebody is at are counted too. */
export async function countSelected(media: Renderings, selection: Selection): Promise<number> {
  if ("ids" in selection) return selection.ids.length;
  const { which, afterId: _, ...filter } = selection;
  return which === "stale" ? countStale(media, filter) : media.countRendered(filter);
}

/** The items page by page, by id; stale ones by what they were made by first. */
export async function* selectedPages(media: Renderings, selection: Selection): AsyncGenerator<RenderedItem[]> {
  if ("ids" in selection) {
    yield await media.findMany(selection.ids);
    return;
  }
  const { which, afterId: start = 0, ...filter } = selection;
  const words = which === "all" ? [undefined] : await staleRenderings(media);
  for (const renderedAs of words)
    for (let afterId = start; ; ) {
      const page = await media.rendered({ ...filter, renderedAs, afterId, limit: PAGE });
      const last = page.at(-1);
      if (last) yield page;
      if (!last || page.length < PAGE) break;
      afterId = last.id;
    }
}

/** Told how many items are done, in whatever way, after each. */
export type ReprocessOptions = WalkOptions & { selection: Selection; onProgress?: (done: number) => void };

/**
 * Makes the variants of many items anew. Stale ones need no memory to go on after a stop: what is made is not stale any
 * more. Items that cannot be made anew are skipped and reported. Rejects where the database does.
 */
export async function reprocess(deps: RenderDeps, options: ReprocessOptions): Promise<Reprocessed> {
  const { selection, onProgress } = options;
  const total: Reprocessed = { made: 0, gone: 0, failed: [], withPosition: [], isComplete: true, afterId: 0 };
  const onlyStale = "which" in selection && selection.which === "stale";
  const walk = createItemWalk(deps, options, async ({ id, publicId }: RenderedItem) => {
    const result = await renderAnew(deps, id, { extent: "everything", onlyStale });
    if (result.outcome === "failed") {
      const { reason, cause } = result;
      total.failed.push({ publicId, reason });
      deps.log.warn({ media: publicId, reason, err: cause }, "the variants of an item could not be made anew");
    } else total[result.outcome]++;
    if (result.outcome === "made" && result.hasPosition) total.withPosition.push(publicId);
    onProgress?.(total.made + total.gone + total.failed.length);
    return { isOutage: result.outcome === "failed" && result.isOutage };
  });
  for await (const page of selectedPages(deps.database.media, selection)) {
    total.afterId = (page[0]?.id ?? 1) - 1;
    await walk.over(page);
    if (walk.isOver()) break;
  }
  total.isComplete = !walk.isOver();
  const { made, gone, failed, isComplete } = total;
  deps.log.info({ made, gone, failed: failed.length, isComplete }, "made variants anew");
  return total;
}
