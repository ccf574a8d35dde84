import type { Sessions } from "./accounts/ports.js";
import type { Config } from "./config.js";
import { measureBacklog } from "./media/backlog.js";
import { sweepDirectUploads } from "./media/direct-sweep.js";
import { followFocalPoints } from "./media/follow-focal-points.js";
import { promoteFallback } from "./media/move-objects.js";
import { removeDueObjects } from "./media/object-deletions.js";
import type { Deps } from "./media/ports.js";
import { purgeExpired } from "./media/purge.js";
import { reconcile } from "./media/reconcile.js";
import { sweepAbandonedUploads } from "./media/sweep.js";
import { fillWordIndex } from "./media/word-index.js";
import { isInstanceAlive, type Resources } from "./open-resources.js";
import { selfTest } from "./storage/self-test.js";

const HEARTBEAT_MS = 30_000;
const SWEEP_MS = 60_000;

/** What puts leave unfinished belongs to nobody after this: the longest put is far shorter. */
const UNFINISHED_AGE_MS = 24 * 60 * 60_000;

type UpkeepParts = {
  config: Config;
  deps: Deps;
  sessions: Sessions;
  resources: Pick<Resources, "opened" | "spool">;
};

/** What a process looks after beside its requests. Each job fails for itself and is tried again at its next time. */
export function createUpkeep({ config, deps, sessions, resources: { opened, spool } }: UpkeepParts) {
  const stopping = new AbortController();
  const timers: NodeJS.Timeout[] = [];
  const job = createJobs(deps.log, stopping.signal);
  const beat = job("the heartbeat", () => opened.heartbeat(deps.clock.now()));
  const sweeps = [
    job("clearing abandoned uploads", () => sweepAbandonedUploads(deps)),
    job("clearing the spool of dead processes", () => spool.sweepDead(isInstanceAlive)),
    job("clearing unfinished puts", () => sweepUnfinished(deps)),
    job("clearing expired sessions", () => sessions.sweep()),
    job("ending direct uploads nobody completed", () => sweepDirectUploads(deps)),
    // Works off the outbox, too: what the jobs above promised to it goes in the same round.
    job("the purge", () => purgeExpired(deps, deps.retention)),
    job("measuring the backlog", () => measureBacklog(deps)),
  ];
  const sweep = async () => {
    for (const clear of sweeps) if (!stopping.signal.aborted) await clear();
  };
  const sync = job("comparing rows and objects", () =>
    compareWhenDue(deps, config.SYNC_INTERVAL_MINUTES * 60_000, stopping.signal),
  );
  const promote = job("moving objects out of the fallback store", () => promoteFallback(deps, stopping.signal));
  const follow = job("making crops around new focal points", () => followFocalPoints(deps, stopping.signal));
  const index = job("indexing the words of older items", createIndexing(deps, stopping.signal));
  const test = job("the self-test of the object store", () => testBuckets(deps));
  const every = (milliseconds: number, work: () => Promise<unknown>) =>
    timers.push(setInterval(() => void work(), milliseconds).unref());
  return {
    async start() {
      every(HEARTBEAT_MS, beat);
      every(SWEEP_MS, sweep);
      every(SWEEP_MS, promote);
      every(SWEEP_MS, index);
      every(SWEEP_MS, follow);
      if (config.SYNC_INTERVAL_MINUTES > 0) every(SWEEP_MS, sync);
      // The first says what is wrong and changes nothing, the others may take long: nobody waits for them.
      void test();
      void promote();
      void index();
      void follow();
      await sweep();
    },
    /** Resolves when nothing of it runs any more. */
    async stop() {
      stopping.abort();
      timers.forEach(clearInterval);
      await job.settled();
    },
  };
}

/** Makes jobs that run one at a time each: who comes while one runs waits for that run. */
function createJobs(log: Deps["log"], stopping: AbortSignal) {
  const running = new Map<string, Promise<void>>();
  const job = (what: string, work: () => Promise<unknown>) => (): Promise<void> => {
    const settle = async () => {
      try {
        await work();
      } catch (error) {
        if (!stopping.aborted) log.error({ err: error }, `${what} failed; it will be tried again`);
      } finally {
        running.delete(what);
      }
    };
    const run = running.get(what) ?? settle();
    if (!running.has(what)) running.set(what, run);
    return run;
  };
  return Object.assign(job, { settled: () => Promise.all(running.values()) });
}

/**
 * Once through all items, then from where it came to: a process of an earlier version may still be storing items. Where
 * a run failed the next begins where that one began, and only reads what is done.
 */
function createIndexing(deps: Deps, signal: AbortSignal) {
  let afterId = 0;
  return async () => {
    afterId = await fillWordIndex(deps, { afterId, signal });
  };
}

/** A folder is there and does what folders do; a bucket may be missing, closed, or not quite what it claims to be. */
async function testBuckets({ objects, log }: Deps): Promise<void> {
  for (const store of objects.all) if (store.bucketName !== null) await selfTest(store, { log });
}

/** In every store for itself: one that is down does not hold up the others, and says why by its own log line. */
async function sweepUnfinished({ objects, clock, metrics, log }: Deps): Promise<void> {
  const olderThan = new Date(clock.now().getTime() - UNFINISHED_AGE_MS);
  for (const store of objects.all) {
    try {
      const swept = await store.sweepUnfinished(olderThan);
      metrics.retired("unfinished_put", swept);
      if (swept > 0) log.info({ store: store.type, swept }, "cleared unfinished puts");
    } catch (error) {
      log.warn({ err: error, store: store.type }, "unfinished puts could not be cleared yet");
    }
  }
}

/** By the end of the last run, whichever process made it, so that restarts neither hurry nor forget it. */
async function compareWhenDue(deps: Deps, intervalMs: number, signal: AbortSignal): Promise<void> {
  const last = await deps.database.sync.lastFinished();
  if (last?.finishedAt && deps.clock.now().getTime() - last.finishedAt.getTime() < intervalMs) return;
  await reconcile(deps, deps.syncPatience, { isDry: false, signal });
  await removeDueObjects(deps);
}
