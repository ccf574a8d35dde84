import { setTimeout as sleep } from "node:timers/promises";

export type RetryOptions = {
  /** Whether the same work may succeed after this error. */
  after: (error: unknown) => boolean;
  attempts: number;
  /** Length of the mean pause; each lasts half to one and a half of it, so that two that collided spread. */
  pauseMs: number;
  /** 0 ≤ n < 1. */
  random?: () => number;
};

/** Runs the work again after some errors. Throws the last one. */
export async function retrying<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { after, attempts, pauseMs, random = Math.random } = options;
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt >= attempts || !after(error)) throw error;
      await sleep(pauseMs * (0.5 + random()));
    }
  }
}
