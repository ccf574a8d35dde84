import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createMediaClient, MediaClientError, type RetryNotice, type UploadProgress } from "../../client/index.js";
import { delayAfter, isPassing, pause } from "../../client/retry.js";
import { type UploadConnection, type UploadOptions, upload } from "../../client/upload.js";
import { MEDIA_ERROR_CODES, type MediaFailure } from "../../src/media/errors.js";
import { ERROR_MAP } from "../../src/procedures/error-map.js";
import { scenery } from "../support/pictures.js";
import { startTestServer } from "../support/server.js";
import { startWireServer } from "../support/wire-server.js";
import { MEDIA, problem } from "./wire-answers.js";

const PLACE = { entityType: "property", id: "PRP-1", field: "gallery" } as const;
const file = () => new File(["12345"], "a.jpg", { type: "image/jpeg" });
const stored = () => Response.json({ media: MEDIA, message: "stored", duplicates: [] }, { status: 201 });

const failureWith = (problem: Record<string, unknown>) =>
  new MediaClientError({ status: null, detail: "", requestId: null, retryAfterSeconds: null, ...problem } as never);

describe("a failure that may pass", () => {
  it("is of a code the server calls retryable, or the conflict with an upload of the same key", () => {
    const expected = MEDIA_ERROR_CODES.filter((code) => [408, 429, 500, 503].includes(ERROR_MAP[code].status));
    const passing = MEDIA_ERROR_CODES.filter((code) => isPassing({ code, status: ERROR_MAP[code].status }));
    expect(passing.sort()).toEqual([...expected, "CONFLICT"].sort());
  });

  it.each([
    ["NO_ANSWER", null, true],
    ["ABORTED", null, false],
    ["UNREADABLE_ANSWER", 502, true],
    ["UNREADABLE_ANSWER", 504, true],
    ["UNREADABLE_ANSWER", 429, true],
    ["UNREADABLE_ANSWER", 200, false],
    ["UNREADABLE_ANSWER", 404, false],
  ] as const)("%s with status %s: %s", (code, status, passes) => {
    expect(isPassing({ code, status })).toBe(passes);
  });
});

describe("the delay before another try", () => {
  const busy = (retryAfterSeconds: number | null) =>
    failureWith({ code: "OVERLOADED", status: 503, retryAfterSeconds });

  it("doubles up to a limit, less a random part of up to a half", () => {
    const delays = (random: number) => [1, 2, 3, 4, 20].map((tries) => delayAfter(busy(null), tries, () => random));
    expect(delays(0)).toEqual([500, 1000, 2000, 4000, 20_000]);
    expect(delays(1)).toEqual([250, 500, 1000, 2000, 10_000]);
  });

  it("is never less than the server asked for, and spread after it", () => {
    expect(delayAfter(busy(7), 1, () => 0)).toBe(7000);
    expect(delayAfter(busy(7), 1, () => 0.5)).toBe(7250);
    expect(delayAfter(busy(1), 4, () => 0)).toBe(4000);
    expect(delayAfter(busy(60), 1, () => 0)).toBe(60_000);
  });

  it("is none where the server asked for more than a minute, or nothing will change", () => {
    expect(delayAfter(busy(61), 1, () => 0)).toBeNull();
    expect(delayAfter(failureWith({ code: "FORBIDDEN", status: 403 }), 1, () => 0)).toBeNull();
    expect(delayAfter(new TypeError("no such place"), 1, () => 0)).toBeNull();
  });
});

