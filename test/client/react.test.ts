import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createElement, type ReactNode, StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, expectTypeOf, it } from "vitest";
import { createMediaClient, type MediaClient, type MediaClientError, type MediaOut } from "../../client/index.js";
import {
  MEDIA_KEY,
  MediaProvider,
  type MutationInput,
  type PagedName,
  type QueryInput,
  type QueryOutput,
  useMediaClient,
  useMediaMutation,
  useMediaPages,
  useMediaQuery,
  useUpload,
} from "../../client/react.js";
import { scenery } from "../support/pictures.js";
import { startTestServer, type TestServer } from "../support/server.js";
import { startWireServer } from "../support/wire-server.js";
import { acting, openBrowser, until } from "./rendering.js";
import { MEDIA, problem } from "./wire-answers.js";

const TO = { entityType: "property", id: "PRP-1", field: "gallery" } as const;
const PLACE = { type: "property", id: "PRP-1", field: "gallery" } as const;
const file = () => new File(["12345"], "a.jpg", { type: "image/jpeg" });

let browser: ReturnType<typeof openBrowser>;
const ended: (() => Promise<void>)[] = [];

beforeAll(() => {
  browser = openBrowser();
});
afterAll(() => browser.close());
afterEach(async () => {
  for (const end of ended.splice(0)) await end();
});

type Around = { client?: MediaClient; queries?: QueryClient };

/** Renders a hook, in strict mode, below the providers given; `current` is what it answered last. */
async function render<T>(useIt: () => T, { client, queries }: Around = {}) {
  const shown: { current: T } = { current: undefined as T };
  const Probe = () => {
    shown.current = useIt();
    return null;
  };
  let tree: ReactNode = createElement(Probe);
  if (client) tree = createElement(MediaProvider, { client }, tree);
  if (queries) tree = createElement(QueryClientProvider, { client: queries }, tree);
  const root = createRoot(browser.document.createElement("div"));
  await acting(async () => root.render(createElement(StrictMode, null, tree)));
  const unmount = () => acting(async () => root.unmount());
  ended.push(unmount);
  return { shown, unmount };
}

