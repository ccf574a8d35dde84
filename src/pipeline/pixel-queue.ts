/** Who waits: an upload, or whoever can be answered otherwise meanwhile: a visitor, variants that are made anew. */
export const PRIORITIES = ["upload", "demand"] as const;
export type Priority = (typeof PRIORITIES)[number];

export type PixelJob = {
  /** Pixels it holds decoded at once, as `held-pixels.ts` knows them; 0 for what decodes none, as reading a header. */
  cost: number;
  priority: Priority;
};

export type PixelQueueOptions = {
  /** The most pixels under work at once. A job that costs more runs alone. */
  budget: number;
  /** How many of each priority may wait. Jobs that cost nothing are counted with their priority too. */
  limits: Readonly<Record<Priority, number>>;
};

export type PixelQueue<T extends PixelJob> = {
  /** False where as many of its priority wait as may; `isIdle`: somebody could begin it at once, if it fits. */
  add(job: T, isIdle: boolean): boolean;
  /** The job to begin now, or undefined where none waits or none fits; whoever takes it owes `finish`. */
  take(): T | undefined;
  /** Gives the pixels of a job back. */
  finish(job: T): void;
  /** Empties the queue and answers what waited. */
  drain(): T[];
};

/** So often a waiting job lets others go first; then nothing begins before it, whatever its cost and priority. */
export const MAX_OVERTAKEN = 8;

type Waiting<T> = { job: T; overtaken: number };

/**
 * Decides which picture is next. Pure: no processes, no clock. First whoever was overtaken as often as may be; then
 * what costs nothing, since a header is read in milliseconds; then uploads before demand, the older first. A job that
 * does not fit into the budget is passed over for later ones that do: cheap pictures need not wait for dear ones, and
 * `MAX_OVERTAKEN` keeps dear ones from waiting for ever.
 */
export function createPixelQueue<T extends PixelJob>({ budget, limits }: PixelQueueOptions): PixelQueue<T> {
  const waiting: Waiting<T>[] = [];
  let pixelsAtWork = 0;

  const fits = ({ cost }: PixelJob): boolean => cost === 0 || pixelsAtWork === 0 || pixelsAtWork + cost <= budget;

  function next(): Waiting<T> | undefined {
    const patient = waiting.find(({ overtaken }) => overtaken >= MAX_OVERTAKEN);
    if (patient) return fits(patient.job) ? patient : freeOfCharge();
    return freeOfCharge() ?? PRIORITIES.map(oldestThatFits).find((found) => found !== undefined);
  }

  /** Even before who waited longest: it takes no pixels from anybody, and is not counted as overtaking. */
  const freeOfCharge = () => waiting.find(({ job }) => job.cost === 0);

  const oldestThatFits = (priority: Priority) => waiting.find(({ job }) => job.priority === priority && fits(job));

  return {
    add(job, isIdle) {
      const alike = waiting.filter((other) => other.job.priority === job.priority);
      const beginsNow = isIdle && waiting.length === 0 && fits(job);
      if (!beginsNow && alike.length >= limits[job.priority]) return false;
      waiting.push({ job, overtaken: 0 });
      return true;
    },
    take() {
      const chosen = next();
      if (!chosen) return undefined;
      const at = waiting.indexOf(chosen);
      if (chosen.job.cost > 0) for (const passed of waiting.slice(0, at)) passed.overtaken++;
      waiting.splice(at, 1);
      pixelsAtWork += chosen.job.cost;
      return chosen.job;
    },
    finish: ({ cost }) => {
      pixelsAtWork -= cost;
    },
    drain: () => waiting.splice(0).map(({ job }) => job),
  };
}
