import type { SyncRun } from "./lifecycle-ports.js";
import type { SyncPatience } from "./limits.js";
import type { Pace } from "./pace.js";
import type { ServiceDeps } from "./ports.js";

export type ReconcileDeps = Pick<ServiceDeps, "database" | "objects" | "clock" | "log" | "metrics">;

/** What a run did, or in a dry run would do. Keys and ids, in the order they were found. */
export type SyncActions = {
  marked: number[];
  unmarked: number[];
  quarantined: string[];
  removed: string[];
};

export type ReconcileOptions = {
  isDry: boolean;
  /** Ends the run soon, with its place kept; it then rejects with the signal's reason. */
  signal?: AbortSignal;
};

/** One comparison of rows and objects under way. `pace` is waited for before the store is asked about objects. */
export type SyncJob = {
  deps: ReconcileDeps;
  patience: SyncPatience;
  pace: Pace;
  run: SyncRun;
  actions: SyncActions;
} & ReconcileOptions;

/** Keeps the place of the run. Here it ends where it was told to stop. */
export async function keepPlace({ deps, run, isDry, signal }: SyncJob): Promise<void> {
  if (!isDry) await deps.database.sync.save(run);
  signal?.throwIfAborted();
}

const PAGE = 200;

/** A counter of steps that keeps the place after every page of them, and at once where the run is to stop. */
export function stepsOf(job: SyncJob): () => Promise<void> {
  let steps = 0;
  return async () => {
    if (++steps % PAGE === 0 || job.signal?.aborted) await keepPlace(job);
  };
}

const MINUTE_MS = 60_000;

export const before = (now: Date, minutes: number): Date => new Date(now.getTime() - minutes * MINUTE_MS);
