import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  createMediaClient,
  MediaClientError,
  type MediaClientOptions,
  type UploadPlace,
  type UploadProgress,
} from "../../client/index.js";
import { ATTACHMENTS } from "../../src/media/attachments.js";
import { startWireServer } from "../support/wire-server.js";
import { MEDIA, problem } from "./wire-answers.js";

type SeenFile = { name: string; filename: string; type: string; text: string };
type Seen = { method: string; path: string; headers: Headers; fields: [string, string][]; files: SeenFile[] };

const PLACE = { entityType: "property", id: "PRP-1", field: "gallery" } as const satisfies UploadPlace;
const ANSWER = { media: MEDIA, message: "The picture was stored.", duplicates: [] };
const UUID = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;
const file = (name = "a.jpg", text = "bytes") => new File([text], name, { type: "image/jpeg" });

let server: Awaited<ReturnType<typeof startWireServer>>;
let answer: () => Response | Promise<Response>;
let seen: Seen[];

/** Everything that came, as the server's form parser would see it; parts keep their order. */
async function record(request: Request): Promise<Response> {
  const { method, headers } = request;
  const fields: [string, string][] = [];
  const files: SeenFile[] = [];
  for (const [name, value] of await request.formData()) {
    if (typeof value === "string") fields.push([name, value]);
    else files.push({ name, filename: value.name, type: value.type, text: await value.text() });
  }
  seen.push({ method, path: new URL(request.url).pathname, headers, fields, files });
  return answer();
}

beforeAll(async () => {
  server = await startWireServer(record);
});
afterAll(() => server.stop());
beforeEach(() => {
  seen = [];
  answer = () => Response.json(ANSWER, { status: 201 });
});

/** One try: `retry.test.ts` tells what follows a failure. */
const client = (options: Partial<MediaClientOptions> = {}) =>
  createMediaClient({ baseUrl: server.baseUrl, retries: 0, ...options });

async function failure(promise: Promise<unknown>): Promise<MediaClientError> {
  const error = await promise.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(MediaClientError);
  return error as MediaClientError;
}

