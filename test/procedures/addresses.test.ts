import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { appRouter } from "../../src/procedures/index.js";
import type { CallAudience, ProcedureMeta } from "../../src/procedures/trpc.js";
import { REST_OPERATIONS } from "../../src/router/rest-operations.js";
import { firstOf } from "../support/event-stream.js";
import { SERVICE_TOKEN, startTestServer, type TestServer } from "../support/server.js";

type Described = { _def: { meta?: ProcedureMeta; type: "query" | "mutation" | "subscription" } };
const PROCEDURES = Object.entries(appRouter._def.procedures as unknown as Record<string, Described>);

/** The plain HTTP the contract promises beside uploads, files and health. */
const PROMISED = [
  "GET /v1/media/entity/{type}/{id} media.list",
  "GET /v1/media/{id} media.get",
  "GET /v1/media/public/{publicId} media.getByPublicId",
  "PATCH /v1/media/{id} media.update",
  "DELETE /v1/media/{id} media.delete",
  "POST /v1/media/batch/delete media.batchDelete",
  "POST /v1/media/batch/approve moderation.batchApprove",
  "POST /v1/media/entity/{type}/{id}/reorder media.reorder",
  "POST /v1/media/{id}/move media.move",
  "POST /v1/media/{id}/restore media.restore",
  "GET /v1/media/{id}/duplicates media.duplicates",
  "GET /v1/media/search media.search",
  "POST /v1/media/direct uploads.createDirect",
  "POST /v1/media/direct/{uploadId}/complete uploads.complete",
  "GET /v1/media/direct/{uploadId} uploads.status",
  "GET /v1/media/moderation/queue moderation.queue",
  "POST /v1/media/{id}/moderation moderation.decide",
  "GET /v1/media/{id}/moderation/history moderation.history",
  "PUT /v1/entities/{type}/{publicId} entities.upsert",
  "GET /v1/entities/{type}/{publicId} entities.get",
  "DELETE /v1/entities/{type}/{publicId} entities.delete",
  "PUT /v1/entities/{type}/{publicId}/grants/{userId} permissions.grant",
  "DELETE /v1/entities/{type}/{publicId}/grants/{userId} permissions.revoke",
  "GET /v1/entities/{type}/{publicId}/grants permissions.list",
  "GET /v1/permissions/check permissions.check",
  "PUT /v1/users/{publicId} users.upsert",
  "POST /v1/auth/sessions auth.createSession",
  "POST /v1/auth/login auth.login",
  "POST /v1/auth/logout auth.logout",
  "GET /v1/auth/me auth.me",
  "GET /v1/media/analytics/storage analytics.storage",
  "GET /v1/media/health/storage-sync health.storageSync",
];

describe("procedures", () => {
  it.each(PROCEDURES)("%s says who may call it and what it does", (_, { _def }) => {
    expect(_def.meta?.audience).toBeTypeOf("string");
    expect(_def.meta?.summary).toMatch(/^[A-Z].{10,}$/);
  });

  it.each(PROMISED)("%s", (promise) => {
    const addresses = REST_OPERATIONS.map(({ route, procedure }) => `${route.method} ${route.path} ${procedure}`);
    expect(addresses).toContain(promise);
  });

  it("read by GET and change by the other methods", () => {
    for (const { route, type } of REST_OPERATIONS) expect(route.method === "GET").toBe(type === "query");
  });

  it("have addresses of their own", () => {
    const addresses = REST_OPERATIONS.map(({ route }) => `${route.method} ${route.path}`);
    expect(new Set(addresses).size).toBe(addresses.length);
    expect(new Set(REST_OPERATIONS.map((o) => o.operationId)).size).toBe(addresses.length);
  });
});

describe("audiences", () => {
  let server: TestServer;
  let tokens: Record<string, string | undefined>;

  beforeAll(async () => {
    server = await startTestServer();
    tokens = {
      nobody: undefined,
      user: await server.user("USR-USER"),
      moderator: await server.user("USR-MODERATOR", { role: "moderator" }),
      admin: await server.user("USR-ADMIN", { role: "admin" }),
      service: SERVICE_TOKEN,
    };
  });
  afterAll(() => server.stop());

  /** The status each principal is stopped with, or null where the call goes on to its input and the domain. */
  const STOPS: Record<CallAudience, Record<string, number | null>> = {
    public: { nobody: null, user: null, moderator: null, admin: null, service: null },
    "signed-in": { nobody: 401, user: null, moderator: null, admin: null, service: null },
    manager: { nobody: 401, user: null, moderator: null, admin: null, service: null },
    overseer: { nobody: 401, user: 403, moderator: null, admin: null, service: null },
    moderator: { nobody: 401, user: 403, moderator: null, admin: null, service: null },
    service: { nobody: 401, user: 403, moderator: 403, admin: null, service: null },
  };
  const CASES = PROCEDURES.flatMap(([name, { _def }]) =>
    Object.entries(STOPS[(_def.meta as ProcedureMeta).audience]).map(([principal, stop]) => ({
      name,
      principal,
      stop,
      type: _def.type,
    })),
  );

  /** A stream answers 200 whatever it then says. */
  async function statusOf(name: string, type: Described["_def"]["type"], token: string | undefined): Promise<number> {
    if (type === "query") return (await server.call("GET", `/trpc/${name}?input=%7B%7D`, { token })).status;
    if (type === "mutation") return (await server.call("POST", `/trpc/${name}`, { token, body: {} })).status;
    const { error } = await firstOf<{ error: { data: { httpStatus: number } } }>(server.baseUrl, name, {
      token,
      input: {},
    });
    return error.data.httpStatus;
  }

  it.each(CASES)("$principal calling $name", async ({ name, principal, stop, type }) => {
    const token = tokens[principal];
    const status = await statusOf(name, type, token);
    if (stop === null) expect([401, 403]).not.toContain(status);
    else expect(status).toBe(stop);
    if (name === "auth.logout" && token && principal !== "service")
      tokens[principal] = (
        await server.service<{ token: string }>("POST", "/v1/auth/sessions", {
          userId: `USR-${principal.toUpperCase()}`,
        })
      ).token;
  });
});
