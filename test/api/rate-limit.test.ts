import { afterEach, describe, expect, it } from "vitest";
import { ConfigError, loadConfig } from "../../src/config.js";
import { SERVICE_TOKEN, startTestServer, type TestServer } from "../support/server.js";

const PASSWORD = "correct horse battery";
let server: TestServer;
afterEach(() => server?.stop());

const open = async (env: Record<string, string> = {}): Promise<void> => {
  server = await startTestServer(env);
};

const statuses = async (calls: number, call: () => Promise<{ status: number }>): Promise<number[]> => {
  const seen: number[] = [];
  for (let index = 0; index < calls; index++) seen.push((await call()).status);
  return seen;
};

const me = (token?: string, headers: Record<string, string> = {}) =>
  server.call("GET", "/v1/auth/me", { token, headers });
const login = (password: string, headers: Record<string, string> = {}) =>
  server.call("POST", "/v1/auth/login", { body: { email: "a@example.org", password }, headers });

describe("a limit of calls a minute", () => {
  it("is there only where it was asked for", async () => {
    await open();
    const token = await server.user("USR-1");
    expect(new Set(await statuses(40, () => me(token)))).toEqual(new Set([200]));
  });

  it("answers 429 RATE_LIMITED and says when to come back", async () => {
    await open({ RATE_LIMIT: "3" });
    const token = await server.user("USR-1");
    expect(await statuses(3, () => me(token))).toEqual([200, 200, 200]);
    const refused = await me(token);
    expect([refused.status, refused.body.code]).toEqual([429, "RATE_LIMITED"]);
    expect(refused.headers.get("content-type")).toBe("application/problem+json");
    const wait = Number(refused.headers.get("retry-after"));
    expect(wait).toBeGreaterThanOrEqual(1);
    expect(wait).toBeLessThanOrEqual(20);
  });

  it("is each principal's own, not the address's", async () => {
    await open({ RATE_LIMIT: "2" });
    const [one, other] = [await server.user("USR-1"), await server.user("USR-2")];
    expect(await statuses(3, () => me(one))).toEqual([200, 200, 429]);
    expect(await statuses(3, () => me(other))).toEqual([200, 200, 429]);
  });

  it("is one for all sessions of a principal", async () => {
    await open({ RATE_LIMIT: "2" });
    const [first, second] = [await server.user("USR-1"), await server.user("USR-1")];
    expect([(await me(first)).status, (await me(second)).status, (await me(first)).status]).toEqual([200, 200, 429]);
  });

  it("is the address's where nobody is signed in", async () => {
    await open({ RATE_LIMIT: "2", TRUST_PROXY: "true" });
    const from = (address: string) => () => me(undefined, { "x-forwarded-for": address });
    expect(await statuses(3, from("192.0.2.1"))).toEqual([401, 401, 429]);
    expect(await statuses(3, from("192.0.2.2"))).toEqual([401, 401, 429]);
  });

  it("believes no address a client made up", async () => {
    await open({ RATE_LIMIT: "2" });
    let at = 0;
    expect(await statuses(3, () => me(undefined, { "x-forwarded-for": `192.0.2.${at++}` }))).toEqual([401, 401, 429]);
  });

  it("does not hold for services", async () => {
    await open({ RATE_LIMIT: "1" });
    expect(new Set(await statuses(10, () => me(SERVICE_TOKEN)))).toEqual(new Set([200]));
  });

  it("counts uploads and tRPC calls as well", async () => {
    await open({ RATE_LIMIT: "2" });
    const token = await server.user("USR-1");
    expect((await server.call("GET", "/trpc/auth.me", { token })).status).toBe(200);
    expect((await server.post("/v1/media/users/USR-1/avatar", token, [])).status).toBe(400);
    expect((await server.post("/v1/media/users/USR-1/avatar", token, [])).status).toBe(429);
  });
});

describe("invalid bearer tokens", () => {
  /** More of them than an address may send, at once. */
  async function guess(path = "/v1/auth/me") {
    const start = Date.now();
    const answers = await Promise.all(
      Array.from({ length: 90 }, (_, at) => server.call("GET", path, { token: `guess-${at}-${"x".repeat(30)}` })),
    );
    return { answers, refilled: Math.ceil((Date.now() - start) / 1000) };
  }

  it("are limited for an address, also where calls are not", async () => {
    await open();
    const { answers, refilled } = await guess();
    const refused = answers.filter(({ status }) => status === 429);
    expect(answers.filter(({ status }) => status === 401).length + refused.length).toBe(90);
    expect(refused.length).toBeGreaterThanOrEqual(30 - refilled);
    expect(refused[0]?.body.code).toBe("RATE_LIMITED");
    expect(Number(refused[0]?.headers.get("retry-after"))).toBe(1);
  });

  it("keep nobody out whose token is valid, nor strangers, nor a sign-in, behind the same address", async () => {
    await open({ RATE_LIMIT: "5" });
    const token = await server.user("USR-1", { email: "a@example.org", password: PASSWORD });
    await guess("/trpc/auth.me");
    expect(await statuses(5, () => me(token))).toEqual([200, 200, 200, 200, 200]);
    expect((await me(SERVICE_TOKEN)).status).toBe(200);
    expect((await me()).status).toBe(401);
    const stale = { authorization: `Bearer ${"x".repeat(40)}` };
    expect((await login(PASSWORD, stale)).status).toBe(200);
  });
});

