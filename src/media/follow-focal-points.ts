import { type RenderDeps, renderAnew } from "./render-anew.js";
import type { RenderedItem } from "./rendering-ports.js";
import { runAlone } from "./run-alone.js";

const PAGE = 20;

/**
 * Makes the crops of items anew whose focal point changed, and of no others: what an upgrade made stale waits for
 * somebody to say so. Answers how many were made; null where another process is at it.
 */
export const followFocalPoints = (deps: RenderDeps, signal: AbortSignal): Promise<number | null> =>
  runAlone(deps, "focal-points", async () => {
    let made = 0;
    for (;;) {
      const before = made;
      for (const item of await deps.database.media.unfocused(PAGE)) {
        if (signal.aborted) return made;
        const followed = await follow(deps, item);
        if (followed === "later") return made;
        if (followed === "made") made++;
      }
      if (made === before) return made;
    }
  });

/** Where the file itself is at fault it is left to whoever makes stale items anew, not tried again every minute. */
async function follow(deps: RenderDeps, { id, publicId, renderedAs }: RenderedItem): Promise<"made" | "left" | "later"> {
  const result = await renderAnew(deps, id, { extent: "crops" });
  if (result.outcome === "made") return "made";
  if (result.outcome === "gone") return "left";
  const { reason, mayPass, cause } = result;
  deps.log.warn({ media: publicId, reason, err: cause }, "crops could not be made around a focal point");
  if (mayPass) return "later";
  await deps.database.media.noteRendering(id, { from: renderedAs, to: null });
  return "left";
}
