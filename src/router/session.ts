import type { MiddlewareHandler } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { isNamedToken, recogniseToken } from "../accounts/named-tokens.js";
import type { Session } from "../accounts/ports.js";
import { type Actor, ANONYMOUS } from "../media/actor.js";
import { MediaError } from "../media/errors.js";
import type { SessionCookie } from "../procedures/trpc.js";
import type { ApiDeps, AppContext, AppEnv } from "./app-env.js";
import { countInvalidTokens, isSignIn } from "./rate-limit.js";

const COOKIE = "session";
const BEARER = /^Bearer +([\x21-\x7e]{1,512})$/i;

type Principal = { actor: Actor; sessionToken: string | null };
const STRANGER: Principal = { actor: ANONYMOUS, sessionToken: null };

/**
 * Tells who calls: a bearer token (service, named or session) before the session cookie. A bearer token that is not
 * valid is refused, so that a client whose session ended learns it; a stale cookie is cleared and its caller is a
 * stranger.
 * Calls that change something under a cookie must come from this origin or a configured one, and a sign-in, which sets
 * the cookie, must not come from another: its page could sign the visitor in as somebody else.
 */
export function sessions(app: ApiDeps): MiddlewareHandler<AppEnv> {
  const countInvalid = countInvalidTokens(app);
  return async (c, next) => {
    if (isSignIn(c) && isOwnPage(app, c) === false) throw notSameSite("signing in must happen on this site");
    const authorization = c.req.header("authorization");
    const principal = authorization === undefined ? await fromCookie(app, c) : await fromBearer(app, authorization);
    if (principal === null && !isSigningIn(c.req.path)) {
      await countInvalid(c);
      throw new MediaError({ code: "UNAUTHENTICATED" });
    }
    const { actor, sessionToken } = principal ?? STRANGER;
    c.set("actor", actor);
    c.set("sessionToken", sessionToken);
    await next();
  };
}

/** A stale token must not keep anyone from getting a new one. */
const isSigningIn = (path: string): boolean => SIGNING_IN.includes(path);
const SIGNING_IN: readonly string[] = ["/v1/auth/login", "/v1/auth/logout", "/trpc/auth.login", "/trpc/auth.logout"];

/** What it looks like says where it is looked up: whoever carries a session pays nothing for named tokens. */
async function fromBearer({ accounts, deps }: ApiDeps, authorization: string): Promise<Principal | null> {
  const token = BEARER.exec(authorization)?.[1];
  if (token === undefined) return null;
  if (await accounts.serviceTokens.isValid(token)) return { actor: { kind: "service" }, sessionToken: null };
  if (isNamedToken(token)) {
    const actor = await recogniseToken({ ...deps, tokens: accounts.tokens }, token);
    return actor && { actor, sessionToken: null };
  }
  const found = await accounts.sessions.validate(token);
  return found && { actor: toActor(found.user), sessionToken: token };
}

async function fromCookie(app: ApiDeps, c: AppContext): Promise<Principal> {
  const token = getCookie(c, COOKIE);
  if (!token) return STRANGER;
  const cookie = sessionCookie(app, c);
  const found = await app.accounts.sessions.validate(token);
  if (!found) {
    cookie.clear();
    return STRANGER;
  }
  requireSameSite(app, c);
  if (found.extended) cookie.set(found.session);
  return { actor: toActor(found.user), sessionToken: token };
}

const toActor = ({
  publicId,
  role,
  verified,
}: { publicId: string } & Omit<Extract<Actor, { kind: "user" }>, "kind" | "id">): Actor => ({
  kind: "user",
  id: publicId,
  role,
  verified,
});

const SAFE_METHODS = ["GET", "HEAD", "OPTIONS"];

/** Cross-site request forgery needs a cookie; bearer calls never come here. */
function requireSameSite(app: ApiDeps, c: AppContext): void {
  if (SAFE_METHODS.includes(c.req.method) || isOwnPage(app, c)) return;
  throw notSameSite("a call with a session cookie must come from this site");
}

/** Whether a page of this site, or of a configured one, makes the call; null where the client says nothing of pages. */
function isOwnPage({ corsOrigins, deps }: ApiDeps, c: AppContext): boolean | null {
  const origin = c.req.header("origin");
  if (origin !== undefined)
    return (
      [new URL(deps.urls.baseUrl).origin, ...corsOrigins].includes(origin) || isOwnHost(origin, c.req.header("host"))
    );
  const site = c.req.header("sec-fetch-site");
  return site === undefined ? null : site === "same-origin";
}

const notSameSite = (reason: string): MediaError =>
  new MediaError({ code: "FORBIDDEN", right: "same-site", subject: null, reason });

const isOwnHost = (origin: string, host: string | undefined): boolean =>
  URL.canParse(origin) && new URL(origin).host === host;

/** Sets and clears the cookie of one answer. Secure wherever the server is reached over https. */
export function sessionCookie({ deps }: Pick<ApiDeps, "deps">, c: AppContext): SessionCookie {
  const options = {
    httpOnly: true,
    sameSite: "Lax",
    path: "/",
    secure: deps.urls.baseUrl.startsWith("https:"),
  } as const;
  return {
    set: ({ token, expiresAt }: Session) => setCookie(c, COOKIE, token, { ...options, expires: expiresAt }),
    clear: () => void deleteCookie(c, COOKIE, options),
  };
}