describe("failed sign-ins", () => {
  const openWithUser = async (env: Record<string, string> = {}): Promise<void> => {
    await open({ TRUST_PROXY: "true", ...env });
    await server.user("USR-1", { email: "a@example.org", password: PASSWORD });
  };

  /** How many of these guesses were let through; a machine under load takes long enough for some to be refilled. */
  async function expectLimited(guesses: () => Promise<{ status: number }>[]): Promise<void> {
    const start = Date.now();
    const seen = (await Promise.all(guesses())).map(({ status }) => status);
    const refilled = Math.ceil((Date.now() - start) / 6000);
    expect(seen.filter((status) => status !== 429).length).toBeLessThanOrEqual(10 + refilled);
    expect(seen).toContain(429);
  }
  const times = (count: number, call: () => Promise<{ status: number }>) => Array.from({ length: count }, call);

  it("are limited for an address, also where calls are not, and also for the right password", async () => {
    await openWithUser();
    await expectLimited(() => times(40, () => login("wrong")));
    await expectLimited(() => [...times(40, () => login("wrong")), login(PASSWORD)]);
    expect((await login(PASSWORD, { "x-forwarded-for": "192.0.2.9" })).status).toBe(200);
  });

  it("are what counts, not those that succeed", async () => {
    await openWithUser();
    expect(new Set(await statuses(15, () => login(PASSWORD)))).toEqual(new Set([200]));
  });

  async function guess(path: string, body: unknown, headers: Record<string, string> = {}) {
    const init = { method: "POST", headers: { "content-type": "application/json", ...headers } };
    const answer = await fetch(`${server.baseUrl}${path}`, { ...init, body: JSON.stringify(body) });
    return { status: answer.status, text: await answer.text() };
  }
  const wrong = { email: "a@example.org", password: "wrong" };

  it("are limited over tRPC too, however the name is written and the answer sent", async () => {
    await openWithUser();
    const streamed = { "trpc-accept": "application/jsonl" };
    await expectLimited(() => [
      ...times(15, () => guess("/trpc/auth.login", wrong)),
      ...times(15, () => guess("/trpc/auth%2Elogin", wrong)),
      ...times(15, () => guess("/trpc/auth.login?batch=1", { 0: wrong }, streamed)),
      ...times(15, () => login("wrong")),
    ]);
  });

  it.each([
    "/trpc/auth.login,auth.login?batch=1",
    "/trpc/auth.me,auth.login?batch=1",
    "/trpc/auth.login%2Cauth.login?batch=1",
  ])("cannot be hidden in a batch (%s)", async (path) => {
    await openWithUser();
    const answer = await guess(path, { 0: wrong, 1: wrong });
    expect([answer.status, JSON.parse(answer.text).code]).toEqual([400, "VALIDATION"]);
  });
});

describe("RATE_LIMIT", () => {
  it.each(["bad", "-1", "0", "1.5", "10 a minute", "9999999999"])("%j stops the start", (RATE_LIMIT) => {
    expect(() => loadConfig({ RATE_LIMIT })).toThrow(ConfigError);
    expect(() => loadConfig({ RATE_LIMIT })).toThrow(/^RATE_LIMIT must be off or a number/);
  });

  it("is off by default, and on in production unless it is switched off", () => {
    const secrets = { NODE_ENV: "production", SERVICE_TOKEN: "x".repeat(16), SIGNING_SECRET: "y".repeat(16) };
    expect(loadConfig({}).RATE_LIMIT).toBeNull();
    expect(loadConfig({ RATE_LIMIT: "off" }).RATE_LIMIT).toBeNull();
    expect(loadConfig({ RATE_LIMIT: "30" }).RATE_LIMIT).toBe(30);
    expect(loadConfig(secrets).RATE_LIMIT).toBe(1200);
    expect(loadConfig({ ...secrets, RATE_LIMIT: "off" }).RATE_LIMIT).toBeNull();
  });
});
