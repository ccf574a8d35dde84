import type { Logger, Metrics } from "../media/ports.js";

/** For runtimes nobody can ask for counters: what the lines of requests do not say already is a line of its own. */
export function createLoggedMetrics(log: Logger): Metrics {
  const nothing = () => undefined;
  return {
    requestFinished: nothing,
    uploadFinished: nothing,
    renditionFinished: nothing,
    storageAnswered: ({ outcome, ...request }) => {
      if (outcome === "failed") log.warn(request, "the object store did not answer");
    },
    storageAvailable: (store, isAvailable) => log.info({ store, isAvailable }, "requests to the object store"),
    rateLimitsShared: (isShared) => log.info({ isShared }, "counting calls together with other servers"),
    retired: (what, count) => {
      if (count > 0) log.info({ what, count }, "retired");
    },
    backlog: (backlog) => log.info(backlog, "backlog"),
    storageCompared: (at) => log.info({ at: at.toISOString() }, "rows and objects were compared"),
  };
}
