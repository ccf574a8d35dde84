import { setTimeout as sleep } from "node:timers/promises";

export type RetryOptions = {
  /** Whether the same work may succeed after this error. */
  after: (error: unknown) => boolean;
  attempts: number;
  /** No attempt begins later than this after the first. */
  withinMs?: number;
  /** Length of the first mean pause; each lasts half to one and a half of it, so that two that collided spread. */
  pauseMs: number;
  /** Each mean pause is so many times the one before. */
  growth?: number;
  /** 0 ≤ n < 1. */
  random?: () => number;
};

/** Runs the work again after some errors. Throws the last one. */
export async function retrying<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { after, attempts, withinMs = Number.POSITIVE_INFINITY, pauseMs, growth = 1, random = Math.random } = options;
  const began = performance.now();
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt >= attempts || !after(error)) throw error;
      const pause = pauseMs * growth ** (attempt - 1) * (0.5 + random());
      if (performance.now() - began + pause > withinMs) throw error;
      await sleep(pause);
    }
  }
}