describe("useUpload", () => {
  let server: Awaited<ReturnType<typeof startWireServer>>;
  let answer: (request: Request) => Response | Promise<Response>;
  let keys: (string | null)[];
  const client = () => createMediaClient({ baseUrl: server.baseUrl, retries: 0 });
  const stored = () => Response.json({ media: MEDIA, message: "stored", duplicates: [] }, { status: 201 });

  beforeAll(async () => {
    server = await startWireServer((request) => {
      keys.push(request.headers.get("idempotency-key"));
      return answer(request);
    });
  });
  afterAll(() => server.stop());
  beforeEach(() => {
    keys = [];
    answer = stored;
  });

  it("goes from idle through uploading to done, with the answer", async () => {
    const one = client();
    const states: string[] = [];
    const { shown } = await render(() => {
      const hook = useUpload(one);
      states.push(`${hook.status} ${hook.progress?.loaded ?? "-"}`);
      return hook;
    });
    const told: number[] = [];
    const result = await shown.current.start(TO, file(), { onProgress: (p) => void told.push(p.loaded) });
    await until(() => expect(shown.current.status).toBe("done"));
    expect(result?.media.publicId).toBe("MED-7");
    expect(shown.current).toMatchObject({ status: "done", progress: null, error: null, answer: { message: "stored" } });
    expect([...new Set(states)]).toEqual(expect.arrayContaining(["idle -", "uploading -", "done -"]));
    expect(told).toEqual([5]);
  });

  it("shows the failure, and retries the same file under the same key", async () => {
    const one = client();
    const { shown } = await render(() => useUpload(one));
    answer = () => problem({ code: "OVERLOADED", retryAfterSeconds: 5 });
    expect(await acting(() => shown.current.start(TO, file()))).toBeNull();
    expect(shown.current).toMatchObject({ status: "failed", answer: null, error: { code: "OVERLOADED" } });
    answer = stored;
    await acting(() => shown.current.retry());
    expect(shown.current).toMatchObject({ status: "done", error: null });
    expect(keys).toEqual([expect.any(String), keys[0]]);
    await acting(() => shown.current.start(TO, file()));
    expect(keys[2]).not.toBe(keys[0]);
  });

  it("has nothing to retry before anything was sent", async () => {
    const one = client();
    const { shown } = await render(() => useUpload(one));
    expect(await acting(() => shown.current.retry())).toBeNull();
    expect([shown.current.status, keys]).toEqual(["idle", []]);
  });

  it("is idle again after an abort, and can be retried", async () => {
    const one = client();
    const { shown } = await render(() => useUpload(one));
    answer = () => new Promise(() => undefined);
    let result: Promise<unknown> = Promise.resolve();
    await acting(async () => {
      result = shown.current.start(TO, file());
    });
    await until(() => expect(keys).toHaveLength(1));
    expect(shown.current.status).toBe("uploading");
    await acting(async () => shown.current.abort());
    expect(await result).toBeNull();
    expect(shown.current).toMatchObject({ status: "idle", error: null });
    answer = stored;
    await acting(() => shown.current.retry());
    expect(shown.current.status).toBe("done");
  });

  it("ends an upload when the next one starts, and shows the next one alone", async () => {
    const one = client();
    const { shown } = await render(() => useUpload(one));
    answer = () => new Promise(() => undefined);
    let first: Promise<unknown> = Promise.resolve();
    await acting(async () => {
      first = shown.current.start(TO, file());
    });
    await until(() => expect(keys).toHaveLength(1));
    answer = stored;
    await acting(() => shown.current.start(TO, file()));
    expect([await first, shown.current.status]).toEqual([null, "done"]);
  });

  it("ends its upload when it is unmounted", async () => {
    const one = client();
    const { shown, unmount } = await render(() => useUpload(one));
    answer = () => new Promise(() => undefined);
    let result: Promise<unknown> = Promise.reject(new Error("not started"));
    result.catch(() => undefined);
    await acting(async () => {
      result = shown.current.start(TO, file());
    });
    await until(() => expect(keys).toHaveLength(1));
    await unmount();
    expect(await result).toBeNull();
  });

  it("throws the mistakes of a caller on, and is idle", async () => {
    const one = client();
    const { shown } = await render(() => useUpload(one));
    const nowhere = { entityType: "user", id: 1, field: "gallery" } as never;
    await acting(() => expect(shown.current.start(nowhere, file())).rejects.toThrow(TypeError));
    expect(shown.current.status).toBe("idle");
  });

  it("needs a client: its own or the provider's", async () => {
    const one = client();
    const { shown } = await render(() => useMediaClient(), { client: one });
    expect(shown.current).toBe(one);
    const failures: unknown[] = [];
    const root = createRoot(browser.document.createElement("div"), {
      onUncaughtError: (error) => failures.push(error),
    });
    root.render(createElement(() => typeof useMediaClient()));
    await until(() =>
      expect(failures).toEqual([expect.objectContaining({ message: expect.stringMatching(/MediaProvider/) })]),
    );
  });
});