describe("an upload", () => {
  it.each(ATTACHMENTS.map((a) => [a.entityType, a.field, a.path] as const))(
    "to the %s's %s goes to the address of the attachment table",
    async (entityType, field, path) => {
      await client().upload({ entityType, field, id: "X-1", parentId: "CMY-9" } as UploadPlace, file());
      expect(seen[0]).toMatchObject({
        method: "POST",
        path: `/v1/media${path.replace("{id}", "X-1").replace("{parentId}", "CMY-9")}`,
      });
    },
  );

  it("answers the item, the message and the duplicates", async () => {
    expect(await client().upload(PLACE, file())).toEqual(ANSWER);
  });

  it("goes to the address for uploads where there is one", async () => {
    await client({ baseUrl: "http://127.0.0.1:1", uploadBaseUrl: `${server.baseUrl}/up/` }).upload(PLACE, file());
    expect(seen.map(({ path }) => path)).toEqual(["/up/v1/media/properties/PRP-1/photos"]);
  });

  describe("where the server takes no files", () => {
    const elsewhere = (uploadUrl: string | null) => problem({ code: "UPLOAD_ELSEWHERE", uploadUrl });
    const isThere = () => seen.at(-1)?.path === "/there";
    // `fetch` itself tries once more after a 421, on a new connection.
    const paths = () => [...new Set(seen.map(({ path }) => path))];

    it("goes on to the one that does, whole and under the same key", async () => {
      const stored = () => Response.json(ANSWER, { status: 201 });
      answer = () => (isThere() ? stored() : elsewhere(`${server.baseUrl}/there`));
      expect(await client().upload(PLACE, file("a.jpg", "bytes"), { altText: "A" })).toEqual(ANSWER);
      expect(paths()).toEqual(["/v1/media/properties/PRP-1/photos", "/there"]);
      expect(seen.at(-1)).toMatchObject({ fields: seen[0]?.fields, files: seen[0]?.files });
      expect(seen.at(-1)?.headers.get("idempotency-key")).toBe(seen[0]?.headers.get("idempotency-key"));
    });

    it("fails where it names no other", async () => {
      answer = () => elsewhere(null);
      const { problem } = await failure(client().upload(PLACE, file()));
      expect(problem).toMatchObject({ code: "UPLOAD_ELSEWHERE", uploadUrl: null, status: 421 });
    });

    it("goes on once and no further", async () => {
      answer = () => elsewhere(`${server.baseUrl}${isThere() ? "/further" : "/there"}`);
      expect((await failure(client().upload(PLACE, file()))).code).toBe("UPLOAD_ELSEWHERE");
      expect(paths()).toEqual(["/v1/media/properties/PRP-1/photos", "/there"]);
    });

    it("does not carry its token from https to http", async () => {
      const asked: string[] = [];
      const fetch = async (url: unknown) => {
        asked.push(String(url));
        return elsewhere("http://media.example/there");
      };
      const secure = client({ baseUrl: "https://media.example", fetch });
      expect((await failure(secure.upload(PLACE, file()))).code).toBe("UPLOAD_ELSEWHERE");
      expect(asked).toHaveLength(1);
    });
  });

  it("takes integer ids and escapes what an id may hold", async () => {
    await client().upload({ ...PLACE, id: 42 }, file());
    await client().upload({ ...PLACE, id: "a/b?c" }, file());
    expect(seen.map(({ path }) => path)).toEqual([
      "/v1/media/properties/42/photos",
      "/v1/media/properties/a%2Fb%3Fc/photos",
    ]);
  });

  it("keeps a path before the API and does without a slash at the end", async () => {
    await client({ baseUrl: `${server.baseUrl}/media-server//` }).upload(PLACE, file());
    expect(seen[0]?.path).toBe("/media-server/v1/media/properties/PRP-1/photos");
  });

  it("sends the file's name, type and bytes under `file`", async () => {
    await client().upload(PLACE, file("Haus am Hügel.jpg", "ünïcode"));
    expect(seen[0]?.files).toEqual([
      { name: "file", filename: "Haus am Hügel.jpg", type: "image/jpeg", text: "ünïcode" },
    ]);
  });

  it("sends every field under its wire name", async () => {
    const fields = {
      altText: "A house",
      caption: "Our house",
      tags: ["front", "garden"],
      sortOrder: 3,
      isPublic: false,
      isPrimary: true,
      onDuplicate: "reuse",
    } as const;
    await client().upload(PLACE, file(), fields);
    expect(seen[0]?.fields).toEqual([
      ["alt_text", "A house"],
      ["caption", "Our house"],
      ["tags", "front,garden"],
      ["sort_order", "3"],
      ["is_public", "false"],
      ["is_primary", "true"],
      ["on_duplicate", "reuse"],
    ]);
  });

  it("sends no field that was not given", async () => {
    await client().upload(PLACE, file(), { altText: undefined });
    expect(seen[0]?.fields).toEqual([]);
  });

  it("puts fields before the file, so that the server can refuse early", async () => {
    let body = "";
    const capture: typeof fetch = async (_, init) => {
      body = await new Response(init?.body).text();
      return answer();
    };
    await client({ fetch: capture }).upload(PLACE, file(), { altText: "A house" });
    expect(body.indexOf('name="alt_text"')).toBeGreaterThan(-1);
    expect(body.indexOf('name="alt_text"')).toBeLessThan(body.indexOf('name="file"'));
  });

  it("passes an idempotency key on, and makes one for each call without", async () => {
    await client().upload(PLACE, file(), { idempotencyKey: "key-1" });
    await client().upload(PLACE, file());
    answer = () => Response.json({ uploaded: [], uploadedCount: 0, failed: [], failedCount: 0, message: "" });
    await client().uploadBatch(PLACE, [file()]);
    const [given, first, second] = seen.map(({ headers }) => headers.get("idempotency-key"));
    expect(given).toBe("key-1");
    expect([first, second]).toEqual([expect.stringMatching(UUID), expect.stringMatching(UUID)]);
    expect(first).not.toBe(second);
  });

  it.each<[string, MediaClientOptions["token"], string | null]>([
    ["a token", "secret", "Bearer secret"],
    ["a function's token", () => "secret", "Bearer secret"],
    ["a promised token", () => Promise.resolve("secret"), "Bearer secret"],
    ["no token", undefined, null],
    ["an empty token", () => "", null],
  ])("authorises with %s", async (_, token, expected) => {
    await client({ token }).upload(PLACE, file());
    expect(seen[0]?.headers.get("authorization")).toBe(expected);
  });

  it("asks for the token at each request", async () => {
    const tokens = ["first", "second"];
    const one = client({ token: () => tokens.shift() ?? "" });
    await one.upload(PLACE, file());
    await one.upload(PLACE, file());
    expect(seen.map(({ headers }) => headers.get("authorization"))).toEqual(["Bearer first", "Bearer second"]);
  });

  it("hands credentials to fetch, and leaves its default where none are given", async () => {
    const inits: (RequestInit | undefined)[] = [];
    const capture: typeof fetch = async (_, init) => {
      inits.push(init);
      return answer();
    };
    await client({ fetch: capture, credentials: "include" }).upload(PLACE, file());
    await client({ fetch: capture }).upload(PLACE, file());
    expect(inits.map((init) => init?.credentials)).toEqual(["include", undefined]);
    expect(inits[1]).not.toHaveProperty("credentials");
  });

  it("tells of the end where bytes under way cannot be seen", async () => {
    const progress: UploadProgress[] = [];
    await client().upload(PLACE, file("a.jpg", "12345"), { onProgress: (p) => progress.push(p) });
    expect(progress).toEqual([{ loaded: 5, total: 5 }]);
  });

  it("to a place that does not exist is a mistake of the caller, and nothing is sent", async () => {
    const nowhere = { entityType: "user", id: 1, field: "gallery" } as unknown as UploadPlace;
    const orphan = { entityType: "amenity", id: 1, field: "gallery" } as unknown as UploadPlace;
    await expect(client().upload(nowhere, file())).rejects.toThrow(TypeError);
    await expect(client().upload(orphan, file())).rejects.toThrow(/parentId/);
    expect(seen).toEqual([]);
  });
});

