import type { Actor } from "../media/actor.js";
import type { Clock, Logger } from "../media/ports.js";
import type { TokenRegister } from "./ports.js";

/** Tells a named token from a session's, which has neither underscore nor capital: so only one table is ever asked. */
export const TOKEN_PREFIX = "ams_";

/** The prefix and 256 random bits as base64url. What looks otherwise was never given out, and no table is asked. */
const TOKEN = /^ams_[\w-]{43}$/;

/** Short enough to stand behind `@service:` where a user's public id does. */
export const TOKEN_NAME = /^[a-z0-9][a-z0-9._-]{0,49}$/;

const MINUTE_MS = 60_000;

export const isNamedToken = (token: string): boolean => token.startsWith(TOKEN_PREFIX);

type RecogniseDeps = { tokens: Pick<TokenRegister, "find" | "noteUse">; clock: Pick<Clock, "now">; log: Logger };

/**
 * Whom a named token stands for; null for one that is unknown, expired or revoked. Its use is noted once a minute; that
 * the note could not be written is logged, and the call goes on.
 */
export async function recogniseToken({ tokens, clock, log }: RecogniseDeps, token: string): Promise<Actor | null> {
  if (!TOKEN.test(token)) return null;
  const now = clock.now();
  const found = await tokens.find(token, now);
  if (!found) return null;
  const { name, scopes, lastUsedAt } = found;
  if (lastUsedAt === null || now.getTime() - lastUsedAt.getTime() >= MINUTE_MS) {
    await tokens
      .noteUse(token, now)
      .catch((err: unknown) => log.warn({ err, token: name }, "the last use of a service token could not be noted"));
  }
  return { kind: "token", name, scopes };
}
