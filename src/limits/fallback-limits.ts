import { CircuitState, ConsecutiveBreaker, circuitBreaker, handleAll } from "cockatiel";
import type { RateLimits } from "../accounts/rate-limits.js";

export type FallbackOptions = {
  shared: RateLimits;
  /** Counts while the shared ones don't answer. */
  local: RateLimits;
  /** Told when the shared ones are left alone, with what went wrong last, and with null when they are asked again. */
  onChange(failure: Error | null): void;
  /** Told of each trial that failed, the first one included. */
  onFailedTrial(): void;
  /** How long an answer may take: a call must not notice it. */
  waitMs?: number;
  /** Failures in a row after which the shared ones are left alone. */
  failuresToOpen?: number;
  /** How long they are left alone before a call tries them again. */
  pauseMs?: number;
};

/** Shared limits while they answer, local ones while they don't. Never rejects, and never waits for long. */
export function createFallbackLimits(options: FallbackOptions): RateLimits {
  const { shared, local, waitMs = 250, failuresToOpen = 3, pauseMs = 500 } = options;
  const breaker = circuitBreaker(handleAll, {
    breaker: new ConsecutiveBreaker(failuresToOpen),
    halfOpenAfter: pauseMs,
  });
  let isShared = true;
  breaker.onBreak((reason) => {
    if (isShared) options.onChange("error" in reason ? reason.error : new Error("no answer"));
    isShared = false;
    options.onFailedTrial();
  });
  breaker.onReset(() => {
    isShared = true;
    options.onChange(null);
  });
  async function either<T>(there: () => Promise<T>, here: () => Promise<T>): Promise<T> {
    // While one call tries, the others need not wait for what becomes of it.
    if (breaker.state === CircuitState.HalfOpen) return here();
    try {
      return await breaker.execute(() => within(waitMs, there()));
    } catch {
      return here(); // the breaker has counted the failure, and says when it becomes an outage
    }
  }
  return (rule) => {
    const [there, here] = [shared(rule), local(rule)];
    return {
      take: (caller) =>
        either(
          () => there.take(caller),
          () => here.take(caller),
        ),
      giveBack: (caller) =>
        either(
          () => there.giveBack(caller),
          () => here.giveBack(caller),
        ),
    };
  };
}

/** Rejects where there is no answer in time. One that came while this process was busy itself still counts. */
async function within<T>(milliseconds: number, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const giveUp = () => reject(new Error(`no answer within ${milliseconds} ms`));
    timer = setTimeout(() => setImmediate(giveUp), milliseconds);
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}