describe("a refused upload", () => {
  it("throws the problem with its facts", async () => {
    answer = () => problem({ code: "FILE_TOO_LARGE", maxBytes: 20_971_520 });
    const error = await failure(client().upload(PLACE, file()));
    expect(error).toMatchObject({
      name: "MediaClientError",
      code: "FILE_TOO_LARGE",
      status: 400,
      requestId: "req-1",
      retryAfterSeconds: null,
      message: "The file is larger than the limit of 20971520 bytes.",
      detail: "The file is larger than the limit of 20971520 bytes.",
    });
    expect(error.problem).toEqual({
      code: "FILE_TOO_LARGE",
      maxBytes: 20_971_520,
      status: 400,
      detail: error.detail,
      requestId: "req-1",
      retryAfterSeconds: null,
    });
  });

  it("says when to come back", async () => {
    answer = () => problem({ code: "OVERLOADED", retryAfterSeconds: 5 }, { "Retry-After": "5" });
    expect(await failure(client().upload(PLACE, file()))).toMatchObject({ code: "OVERLOADED", retryAfterSeconds: 5 });
  });

  it("by something that is not the API keeps status, request id and Retry-After", async () => {
    const headers = { "Retry-After": "30", "X-Request-Id": "proxy-9", "Content-Type": "text/html" };
    answer = () => new Response("<h1>Bad gateway</h1>", { status: 502, headers });
    expect(await failure(client().upload(PLACE, file()))).toMatchObject({
      code: "UNREADABLE_ANSWER",
      status: 502,
      requestId: "proxy-9",
      retryAfterSeconds: 30,
    });
  });

  it.each([
    ["a code from a later server", () => Response.json({ code: "SOMETHING_NEW", detail: "?" }, { status: 418 }), 418],
    ["success without an item", () => Response.json({ ok: true }, { status: 200 }), 200],
    ["success without a body", () => new Response(null, { status: 204 }), 204],
    ["JSON that is no object", () => Response.json(null, { status: 201 }), 201],
    [
      "a date in Retry-After",
      () => new Response("", { status: 503, headers: { "Retry-After": "Sun, 22 Nov 2026 10:00:00 GMT" } }),
      503,
    ],
  ])("with %s is unreadable, not a value", async (_, respond, status) => {
    answer = respond;
    const error = await failure(client().upload(PLACE, file()));
    expect([error.code, error.status, error.retryAfterSeconds]).toEqual(["UNREADABLE_ANSWER", status, null]);
  });

  it("has no status where no answer came", async () => {
    const gone = await startWireServer(record);
    await gone.stop();
    const error = await failure(client({ baseUrl: gone.baseUrl }).upload(PLACE, file()));
    expect(error).toMatchObject({ code: "NO_ANSWER", status: null, requestId: null });
    expect(error.cause).toBeInstanceOf(TypeError);
  });

  it("is the same class where the token's source fails", async () => {
    const source = () => Promise.reject(new Error("signed out"));
    const error = await failure(client({ token: source }).upload(PLACE, file()));
    expect([error.code, error.detail]).toEqual(["NO_ANSWER", "No answer came: signed out."]);
    expect(seen).toEqual([]);
  });
});

