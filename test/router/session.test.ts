import { Hono } from "hono";
import { expect, it } from "vitest";
import { createTokenBuckets } from "../../src/limits/token-buckets.js";
import type { AppDeps, AppEnv } from "../../src/router/app-env.js";
import { sessions } from "../../src/router/session.js";
import { newToken } from "../../src/security/new-token.js";
import { createServiceTokens } from "../../src/security/service-tokens.js";

const SERVICE_TOKEN = "ams_the-one-of-the-environment";

/** Which tables a bearer token costs a look into, and as whom the call then goes on. */
async function tablesAsked(token: string): Promise<{ asked: string[]; actor: unknown }> {
  const asked: string[] = [];
  const nothingIn = (table: string) => async () => {
    asked.push(table);
    return null;
  };
  const accounts = {
    serviceTokens: createServiceTokens(SERVICE_TOKEN),
    tokens: { find: nothingIn("service_tokens") },
    sessions: { validate: nothingIn("sessions") },
  };
  const clock = { now: () => new Date() };
  const app = { accounts, deps: { clock }, rateLimits: createTokenBuckets(clock), addressOf: () => "192.0.2.1" };
  let actor: unknown = null;
  const http = new Hono<AppEnv>();
  http.onError((error, c) => c.text(error.message, 401));
  http.use(sessions(app as unknown as AppDeps)).get("/v1/auth/me", (c) => {
    actor = c.get("actor");
    return c.text("in");
  });
  await http.request("/v1/auth/me", { headers: { authorization: `Bearer ${token}` } });
  return { asked, actor };
}

it.each([
  ["a session's", "q".repeat(40), ["sessions"]],
  ["a named token", newToken(), ["service_tokens"]],
  ["what only begins like a named token", "ams_short", []],
  ["what is too long for either", "q".repeat(600), []],
])("%s costs a look into one table at most", async (_, token, tables) => {
  expect(await tablesAsked(token)).toEqual({ asked: tables, actor: null });
});

it("the service token of the environment costs none, whatever it begins with", async () => {
  expect(await tablesAsked(SERVICE_TOKEN)).toEqual({ asked: [], actor: { kind: "service" } });
});
