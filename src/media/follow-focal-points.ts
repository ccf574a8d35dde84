import { type RenderDeps, renderAnew } from "./render-anew.js";
import { UNFOCUSED } from "./rendering.js";
import type { RenderedItem } from "./rendering-ports.js";
import { runAlone } from "./run-alone.js";

const PAGE = 20;

/**
 * Makes the crops of items anew whose focal point changed, and of no others: what an upgrade made stale waits for
 * somebody to say so. Answers how many were made; null where another process is at it.
 */
export const followFocalPoints = (deps: RenderDeps, signal: AbortSignal): Promise<number | null> =>
  runAlone(deps, "focal-points", async () => {
    for (let made = 0; ; ) {
      const some = await followSome(deps, signal);
      made += some.made;
      if (some.isOver) return made;
    }
  });

async function followSome(deps: RenderDeps, signal: AbortSignal): Promise<{ made: number; isOver: boolean }> {
  let made = 0;
  for (const item of await unfocused(deps)) {
    const followed = signal.aborted ? "later" : await follow(deps, item);
    if (followed === "later") return { made, isOver: true };
    if (followed === "made") made++;
  }
  return { made, isOver: made === 0 };
}

/** Some that wait; those in the trash wait until they are restored. */
async function unfocused({ database: { media } }: RenderDeps): Promise<RenderedItem[]> {
  const words = (await media.renderings()).filter((word) => word?.startsWith(UNFOCUSED));
  const pages = words.map((renderedAs) => media.rendered({ renderedAs, afterId: 0, limit: PAGE }));
  return (await Promise.all(pages)).flat();
}

/** Where the file itself is at fault it is left to whoever makes stale items anew, not tried again every minute. */
async function follow(
  deps: RenderDeps,
  { id, publicId, renderedAs }: RenderedItem,
): Promise<"made" | "left" | "later"> {
  const result = await renderAnew(deps, id, { extent: "crops" });
  if (result.outcome === "made") return "made";
  if (result.outcome === "gone") return "left";
  const { reason, mayPass, cause } = result;
  deps.log.warn({ media: publicId, reason, err: cause }, "crops could not be made around a focal point");
  if (mayPass) return "later";
  await deps.database.media.noteRendering(id, { from: renderedAs, to: null });
  return "left";
}