describe("the queries of a server", () => {
  let server: TestServer;
  let client: MediaClient;
  let queries: QueryClient;
  const ids = (page: { items: MediaOut[] } | undefined) => page?.items.map((item) => item.publicId);

  beforeAll(async () => {
    server = await startTestServer();
    const token = await server.user("USR-1");
    await server.entity("builder", "BLD-1", { ownerId: "USR-1" });
    await server.entity("property", "PRP-1", { parentId: "BLD-1" });
    client = createMediaClient({ baseUrl: server.baseUrl, token });
  });
  afterAll(() => server.stop());
  beforeEach(() => {
    queries = new QueryClient();
  });
  afterEach(() => queries.clear());

  const picture = async (seed: number) =>
    new File([new Uint8Array(await scenery(320, 240, seed).jpeg().toBuffer())], `${seed}.jpg`);

  it("follow uploads and mutations, page by page", async () => {
    const { shown } = await render(
      () => ({
        list: useMediaQuery("media.list", PLACE),
        pages: useMediaPages("media.list", { ...PLACE, limit: 1 }),
        upload: useUpload(),
        reorder: useMediaMutation("media.reorder"),
      }),
      { client, queries },
    );
    await until(() => expect(ids(shown.current.list.data)).toEqual([]));
    const stored: string[] = [];
    for (const seed of [1, 2]) {
      const answer = await acting(async () => shown.current.upload.start(TO, await picture(seed)));
      stored.push(answer!.media.publicId);
    }
    await until(() => expect(ids(shown.current.list.data)).toEqual(stored));
    await acting(() => shown.current.reorder.mutateAsync({ ...PLACE, mediaIds: stored.toReversed() }));
    await until(() => expect(ids(shown.current.list.data)).toEqual(stored.toReversed()));
    expect(shown.current.pages.data?.pages.flatMap(ids)).toEqual([stored[1]]);
    await acting(() => shown.current.pages.fetchNextPage());
    await until(() => expect(shown.current.pages.data?.pages.flatMap(ids)).toEqual(stored.toReversed()));
    expect(shown.current.pages.hasNextPage).toBe(false);
  });

  it("fail as MediaClientError, at once where it will not pass", async () => {
    const { shown } = await render(
      () => ({ query: useMediaQuery("media.get", { id: "MED-0" }), remove: useMediaMutation("media.delete") }),
      { client, queries },
    );
    await until(() => expect(shown.current.query.status).toBe("error"));
    expect(shown.current.query.error?.problem).toMatchObject({ code: "MEDIA_NOT_FOUND", mediaId: "MED-0" });
    expect(shown.current.query.failureCount).toBe(1);
    await acting(async () => shown.current.remove.mutate({ id: "MED-0" }));
    await until(() => expect(shown.current.remove.error?.code).toBe("MEDIA_NOT_FOUND"));
  });

  it("are asked again where the failure may pass", async () => {
    let asked = 0;
    const flaky: typeof fetch = (...request) =>
      asked++ === 0 ? Promise.resolve(problem({ code: "OVERLOADED", retryAfterSeconds: 0 })) : fetch(...request);
    const other = createMediaClient({ baseUrl: server.baseUrl, fetch: flaky });
    const { shown } = await render(() => useMediaQuery("media.list", PLACE), { client: other, queries });
    await until(() => expect(shown.current.status).toBe("success"));
    expect(asked).toBe(2);
  });

  it("take options of the query, and stand under one key", async () => {
    const { shown } = await render(() => useMediaQuery("media.list", PLACE, { enabled: false }), { client, queries });
    expect(shown.current.fetchStatus).toBe("idle");
    expect(
      queries
        .getQueryCache()
        .getAll()
        .map(({ queryKey }) => queryKey),
    ).toEqual([[MEDIA_KEY, "media.list", PLACE]]);
  });
});

describe("the types of the hooks", () => {
  it("are the procedures' own", () => {
    expectTypeOf<QueryInput<"media.get">>().toEqualTypeOf<{ id: string | number }>();
    expectTypeOf<QueryOutput<"media.get">>().toEqualTypeOf<MediaOut>();
    expectTypeOf<MutationInput<"media.delete">["id"]>().toEqualTypeOf<string | number>();
    expectTypeOf<"media.list" | "media.search">().toExtend<PagedName>();
    expectTypeOf<"media.get">().not.toExtend<PagedName>();
    expectTypeOf<ReturnType<typeof useMediaQuery<"media.get">>["error"]>().toEqualTypeOf<MediaClientError | null>();
    // @ts-expect-error a mutation is no query
    expectTypeOf<QueryInput<"media.delete">>().toBeAny();
    // @ts-expect-error there is no such procedure
    expectTypeOf<QueryInput<"media.paint">>().toBeAny();
    expect(useMediaQuery).toBeTypeOf("function");
  });
});
