import {
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhen,
  isBrokenCircuitError,
} from "cockatiel";
import { type Logger, type ObjectStorage, type StorageOperation, StorageUnavailableError } from "../media/ports.js";

export type StorageRequest = { operation: StorageOperation; outcome: "ok" | "failed"; seconds: number };

export type GuardOptions = {
  log: Logger;
  /** Told of every request that was sent; `failed` where the store did not answer. */
  observe?: (request: StorageRequest) => void;
  /** Told when requests begin to be held back, and when they are let through again. */
  onAvailability?: (isAvailable: boolean) => void;
  /** Failures in a row after which requests are held back. */
  failuresToOpen?: number;
  /** How long they are held back before the store is asked whether it answers again. */
  pauseMs?: number;
};

/** Lets requests through to a store while it answers. */
export type AvailabilityGuard = {
  /** Whether requests are held back. */
  isOpen(): boolean;
  /** Counts the work as one request to the store; rejects at once with `StorageUnavailableError` while it is open. */
  admit<T>(work: () => Promise<T>): Promise<T>;
  /** Reports how long a request took and whether it was answered. */
  observed<T>(operation: StorageOperation, request: () => Promise<T>): Promise<T>;
  /** Both. */
  run<T>(operation: StorageOperation, request: () => Promise<T>): Promise<T>;
};

/** Looked for to see whether the store answers; it need not be there. */
const PROBE_KEY = "self-test/availability";

export function createAvailabilityGuard(storage: ObjectStorage, options: GuardOptions): AvailabilityGuard {
  const { failuresToOpen = 8, pauseMs = 5_000, observe = () => undefined } = options;
  const breaker = circuitBreaker(handleWhen(isUnavailable), {
    breaker: new ConsecutiveBreaker(failuresToOpen),
    halfOpenAfter: pauseMs,
  });
  reportChanges(breaker, storage, options);

  async function observed<T>(operation: StorageOperation, request: () => Promise<T>): Promise<T> {
    const started = performance.now();
    let outcome: StorageRequest["outcome"] = "ok";
    try {
      return await request();
    } catch (error) {
      if (isUnavailable(error)) outcome = "failed";
      throw error;
    } finally {
      observe({ operation, outcome, seconds: (performance.now() - started) / 1000 });
    }
  }

  async function admit<T>(work: () => Promise<T>): Promise<T> {
    if (breaker.state === CircuitState.HalfOpen) throw heldBack(storage);
    try {
      // A look is a quicker trial than the work itself, which may be the put of a large file.
      if (breaker.state === CircuitState.Open)
        await breaker.execute(() => observed("head", () => assertAnswers(storage)));
      return await breaker.execute(work);
    } catch (error) {
      throw isBrokenCircuitError(error) ? heldBack(storage) : error;
    }
  }

  return {
    isOpen: () => breaker.state !== CircuitState.Closed,
    admit,
    observed,
    run: (operation, request) => admit(() => observed(operation, request)),
  };
}

const isUnavailable = (error: unknown): boolean => error instanceof StorageUnavailableError;

const heldBack = ({ type }: ObjectStorage): StorageUnavailableError =>
  new StorageUnavailableError(`Storage of type ${type} failed several times in a row and is given time to recover.`);

async function assertAnswers(storage: ObjectStorage): Promise<void> {
  const presence = await storage.head(PROBE_KEY);
  if (presence.state === "unknown") throw new StorageUnavailableError(presence.reason);
}

function reportChanges(breaker: CircuitBreakerPolicy, { type }: ObjectStorage, options: GuardOptions): void {
  const { log, onAvailability = () => undefined } = options;
  let isAvailable = true;
  breaker.onBreak((failure) => {
    if (!isAvailable) return;
    isAvailable = false;
    log.error({ store: type, err: "error" in failure ? failure.error : undefined }, "the object store does not answer");
    onAvailability(false);
  });
  breaker.onReset(() => {
    isAvailable = true;
    log.info({ store: type }, "the object store answers again");
    onAvailability(true);
  });
}
