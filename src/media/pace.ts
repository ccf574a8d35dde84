import type { Deps } from "./ports.js";

export type Pace = (units?: number) => Promise<void>;

/** Lets at most `perSecond` units through in a second, evenly, over all its callers; 0 or none: as many as come. */
export function createPace({ clock }: Pick<Deps, "clock">, perSecond = 0): Pace {
  if (perSecond <= 0) return () => Promise.resolve();
  let free = 0;
  return async (units = 1) => {
    const now = clock.now().getTime();
    const turn = Math.max(free, now);
    free = turn + (units * 1000) / perSecond;
    if (turn > now) await clock.pause(turn - now);
  };
}
