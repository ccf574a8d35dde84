import { abortedBy, MediaClientError, type MediaProblem } from "./failures.js";

/** A try that failed and is followed by another. */
export type RetryNotice = {
  /** Tries so far, the failed one included. */
  tries: number;
  /** How long the next one waits. */
  delayMs: number;
  error: MediaClientError;
};

export type RetryPolicy = {
  /** Tries after the first; 0 for none. */
  retries: number;
  signal: AbortSignal | undefined;
  onRetry: ((notice: RetryNotice) => void) | undefined;
};

/** `random`: from 0 up to 1. `pause` rejects with ABORTED as soon as the signal says so. */
export type RetryDeps = {
  random(): number;
  pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void>;
};

/**
 * What the same upload may be spared a second time. CONFLICT is among them because an upload meets it in two cases
 * alone: the first request with its key is still running, or it was given up half-way.
 */
const PASSING_CODES: readonly MediaProblem["code"][] = [
  "NO_ANSWER",
  "REQUEST_TIMEOUT",
  "CONFLICT",
  "RATE_LIMITED",
  "PROCESSING_FAILED",
  "INTERNAL",
  "STORAGE_UNAVAILABLE",
  "DATABASE_UNAVAILABLE",
  "OVERLOADED",
];
/** What proxies say of a server that is slow, full or being restarted. */
const PASSING_STATUSES: readonly (number | null)[] = [408, 429, 502, 503, 504];

/** The failure may pass: the same upload may succeed later. */
export const isPassing = ({ code, status }: Pick<MediaProblem, "code" | "status">): boolean =>
  PASSING_CODES.includes(code) || (code === "UNREADABLE_ANSWER" && PASSING_STATUSES.includes(status));

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 20_000;
/** Whoever is asked to stay away longer is told so instead: no upload hangs for an hour. */
const LONGEST_RETRY_AFTER_SECONDS = 60;

/**
 * Milliseconds until the next try; null where none is worth it. Doubles from half a second on, of which a random half
 * is left out; never sooner than the server asked for, and then a little later, so that clients do not come all at once.
 */
export function delayAfter(error: unknown, tries: number, random: () => number): number | null {
  if (!(error instanceof MediaClientError) || !isPassing(error.problem)) return null;
  const asked = error.problem.retryAfterSeconds ?? 0;
  if (asked > LONGEST_RETRY_AFTER_SECONDS) return null;
  const share = random();
  const backoff = Math.min(FIRST_DELAY_MS * 2 ** (tries - 1), LONGEST_DELAY_MS) * (1 - share / 2);
  return Math.round(Math.max(backoff, asked === 0 ? 0 : asked * 1000 + share * FIRST_DELAY_MS));
}

/** Tries until it succeeds, the failure will not pass, the tries are used up, or the signal ends the waiting. */
export async function withRetries<T>(
  tryOnce: () => Promise<T>,
  { retries, signal, onRetry }: RetryPolicy,
  { random, pause }: RetryDeps,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await tryOnce();
    } catch (error) {
      const delayMs = tries > retries ? null : delayAfter(error, tries, random);
      if (delayMs === null) throw error;
      onRetry?.({ tries, delayMs, error: error as MediaClientError });
      await pause(delayMs, signal);
    }
  }
}

/** Waits on the real clock; see `RetryDeps`. */
export function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(abortedBy(signal?.reason));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, milliseconds);
    if (signal?.aborted) abort();
    else signal?.addEventListener("abort", abort, { once: true });
  });
}