describe("an upload", () => {
  let server: Awaited<ReturnType<typeof startWireServer>>;
  let answers: (() => Response)[];
  let keys: (string | null)[];
  let tokens: (string | null)[];
  /** Bytes of the file as each try brought it. */
  let sizes: number[];
  let pauses: number[];

  beforeAll(async () => {
    server = await startWireServer(async (request) => {
      keys.push(request.headers.get("idempotency-key"));
      tokens.push(request.headers.get("authorization"));
      sizes.push(((await request.formData()).get("file") as File).size);
      return (answers.shift() ?? stored)();
    });
  });
  afterAll(() => server.stop());
  beforeEach(() => {
    answers = [];
    keys = [];
    tokens = [];
    sizes = [];
    pauses = [];
  });

  const connection = (changes: Partial<UploadConnection> = {}): UploadConnection => ({
    baseUrl: server.baseUrl,
    uploadBaseUrl: server.baseUrl,
    authorize: () => Promise.resolve({}),
    credentials: undefined,
    fetch,
    retries: 4,
    random: () => 0,
    pause: async (milliseconds) => {
      pauses.push(milliseconds);
    },
    ...changes,
  });
  const send = (options: UploadOptions = {}, changes: Partial<UploadConnection> = {}) =>
    upload(connection(changes), PLACE, file(), options);
  const codeOf = (promise: Promise<unknown>) =>
    promise.then(
      () => "stored",
      (error: unknown) => (error as MediaClientError).code,
    );

  it.each<[string, MediaFailure]>([
    ["the server is busy", { code: "OVERLOADED", retryAfterSeconds: 0 }],
    ["the store is away", { code: "STORAGE_UNAVAILABLE", retryAfterSeconds: 0 }],
    ["the server failed", { code: "INTERNAL" }],
    ["the body stood still", { code: "REQUEST_TIMEOUT", seconds: 30 }],
    ["the first try still runs", { code: "CONFLICT", reason: "still running" }],
  ])("is tried again under the same key while %s", async (_, failure) => {
    answers = [() => problem(failure), () => problem(failure)];
    expect((await send()).media.publicId).toBe("MED-7");
    expect(sizes).toEqual([5, 5, 5]);
    expect(keys).toEqual([expect.any(String), keys[0], keys[0]]);
    expect(pauses).toEqual([500, 1000]);
  });

  it("comes back when it was told to", async () => {
    answers = [() => problem({ code: "RATE_LIMITED", retryAfterSeconds: 9 })];
    await send();
    expect(pauses).toEqual([9000]);
  });

  it("keeps the key it was given for every try", async () => {
    answers = [() => new Response("<h1>Bad gateway</h1>", { status: 502 })];
    await send({ idempotencyKey: "key-1" });
    expect(keys).toEqual(["key-1", "key-1"]);
  });

  it("is tried again where no answer came", async () => {
    let lost = 2;
    const flaky: typeof fetch = (...request) =>
      lost-- > 0 ? Promise.reject(new TypeError("gone")) : fetch(...request);
    expect((await send({}, { fetch: flaky })).message).toBe("stored");
    expect([keys.length, pauses]).toEqual([1, [500, 1000]]);
  });

  it("is tried five times, and then the last failure is thrown as it came", async () => {
    answers = Array.from({ length: 5 }, (_, at) => () => problem({ code: "OVERLOADED", retryAfterSeconds: at }));
    const error = await send().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "OVERLOADED", status: 503, retryAfterSeconds: 4, requestId: "req-1" });
    expect([keys.length, pauses]).toEqual([5, [500, 1000, 2000, 4000]]);
  });

  it("is tried as often as the call says, else the client", async () => {
    answers = Array.from({ length: 9 }, () => () => problem({ code: "INTERNAL" }));
    expect(await codeOf(send({ retries: 0 }))).toBe("INTERNAL");
    expect(keys).toHaveLength(1);
    expect(await codeOf(send({}, { retries: 1 }))).toBe("INTERNAL");
    expect(keys).toHaveLength(3);
    expect(await codeOf(send({ retries: 2 }, { retries: 0 }))).toBe("INTERNAL");
    expect(keys).toHaveLength(6);
  });

  it.each<MediaFailure>([
    { code: "FILE_TOO_LARGE", maxBytes: 1 },
    { code: "UNAUTHENTICATED" },
    { code: "DUPLICATE", publicId: "MED-1", distance: 0, tier: "exact" },
    { code: "IDEMPOTENCY_MISMATCH" },
    { code: "ENTITY_NOT_FOUND", entityType: "property", entityId: "PRP-1" },
  ])("is not tried again after $code", async (failure) => {
    answers = [() => problem(failure)];
    expect(await codeOf(send())).toBe(failure.code);
    expect([keys.length, pauses]).toEqual([1, []]);
  });

  it("takes a token for each try", async () => {
    answers = [() => problem({ code: "INTERNAL" })];
    const fresh = ["first", "second"];
    await send({}, { authorize: async () => ({ Authorization: `Bearer ${fresh.shift()}` }) });
    expect(tokens).toEqual(["Bearer first", "Bearer second"]);
  });

  it("tells of the retry, and takes back the progress of the try that failed", async () => {
    answers = [() => problem({ code: "INTERNAL" })];
    const events: (UploadProgress | RetryNotice)[] = [];
    await send({ onProgress: (progress) => events.push(progress), onRetry: (notice) => events.push(notice) });
    expect(events).toEqual([
      { loaded: 5, total: 5 },
      { loaded: 0, total: 5 },
      { tries: 1, delayMs: 500, error: expect.objectContaining({ code: "INTERNAL" }) },
      { loaded: 5, total: 5 },
    ]);
  });

  it("that is aborted while it waits ends at once, and nothing follows", async () => {
    answers = [() => problem({ code: "OVERLOADED", retryAfterSeconds: 59 })];
    const controller = new AbortController();
    const client = createMediaClient({ baseUrl: server.baseUrl });
    const onRetry = () => void setTimeout(() => controller.abort(new Error("enough")), 1);
    const error = await client.upload(PLACE, file(), { signal: controller.signal, onRetry }).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: "ABORTED", cause: { message: "enough" } });
    expect(keys).toHaveLength(1);
  });

  it("waits by itself where the client was made as usual", async () => {
    answers = [() => problem({ code: "INTERNAL" })];
    const { media } = await createMediaClient({ baseUrl: server.baseUrl }).upload(PLACE, file());
    expect([media.publicId, keys.length]).toEqual(["MED-7", 2]);
  });
});