describe("an upload that is cancelled", () => {
  it("before it starts sends nothing", async () => {
    const error = await failure(client().upload(PLACE, file(), { signal: AbortSignal.abort() }));
    expect([error.code, error.status]).toEqual(["ABORTED", null]);
    expect(seen).toEqual([]);
  });

  it("while the token is fetched sends nothing and leaves no rejection behind", async () => {
    const rejections: unknown[] = [];
    const listen = (reason: unknown) => rejections.push(reason);
    process.on("unhandledRejection", listen);
    const controller = new AbortController();
    const token = async () => {
      controller.abort();
      return "late";
    };
    const error = await failure(client({ token }).upload(PLACE, file(), { signal: controller.signal }));
    await new Promise((resolve) => setTimeout(resolve, 20));
    process.off("unhandledRejection", listen);
    expect([error.code, seen, rejections]).toEqual(["ABORTED", [], []]);
  });

  it("while the server works ends at once, whatever the reason given", async () => {
    const controller = new AbortController();
    let release = (_: Response): void => undefined;
    answer = () => {
      controller.abort(new Error("another picture was chosen"));
      return new Promise((resolve) => {
        release = resolve;
      });
    };
    const error = await failure(client().upload(PLACE, file(), { signal: controller.signal }));
    release(Response.json(ANSWER));
    expect(error.code).toBe("ABORTED");
    expect(error.cause).toMatchObject({ message: "another picture was chosen" });
  });
});

describe("a batch", () => {
  const failed = { index: 1, filename: "b.txt", code: "UNSUPPORTED_TYPE", message: "no", retryable: false };

  it("sends the place, the fields and every file in order", async () => {
    answer = () => Response.json({ uploaded: [MEDIA], uploadedCount: 1, failed: [], failedCount: 0, message: "" });
    await client().uploadBatch(PLACE, [file("a.jpg", "1"), file("b.jpg", "2")], { tags: ["x", "y"], isPublic: false });
    expect(seen[0]).toMatchObject({ method: "POST", path: "/v1/media/batch/upload" });
    expect(seen[0]?.fields).toEqual([
      ["entity_type", "property"],
      ["entity_id", "PRP-1"],
      ["entity_field", "gallery"],
      ["tags", "x,y"],
      ["is_public", "false"],
    ]);
    expect(seen[0]?.files.map(({ name, filename, text }) => [name, filename, text])).toEqual([
      ["files", "a.jpg", "1"],
      ["files", "b.jpg", "2"],
    ]);
  });

  it.each([
    [201, { uploaded: [MEDIA], uploadedCount: 1, failed: [], failedCount: 0, message: "1 of 1" }],
    [207, { uploaded: [MEDIA], uploadedCount: 1, failed: [failed], failedCount: 1, message: "1 of 2" }],
    [400, { uploaded: [], uploadedCount: 0, failed: [failed], failedCount: 1, message: "0 of 1" }],
  ])("answered with %i and items is a value", async (status, body) => {
    answer = () => Response.json(body, { status });
    expect(await client().uploadBatch(PLACE, [file()])).toEqual(body);
  });

  it("refused as a whole throws", async () => {
    answer = () => problem({ code: "TOO_MANY_FILES", maxFiles: 20 });
    const error = await failure(client().uploadBatch(PLACE, [file()]));
    expect(error.problem).toMatchObject({ code: "TOO_MANY_FILES", maxFiles: 20, status: 400 });
  });

  it("refused for a missing right tells which", async () => {
    const missing = { right: "upload", subject: "property PRP-1", reason: "it is held by the owner" };
    answer = () => problem({ code: "FORBIDDEN", ...missing });
    expect((await failure(client().uploadBatch(PLACE, [file()]))).problem).toMatchObject({ status: 403, ...missing });
  });
});
