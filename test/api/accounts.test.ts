import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SERVICE_TOKEN, startTestServer, type TestServer } from "../support/server.js";

describe("principals", () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startTestServer({ CORS_ORIGINS: "https://app.example" });
    await server.service("PUT", "/v1/users/USR-ANN", {
      email: "Ann@Example.com",
      password: "correct horse",
      role: "user",
      verified: true,
    });
  });
  afterAll(() => server.stop());

  const login = (email: string, password: string) =>
    server.call<{ token: string; expiresAt: string; code?: string; user: unknown }>("POST", "/v1/auth/login", {
      body: { email, password },
    });
  const me = (token?: string, headers = {}) => server.call("GET", "/v1/auth/me", { token, headers });

  it("signs in with email, whatever its case, and password", async () => {
    const { status, body, headers } = await login("ann@example.COM", "correct horse");
    expect(status).toBe(200);
    expect(body).toMatchObject({
      token: expect.any(String),
      user: { publicId: "USR-ANN", email: "ann@example.com", role: "user", verified: true },
    });
    expect(Date.parse(body.expiresAt)).toBeGreaterThan(Date.now() + 86_400_000);
    expect(headers.get("set-cookie")).toMatch(/^session=\S+; .*HttpOnly/i);
    expect(headers.get("set-cookie")).toMatch(/SameSite=Lax/i);
    expect((await me(body.token)).body).toMatchObject({ kind: "user", publicId: "USR-ANN" });
  });

  it.each([
    ["ann@example.com", "wrong"],
    ["nobody@example.com", "correct horse"],
    ["", ""],
  ])("does not say whether email or password was wrong (%s)", async (email, password) => {
    const { status, body } = await login(email, password);
    expect([status, body.code]).toEqual([401, "UNAUTHENTICATED"]);
  });

  it("keeps neither passwords nor session ids in clear", async () => {
    const { body } = await login("ann@example.com", "correct horse");
    const stored = await server.tables.dump();
    expect(stored).toContain("ann@example.com");
    expect(stored.includes("correct horse") || stored.includes(body.token)).toBe(false);
  });

  it("ends a session at logout, also for the cookie", async () => {
    const { body } = await login("ann@example.com", "correct horse");
    const out = await server.call("POST", "/v1/auth/logout", { token: body.token });
    expect([out.status, out.headers.get("set-cookie")]).toEqual([200, expect.stringMatching(/session=;.*Max-Age=0/)]);
    expect((await me(body.token)).status).toBe(401);
  });

  it("a new password ends every session", async () => {
    await server.service("PUT", "/v1/users/USR-BOB", { email: "bob@example.com", password: "first password" });
    const { body } = await login("bob@example.com", "first password");
    await server.service("PUT", "/v1/users/USR-BOB", { password: "second password" });
    expect((await me(body.token)).status).toBe(401);
    expect((await login("bob@example.com", "first password")).status).toBe(401);
    expect((await login("bob@example.com", "second password")).status).toBe(200);
  });

  it("the platform gets sessions for its users, nobody else does", async () => {
    const { token } = await server.service<{ token: string }>("POST", "/v1/auth/sessions", { userId: "USR-ANN" });
    expect((await me(token)).body).toMatchObject({ publicId: "USR-ANN" });
    const asUser = await server.call("POST", "/v1/auth/sessions", { token, body: { userId: "USR-BOB" } });
    expect([asUser.status, asUser.body.code]).toEqual([403, "FORBIDDEN"]);
    expect((await server.call("POST", "/v1/auth/sessions", { body: { userId: "USR-ANN" } })).status).toBe(401);
    const unknown = await server.call("POST", "/v1/auth/sessions", {
      token: SERVICE_TOKEN,
      body: { userId: "USR-NONE" },
    });
    expect([unknown.status, unknown.body.code]).toEqual([404, "ENTITY_NOT_FOUND"]);
  });

  it("a service says who it is, a stranger is nobody", async () => {
    expect((await me(SERVICE_TOKEN)).body).toEqual({ kind: "service" });
    expect((await me()).status).toBe(401);
    expect((await me(`${SERVICE_TOKEN}x`)).status).toBe(401);
    expect((await me(undefined, { authorization: "Basic YTpi" })).status).toBe(401);
  });

  it("a user sees himself and no other", async () => {
    const { token } = await server.service<{ token: string }>("POST", "/v1/auth/sessions", { userId: "USR-ANN" });
    expect((await server.call("GET", "/v1/users/USR-ANN", { token })).body).toMatchObject({ publicId: "USR-ANN" });
    expect((await server.call("GET", "/v1/users/USR-BOB", { token })).status).toBe(404);
    expect((await server.call("GET", "/v1/users/USR-BOB", { token: SERVICE_TOKEN })).status).toBe(200);
    expect((await server.call("PUT", "/v1/users/USR-ANN", { token, body: { role: "admin" } })).status).toBe(403);
  });

  it("makes the user entity with the user, owned by the user", async () => {
    const entity = await server.service("GET", "/v1/entities/user/USR-ANN");
    expect(entity).toMatchObject({ type: "user", publicId: "USR-ANN", ownerId: "USR-ANN", id: expect.any(Number) });
  });

  it("an email is one user's", async () => {
    const answer = await server.call("PUT", "/v1/users/USR-OTHER", {
      token: SERVICE_TOKEN,
      body: { email: "ANN@example.com" },
    });
    expect([answer.status, answer.body.code]).toEqual([409, "CONFLICT"]);
    expect((await server.call("GET", "/v1/entities/user/USR-OTHER", { token: SERVICE_TOKEN })).status).toBe(404);
  });

  describe("with a session cookie", () => {
    let cookie: string;
    beforeAll(async () => {
      const { headers } = await login("ann@example.com", "correct horse");
      cookie = headers.get("set-cookie")?.split(";")[0] as string;
    });

    it("calls like with a bearer token", async () => {
      expect((await me(undefined, { cookie })).body).toMatchObject({ publicId: "USR-ANN" });
    });

    it.each([
      [{ origin: "https://evil.example" }, 403],
      [{ origin: "null" }, 403],
      [{}, 403],
      [{ "sec-fetch-site": "cross-site" }, 403],
      [{ origin: "https://app.example" }, 404],
      [{ "sec-fetch-site": "same-origin" }, 404],
    ])("changes something only from this site or a configured one: %o answers %i", async (headers, status) => {
      const answer = await server.call("DELETE", "/v1/entities/property/P/grants/U", {
        headers: { cookie, ...headers },
      });
      expect(answer.status).toBe(status);
    });

    it("from its own page", async () => {
      const headers = { cookie, origin: server.baseUrl };
      expect((await server.call("DELETE", "/v1/entities/property/P/grants/U", { headers })).status).toBe(404);
    });

    it("a stale cookie is cleared and its caller is a stranger", async () => {
      const answer = await server.call("GET", "/v1/media/search-nothing", { headers: { cookie: "session=stale" } });
      expect(answer.status).toBe(404);
      expect(answer.headers.get("set-cookie")).toMatch(/session=;/);
    });
  });

  it("other sites' pages may call where the configuration names them", async () => {
    const preflight = (origin: string) =>
      fetch(`${server.baseUrl}/v1/auth/me`, {
        method: "OPTIONS",
        headers: { origin, "access-control-request-method": "GET" },
      });
    expect((await preflight("https://app.example")).headers.get("access-control-allow-origin")).toBe(
      "https://app.example",
    );
    expect((await preflight("https://evil.example")).headers.get("access-control-allow-origin")).toBeNull();
  });
});