describe("waiting", () => {
  it("does not begin for a signal that was aborted before, and leaves no listener when it is over", async () => {
    await expect(pause(60_000, AbortSignal.abort())).rejects.toMatchObject({ code: "ABORTED" });
    const { signal } = new AbortController();
    let listeners = 0;
    const counted = Object.create(signal, {
      aborted: { value: false },
      addEventListener: { value: () => listeners++ },
      removeEventListener: { value: () => listeners-- },
    }) as AbortSignal;
    await pause(1, counted);
    expect(listeners).toBe(0);
  });
});

describe("an upload to the server whose answer is lost", () => {
  let server: Awaited<ReturnType<typeof startTestServer>>;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.stop());

  it("is stored once, and the next try answers it", async () => {
    const token = await server.user("USR-1");
    await server.entity("builder", "BLD-1", { ownerId: "USR-1" });
    await server.entity("property", "PRP-1", { parentId: "BLD-1" });
    const replays: (string | null)[] = [];
    const losing: typeof fetch = async (...request) => {
      const response = await fetch(...request);
      replays.push(response.headers.get("idempotent-replay"));
      if (replays.length === 1) throw new TypeError("the connection broke off");
      return response;
    };
    const client = createMediaClient({ baseUrl: server.baseUrl, token, fetch: losing });
    const picture = new File([new Uint8Array(await scenery(320, 240).jpeg().toBuffer())], "a.jpg");
    const { media } = await client.upload(PLACE, picture);
    expect(replays).toEqual([null, "true"]);
    const { items } = await createMediaClient({ baseUrl: server.baseUrl, token }).api.media.list.query({
      type: "property",
      id: "PRP-1",
    });
    expect(items.map((item) => item.publicId)).toEqual([media.publicId]);
  });
});
