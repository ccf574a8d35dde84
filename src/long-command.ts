import { Presets, SingleBar } from "cli-progress";
import type { Config } from "./config.js";
import { openResources, type Resources } from "./open-resources.js";

/** A process without a heartbeat for two minutes counts as dead. */
const HEARTBEAT_MS = 30_000;

export type LongRun = {
  resources: Resources;
  /** Aborted by SIGINT and SIGTERM: end after the items under way. */
  signal: AbortSignal;
  /** Shows how far the work is while it runs; `onProgress` is told how many of `total` items are done. */
  withProgress<T>(total: number, work: (onProgress: (done: number) => void) => Promise<T>): Promise<T>;
};

/** Runs a command that takes its time over many items, as a living process among the servers. */
export async function runLong<T>(config: Config, work: (run: LongRun) => Promise<T>): Promise<T> {
  const resources = await openResources(config);
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  const beat = setInterval(() => {
    resources.opened.heartbeat(new Date()).catch((err: unknown) => resources.log.warn({ err }, "the heartbeat failed"));
  }, HEARTBEAT_MS);
  try {
    return await work({ resources, signal: stopping.signal, withProgress });
  } finally {
    clearInterval(beat);
    await resources.close();
  }
}

const BAR = "{bar} {percentage} % | {value} of {total} items | {eta_formatted} left";

async function withProgress<T>(total: number, work: (onProgress: (done: number) => void) => Promise<T>): Promise<T> {
  const bar = new SingleBar({ format: BAR, noTTYOutput: true, notTTYSchedule: 10_000 }, Presets.shades_classic);
  bar.start(total, 0);
  try {
    return await work((done) => bar.update(Math.min(done, total)));
  } finally {
    bar.stop();
  }
}
