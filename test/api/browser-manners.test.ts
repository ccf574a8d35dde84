import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SERVICE_TOKEN, startTestServer, type TestServer } from "../support/server.js";

const FRIEND = "https://app.example";
const FOREIGNER = "https://evil.example";
const PASSWORD = "correct horse battery";
const MIB = 1024 * 1024;

let server: TestServer;
let token: string;
beforeAll(async () => {
  server = await startTestServer({ CORS_ORIGINS: `${FRIEND},https://OTHER.example:443/`, RATE_LIMIT: "20" });
  token = await server.user("USR-1", { email: "a@example.org", password: PASSWORD });
});
afterAll(() => server.stop());

const json = { "content-type": "application/json" };
const names = (header: string | null): string[] => (header ?? "").split(",").map((name) => name.trim().toLowerCase());

async function ask(method: string, path: string, headers: Record<string, string>, body?: string) {
  const answer = await fetch(`${server.baseUrl}${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}

describe("a page of a configured origin", () => {
  const preflight = (method: string, origin = FRIEND) =>
    ask("OPTIONS", "/v1/media/1", { origin, "access-control-request-method": method });

  it.each(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])("may %s, with credentials", async (method) => {
    const { status, headers } = await preflight(method);
    expect(status).toBe(204);
    expect(headers.get("access-control-allow-origin")).toBe(FRIEND);
    expect(headers.get("access-control-allow-credentials")).toBe("true");
    expect(names(headers.get("access-control-allow-methods"))).toContain(method.toLowerCase());
    expect(names(headers.get("vary"))).toContain("origin");
    expect(Number(headers.get("access-control-max-age"))).toBeGreaterThan(0);
  });

  it("may send what the client and the contract ask for", async () => {
    const { headers } = await preflight("POST");
    expect(names(headers.get("access-control-allow-headers"))).toEqual(
      expect.arrayContaining(["authorization", "content-type", "idempotency-key", "x-request-id", "trpc-accept"]),
    );
  });

  it("is known by its origin, however the configuration spells it", async () => {
    expect((await preflight("GET", "https://other.example")).headers.get("access-control-allow-origin")).toBe(
      "https://other.example",
    );
  });

  /** Everything a page can be told, failures first. */
  const ANSWERS: Record<string, [status: number, () => ReturnType<typeof ask>]> = {
    "an answer": [200, () => ask("GET", "/healthz", { origin: FRIEND })],
    "an answer of tRPC": [
      200,
      () => ask("GET", "/trpc/auth.me", { origin: FRIEND, authorization: `Bearer ${SERVICE_TOKEN}` }),
    ],
    "an invalid token": [401, () => ask("GET", "/v1/auth/me", { origin: FRIEND, authorization: "Bearer wrong" })],
    "a stranger's call over tRPC": [401, () => ask("GET", "/trpc/auth.me", { origin: FRIEND })],
    "an address that is not there": [404, () => ask("GET", "/nowhere", { origin: FRIEND })],
    "a file that is not there": [404, () => ask("GET", "/files/nothing.jpg", { origin: FRIEND })],
    "a method that is not there": [405, () => ask("PUT", "/healthz", { origin: FRIEND })],
    "a body that is too large": [
      400,
      () => ask("POST", "/v1/auth/logout", { origin: FRIEND, ...json }, `{"a":"${"x".repeat(MIB)}"}`),
    ],
    "a body that is too large for tRPC": [
      400,
      () => ask("POST", "/trpc/auth.logout", { origin: FRIEND, ...json }, `{"a":"${"x".repeat(MIB)}"}`),
    ],
  };

  it.each(Object.keys(ANSWERS))("may read %s", async (name) => {
    const [status, act] = ANSWERS[name] as (typeof ANSWERS)[string];
    const answer = await act();
    expect(answer.status).toBe(status);
    expectReadable(answer.headers);
  });

  it("may read that it calls too often, and when to come back", async () => {
    const headers = { origin: FRIEND, authorization: `Bearer ${token}` };
    const answers = await Promise.all(Array.from({ length: 40 }, () => ask("GET", "/v1/auth/me", headers)));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    for (const answer of refused) {
      expectReadable(answer.headers);
      expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    }
  });

  function expectReadable(headers: Headers): void {
    expect(headers.get("access-control-allow-origin")).toBe(FRIEND);
    expect(headers.get("access-control-allow-credentials")).toBe("true");
    expect(names(headers.get("vary"))).toContain("origin");
    expect(names(headers.get("access-control-expose-headers"))).toEqual(
      expect.arrayContaining(["x-request-id", "retry-after", "idempotent-replay", "location"]),
    );
    expect(headers.get("x-request-id")).toMatch(/./);
  }

  it("may sign in", async () => {
    const answer = await signIn({ origin: FRIEND });
    expect([answer.status, answer.headers.get("set-cookie")]).toEqual([200, expect.stringContaining("session=")]);
  });
});

describe("answers to any other origin", () => {
  it.each([FOREIGNER, "null", `${FRIEND}.evil.example`, "http://app.example"])(
    "allow nothing to %s",
    async (origin) => {
      const { headers } = await ask("GET", "/healthz", { origin });
      expect(headers.get("access-control-allow-origin")).toBeNull();
      expect(names(headers.get("vary"))).toContain("origin");
    },
  );
});

const signIn = (headers: Record<string, string>, path = "/v1/auth/login") =>
  ask("POST", path, { ...json, ...headers }, JSON.stringify({ email: "a@example.org", password: PASSWORD }));

describe("signing in", () => {
  const ELSEWHERE: Record<string, Record<string, string>> = {
    "a page of another site": { origin: FOREIGNER },
    "a form without an origin": { origin: "null", "content-type": "text/plain" },
    "a page that hides its origin": { "sec-fetch-site": "cross-site" },
    "a sibling that hides its origin": { "sec-fetch-site": "same-site" },
  };

  it.each(Object.keys(ELSEWHERE))("cannot be done by %s in its visitor's name", async (name) => {
    for (const path of ["/v1/auth/login", "/trpc/auth.login"]) {
      const { status, headers, text } = await signIn(ELSEWHERE[name] ?? {}, path);
      expect([status, JSON.parse(text).code, headers.get("set-cookie")]).toEqual([403, "FORBIDDEN", null]);
    }
  });

  it.each([{}, { "sec-fetch-site": "same-origin" }])(
    "is for clients that are no pages, and for this site: %o",
    async (h) => {
      expect((await signIn(h)).status).toBe(200);
    },
  );
});

describe("a call with a bearer token", () => {
  it("is not asked where it comes from", async () => {
    const headers = { authorization: `Bearer ${SERVICE_TOKEN}`, "sec-fetch-site": "cross-site", origin: FOREIGNER };
    expect((await ask("DELETE", "/v1/entities/property/P/grants/U", headers)).status).toBe(404);
  });
});
