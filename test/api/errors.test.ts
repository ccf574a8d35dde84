import { rename } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeFailure, MEDIA_ERROR_CODES, MediaError, type MediaFailure } from "../../src/media/errors.js";
import { ERROR_MAP, toFailure } from "../../src/procedures/error-map.js";
import { currentCombination } from "../support/combination.js";
import { startTestServer, type TestServer } from "../support/server.js";

describe("failures", () => {
  let server: TestServer;
  let token: string;

  beforeAll(async () => {
    server = await startTestServer();
    token = await server.user("USR-1");
  });
  afterAll(() => server.stop());

  it("are problem details with the request's id", async () => {
    const { status, headers, body } = await server.call("GET", "/v1/media/0x1", {
      headers: { "x-request-id": "phone-12345678" },
    });
    expect([status, headers.get("content-type"), headers.get("x-request-id")]).toEqual([
      404,
      "application/problem+json",
      "phone-12345678",
    ]);
    expect(body).toEqual({
      type: "urn:artitec-media:problem:MEDIA_NOT_FOUND",
      title: "No such media",
      status: 404,
      code: "MEDIA_NOT_FOUND",
      detail: 'There is no media item "0x1".',
      mediaId: "0x1",
      requestId: "phone-12345678",
    });
  });

  it.each(["", "short", "x".repeat(65), "a b c d e f g", '{"a":"bbbbbb"}'])(
    "a request id that is no id is replaced: %s",
    async (id) => {
      const { headers } = await server.call("GET", "/healthz", { headers: { "x-request-id": id } });
      expect(headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    },
  );

  it("an address that is not there is 404, another method 405 with those it takes", async () => {
    expect(await server.call("GET", "/nowhere")).toMatchObject({ status: 404, body: { code: "NOT_FOUND" } });
    expect(await server.call("GET", "/v1/nowhere")).toMatchObject({ status: 404, body: { code: "NOT_FOUND" } });
    const wrong = await server.call("DELETE", "/v1/auth/login");
    expect(wrong).toMatchObject({ status: 405, body: { code: "METHOD_NOT_ALLOWED" } });
    expect(wrong.headers.get("allow")).toBe("POST");
    expect((await server.call("PUT", "/v1/media/users/USR-1/avatar")).headers.get("allow")).toBe("POST");
  });

  it("says how to sign in", async () => {
    const answer = await server.call("GET", "/v1/auth/me");
    expect([answer.status, answer.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
  });

  const postJson = (body: string) =>
    fetch(`${server.baseUrl}/v1/auth/login`, { method: "POST", body, headers: { "content-type": "application/json" } });

  it.each(["{", "nonsense", "[]", "5", '"text"', "null", '{"email":5}'])("refuses the body %s", async (body) => {
    const answer = await postJson(body);
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([400, "VALIDATION"]);
  });

  it("refuses JSON no call could need before it is held", async () => {
    const answer = await postJson(`{"email":"${"x".repeat(2 * 1024 * 1024)}"}`);
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([400, "VALIDATION"]);
  });

  const upload = (body: BodyInit | null, contentType: string) =>
    fetch(`${server.baseUrl}/v1/media/users/USR-1/avatar`, {
      method: "POST",
      body,
      headers: { authorization: `Bearer ${token}`, "content-type": contentType },
    });
  const form = (text: string) => [text.replaceAll("\n", "\r\n"), "multipart/form-data; boundary=x"] as const;
  const PART = 'Content-Disposition: form-data; name="file"; filename="a.jpg"';

  it.each([
    ["MALFORMED_MULTIPART", "hello", "text/plain"],
    ["MALFORMED_MULTIPART", "{}", "application/json"],
    ["MALFORMED_MULTIPART", "file=x", "application/x-www-form-urlencoded"],
    ["MALFORMED_MULTIPART", "--x--", "multipart/form-data"],
    ["MALFORMED_MULTIPART", ...form("no boundary in here")],
    ["MALFORMED_MULTIPART", ...form(`--x\n${PART}\n\nhalf a file`)],
    ["MALFORMED_MULTIPART", ...form("--x\nContent-Disposition: form-da")],
    ["MISSING_FILE", ...form("--x--\n")],
    ["MISSING_FILE", ...form('--x\nContent-Disposition: form-data; name="alt_text"\n\nx\n--x--\n')],
    ["MISSING_FILE", ...form(`--x\n${PART.replace("file", "photo")}\n\nbytes\n--x--\n`)],
    ["EMPTY_FILE", ...form(`--x\n${PART}\n\n\n--x--\n`)],
    ["UNSUPPORTED_TYPE", ...form(`--x\n${PART}\n\n<svg xmlns="http://www.w3.org/2000/svg"/>\n--x--\n`)],
    ["VALIDATION", ...form(`--x\n${PART.replace("a.jpg", `${"a".repeat(300)}.jpg`)}\n\nbytes\n--x--\n`)],
  ])("an upload is refused as %s: %j (%s)", async (code, body, contentType) => {
    const answer = await upload(body, contentType);
    const problem = (await answer.json()) as { code: string; detail: string };
    expect([answer.status, problem.code]).toEqual([400, code]);
    expect(problem.detail).not.toContain(server.folder);
    expect(await server.files()).toEqual({ stored: [], spooled: [] });
  });

  it.each(MEDIA_ERROR_CODES)("%s has one status and a sentence", (code) => {
    expect(ERROR_MAP[code].status).toBeGreaterThanOrEqual(400);
    const facts = {
      code,
      accepted: ["image/jpeg"],
      issues: [{ path: "a", message: "b" }],
      allowed: ["GET"],
      right: "r",
      reason: "because",
    };
    expect(describeFailure(facts as unknown as MediaFailure)).toMatch(/\w/);
  });

  it("an error nobody foresaw says nothing of itself", () => {
    expect(toFailure(new Error("secret path"))).toEqual({ code: "INTERNAL" });
    expect(toFailure("thrown text")).toEqual({ code: "INTERNAL" });
    expect(new MediaError({ code: "INTERNAL" }).message).not.toMatch(/secret/);
  });

  it("health, readiness and metrics answer without a token", async () => {
    expect((await server.call("GET", "/healthz")).body).toMatchObject({ status: "ok" });
    expect(await server.call("GET", "/readyz")).toMatchObject({
      status: 200,
      body: { status: "ready", checks: { database: "ok", storage: "ok" } },
    });
    const metrics = await (await fetch(`${server.baseUrl}/metrics`)).text();
    expect(metrics).toMatch(/media_http_request_seconds_count\{method="GET",route="\/healthz",status="200"\} \d+/);
    expect(metrics).not.toContain("USR-1");
  });

  // An S3 store that does not answer is in `store-faults.test.ts`; a disk goes away in its own way.
  it.runIf(currentCombination().store === "local")("is not ready while its disk is away, and is again", async () => {
    await rename(`${server.folder}/files`, `${server.folder}/gone`);
    expect(await server.call("GET", "/readyz")).toMatchObject({
      status: 503,
      body: { checks: { database: "ok", storage: "unavailable" } },
    });
    await rename(`${server.folder}/gone`, `${server.folder}/files`);
    expect((await server.call("GET", "/readyz")).status).toBe(200);
  });

  it("describes every address, uploads and errors included", async () => {
    const { body } = await server.call<{
      openapi: string;
      paths: Record<string, Record<string, { responses: Record<string, unknown> }>>;
      components: { schemas: Record<string, unknown> };
    }>("GET", "/openapi.json");
    expect(body.openapi).toBe("3.1.0");
    expect(Object.keys(body.paths)).toEqual(
      expect.arrayContaining([
        "/v1/media/upload",
        "/v1/media/batch/upload",
        "/v1/media/communities/{parentId}/amenities/{id}/photos",
        "/v1/media/{id}",
        "/v1/media/entity/{type}/{id}",
        "/v1/entities/{type}/{publicId}/grants/{userId}",
        "/v1/auth/login",
        "/files/{key}",
        "/healthz",
      ]),
    );
    const operations = Object.values(body.paths).flatMap((path) => Object.values(path)) as unknown as {
      operationId: string;
    }[];
    expect(new Set(operations.map((o) => o.operationId)).size).toBe(operations.length);
    expect(body.paths["/v1/media/{id}"]?.get?.responses).toMatchObject({ 200: {}, 404: {}, 503: {} });
    expect(Object.keys(body.components.schemas)).toEqual(
      expect.arrayContaining(["MediaOut", "Problem", "UploadResult"]),
    );
  });
});
