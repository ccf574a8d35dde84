import type { MiddlewareHandler } from "hono";
import type { RateRule } from "../accounts/rate-limits.js";
import { type Actor, isAdministrator, principalOf } from "../media/actor.js";
import { MediaError, validationFailed } from "../media/errors.js";
import type { ApiDeps, AppContext, AppEnv } from "./app-env.js";

/** Failed sign-ins an address may have in a minute: enough for a person, far too few to guess a password. */
const SIGN_IN_FAILURES: RateRule = { name: "sign-in", perMinute: 10 };

/**
 * Invalid bearer tokens an address may send in a minute: enough for a page whose session has ended and that asks for
 * some dozens of things before it has read the first 401.
 */
const INVALID_TOKENS: RateRule = { name: "token", perMinute: 60 };

/**
 * Limits calls by principal, or by address where there is none. Services with every right, which are the platform
 * itself, go free; tokens of narrower scopes are counted by their names.
 */
export function rateLimit({ rateLimits, rateLimitPerMinute, addressOf }: ApiDeps): MiddlewareHandler<AppEnv> {
  const calls = rateLimitPerMinute === null ? null : rateLimits({ name: "calls", perMinute: rateLimitPerMinute });
  const failures = rateLimits(SIGN_IN_FAILURES);
  return async (c, next) => {
    const caller = callerOf(c, addressOf);
    if (calls && caller !== null) refuse(await calls.take(caller));
    if (!isSignIn(c)) return next();
    requireSingleCall(c);
    const address = addressOf(c);
    // Counted before it is tried: of many at once all would still be allowed.
    refuse(await failures.take(address));
    await next();
    if (hasSucceeded(c.res)) await failures.giveBack(address);
  };
}

/**
 * Counts an invalid bearer token for the address that sent it; RATE_LIMITED beyond the measure. Valid ones from there
 * are not held up: they are counted by principal.
 */
export function countInvalidTokens({ rateLimits, addressOf }: ApiDeps): (c: AppContext) => Promise<void> {
  const invalid = rateLimits(INVALID_TOKENS);
  return async (c) => refuse(await invalid.take(addressOf(c)));
}

function callerOf(c: AppContext, addressOf: ApiDeps["addressOf"]): string | null {
  const actor = c.get("actor");
  if (isPlatform(actor)) return null;
  const principal = principalOf(actor);
  return principal === null ? `address ${addressOf(c)}` : `principal ${principal}`;
}

const isPlatform = (actor: Actor): boolean => actor.kind !== "user" && isAdministrator(actor);

/** Whether the call signs in, among others of a tRPC batch or alone. */
export const isSignIn = ({ req }: AppContext): boolean => /^\/(v1\/auth\/login|trpc\/.*auth\.login.*)$/.test(req.path);

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
