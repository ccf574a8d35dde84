import { fetchRequestHandler } from "@trpc/server/adapters/fetch";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  createMediaClient,
  MediaClientError,
  type MediaClientOptions,
  toMediaClientError,
} from "../../client/index.js";
import { type Actor, ANONYMOUS } from "../../src/media/actor.js";
import { appRouter } from "../../src/procedures/index.js";
import type { ProcedureContext } from "../../src/procedures/trpc.js";
import { startWireServer } from "../support/wire-server.js";
import { problem } from "./wire-answers.js";

let server: Awaited<ReturnType<typeof startWireServer>>;
let answer: (request: Request) => Response | Promise<Response>;
let requests: Request[];

/** The server's own procedures, for calls that are decided before anything is looked up. */
const answerAs = (actor: Actor) => (request: Request) =>
  fetchRequestHandler({
    endpoint: "/trpc",
    req: request,
    router: appRouter,
    createContext: () => ({ actor, requestId: "req-9" }) as ProcedureContext,
  });

beforeAll(async () => {
  server = await startWireServer((request) => {
    requests.push(request);
    return answer(request);
  });
});
afterAll(() => server.stop());
beforeEach(() => {
  requests = [];
  answer = answerAs(ANONYMOUS);
});

const api = (options: Partial<MediaClientOptions> = {}) =>
  createMediaClient({ baseUrl: server.baseUrl, ...options }).api;

async function failure(promise: Promise<unknown>): Promise<MediaClientError> {
  const error = await promise.then(
    () => expect.unreachable("the call succeeded"),
    (thrown: unknown) => thrown,
  );
  return toMediaClientError(error);
}

describe("the api", () => {
  it("calls procedures and answers their output", async () => {
    answer = answerAs({ kind: "service" });
    expect(await api().auth.me.query()).toEqual({ kind: "service" });
  });

  it("sends the token and puts calls made together into one request", async () => {
    answer = answerAs({ kind: "service" });
    const client = api({ token: () => Promise.resolve("secret") });
    await Promise.all([client.auth.me.query(), client.auth.me.query()]);
    expect(requests.map((request) => request.headers.get("authorization"))).toEqual(["Bearer secret"]);
    expect(new URL(requests[0]?.url ?? "").pathname).toBe("/trpc/auth.me,auth.me");
  });

  it("splits what would make an address too long for common proxies", async () => {
    const client = api();
    const calls = Array.from({ length: 12 }, () => client.media.getByPublicId.query({ publicId: "x".repeat(1000) }));
    const codes = (await Promise.all(calls.map(failure))).map((error) => error.code);
    expect(codes).toEqual(calls.map(() => "VALIDATION"));
    expect(requests.length).toBeGreaterThan(1);
    expect(Math.max(...requests.map((request) => request.url.length))).toBeLessThan(8000);
  });

  it("uses the fetch and the credentials it was given", async () => {
    const inits: (RequestInit | undefined)[] = [];
    const capture: typeof fetch = (url, init) => {
      inits.push(init);
      return fetch(url, init);
    };
    await failure(api({ fetch: capture, credentials: "include" }).auth.me.query());
    await failure(api({ fetch: capture }).auth.me.query());
    expect(inits.map((init) => init?.credentials)).toEqual(["include", undefined]);
  });
});

describe("a failed call, read by toMediaClientError", () => {
  it("carries code, status, sentence and request id", async () => {
    const error = await failure(api().auth.me.query());
    expect(error).toBeInstanceOf(MediaClientError);
    expect(error.problem).toEqual({
      code: "UNAUTHENTICATED",
      status: 401,
      detail: "Sign in, or send a valid bearer token.",
      requestId: "req-9",
      retryAfterSeconds: null,
      path: "auth.me",
    });
    expect(error.cause).toMatchObject({ name: "TRPCClientError" });
  });

  it("carries the facts of the failure", async () => {
    answer = answerAs({ kind: "user", id: "USR-1", role: "user", verified: false });
    const forbidden = await failure(api().users.upsert.mutate({ publicId: "USR-2" }));
    expect(forbidden.problem).toMatchObject({ code: "FORBIDDEN", status: 403, right: "administer", subject: null });
    const invalid = await failure(api().media.list.query({ type: "property", id: "PRP-1", limit: 1000 }));
    expect(invalid.problem).toMatchObject({ code: "VALIDATION", status: 400, issues: [{ path: "limit" }] });
  });

  it("tells two failures of one batch apart", async () => {
    const client = api();
    const [first, second] = await Promise.all([
      failure(client.auth.me.query()),
      failure(client.media.list.query({ type: "property", id: "PRP-1", limit: 0 })),
    ]);
    expect([first.code, second.code]).toEqual(["UNAUTHENTICATED", "VALIDATION"]);
  });

  it("reads what was refused before any procedure was called", async () => {
    answer = () => problem({ code: "RATE_LIMITED", retryAfterSeconds: 7 });
    const error = await failure(api().auth.me.query());
    expect(error).toMatchObject({ code: "RATE_LIMITED", status: 429, requestId: "req-1", retryAfterSeconds: 7 });
  });

  it("reads it too from a fetch whose answers are of a class of their own", async () => {
    answer = () => problem({ code: "UNAUTHENTICATED" });
    const foreign = async (...request: Parameters<typeof fetch>) => {
      const response = await fetch(...request);
      const { status, headers } = response;
      return { status, headers, json: () => response.json() } as Response;
    };
    const error = await failure(api({ fetch: foreign }).auth.me.query());
    expect(error).toMatchObject({ code: "UNAUTHENTICATED", status: 401, requestId: "req-1" });
  });

  it("keeps the status of an answer that is not the API's", async () => {
    const headers = { "Retry-After": "30", "Content-Type": "application/json" };
    answer = () => new Response('{"message":"upstream"}', { status: 502, headers });
    const error = await failure(api().auth.me.query());
    expect(error).toMatchObject({ code: "UNREADABLE_ANSWER", status: 502, retryAfterSeconds: 30 });
  });

  it("keeps it for a page that is not even JSON", async () => {
    answer = () => new Response("<h1>Bad gateway</h1>", { status: 502 });
    expect(await failure(api().auth.me.query())).toMatchObject({ code: "UNREADABLE_ANSWER", status: 502 });
  });

  it("is NO_ANSWER where nothing listens", async () => {
    const gone = await startWireServer(() => new Response());
    await gone.stop();
    expect(await failure(api({ baseUrl: gone.baseUrl }).auth.me.query())).toMatchObject({
      code: "NO_ANSWER",
      status: null,
    });
  });

  it.each([
    ["before it starts", AbortSignal.abort()],
    ["while it runs", AbortSignal.timeout(50)],
  ])("is ABORTED where the signal ended it %s", async (_, signal) => {
    answer = () => new Promise(() => undefined);
    expect((await failure(api().auth.me.query(undefined, { signal }))).code).toBe("ABORTED");
  });

  it("is left as it is when it was read before", () => {
    const error = toMediaClientError(new Error("boom"));
    expect(toMediaClientError(error)).toBe(error);
    expect(error).toMatchObject({ code: "NO_ANSWER", detail: "No answer came: boom." });
    expect(toMediaClientError("text").detail).toBe("No answer came: text.");
  });
});
