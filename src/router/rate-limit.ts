import type { MiddlewareHandler } from "hono";
import { actorUserId } from "../media/actor.js";
import { MediaError, validationFailed } from "../media/errors.js";
import type { ApiDeps, AppContext, AppEnv } from "./app-env.js";

export type RateLimiter = {
  /** Counts one call, if it is allowed: null, else the seconds until the next one is. */
  take(caller: string, nowMs: number): number | null;
  /** Uncounts a call. */
  giveBack(caller: string, nowMs: number): void;
};

/** Callers remembered at once; the one longest unheard of goes first. Some 100 bytes each. */
const MAX_CALLERS = 50_000;

/** What one call costs: with a refill of `perMinute` a millisecond all arithmetic is of whole numbers. */
const CALL = 60_000;

/**
 * A token bucket a caller: `perMinute` calls at once, refilled evenly over a minute. Kept in this process.
 * https://en.wikipedia.org/wiki/Token_bucket
 */
export function createRateLimiter(perMinute: number): RateLimiter {
  const buckets = new Map<string, { level: number; at: number }>();
  const full = perMinute * CALL;
  const levelOf = (caller: string, nowMs: number): number => {
    const bucket = buckets.get(caller);
    return bucket ? Math.min(full, bucket.level + Math.max(0, nowMs - bucket.at) * perMinute) : full;
  };
  const remember = (caller: string, level: number, nowMs: number): void => {
    buckets.delete(caller); // set again, it stands at the end: the map is ordered by last use
    buckets.set(caller, { level, at: nowMs });
    if (buckets.size > MAX_CALLERS) buckets.delete(buckets.keys().next().value as string);
  };
  return {
    take(caller, nowMs) {
      const level = levelOf(caller, nowMs);
      remember(caller, level >= CALL ? level - CALL : level, nowMs);
      return level >= CALL ? null : Math.ceil((CALL - level) / perMinute / 1000);
    },
    giveBack: (caller, nowMs) => remember(caller, Math.min(full, levelOf(caller, nowMs) + CALL), nowMs),
  };
}

/** Failed sign-ins an address may have in a minute: enough for a person, far too few to guess a password. */
const SIGN_IN_FAILURES = 10;

/** Limits calls by principal, or by address where there is none. Services, which are the platform itself, go free. */
export function rateLimit({ deps, rateLimitPerMinute, addressOf }: ApiDeps): MiddlewareHandler<AppEnv> {
  const limiter = rateLimitPerMinute === null ? null : createRateLimiter(rateLimitPerMinute);
  const failures = createRateLimiter(SIGN_IN_FAILURES);
  return async (c, next) => {
    const now = deps.clock.now().getTime();
    const caller = callerOf(c, addressOf);
    if (limiter && caller !== null) refuse(limiter.take(caller, now));
    if (!isSignIn(c)) return next();
    requireSingleCall(c);
    const address = addressOf(c);
    // Counted before it is tried: of many at once all would still be allowed.
    refuse(failures.take(address, now));
    await next();
    if (hasSucceeded(c.res)) failures.giveBack(address, deps.clock.now().getTime());
  };
}

function callerOf(c: AppContext, addressOf: ApiDeps["addressOf"]): string | null {
  const actor = c.get("actor");
  if (actor.kind === "service") return null;
  return actorUserId(actor) ?? addressOf(c);
}

const isSignIn = ({ req }: AppContext): boolean => /^\/(v1\/auth\/login|trpc\/.*auth\.login.*)$/.test(req.path);

/** Several sign-ins in one tRPC batch would be several guesses at the price of one. */
function requireSingleCall({ req }: AppContext): void {
  if (!/,|%2c/i.test(req.path)) return;
  throw validationFailed("", "signing in is a call of its own");
}

/** A tRPC answer that streams says 200 whatever is in it, so it proves nothing. */
const hasSucceeded = (answer: Response): boolean =>
  answer.status === 200 && /^application\/json\b/.test(answer.headers.get("content-type") ?? "");

function refuse(retryAfterSeconds: number | null): void {
  if (retryAfterSeconds !== null) throw new MediaError({ code: "RATE_LIMITED", retryAfterSeconds });
}
