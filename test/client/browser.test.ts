import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { MediaClientOptions, UploadProgress } from "../../client/index.js";
import { launchChromium } from "../support/chromium.js";
import { startWireServer } from "../support/wire-server.js";
import { MEDIA, problem } from "./wire-answers.js";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
const FILE_BYTES = 6 * 1024 * 1024;

/** What the page is told to do, and what it tells back; both cross into the browser as JSON. */
type Task = {
  options: Partial<MediaClientOptions>;
  bytes: number;
  abort?: "before" | "at-first-progress";
  batch?: true;
};
type Told = { answer?: unknown; problem?: { code: string; status: number | null }; progress: UploadProgress[] };

/** The page's script: the client as a frontend bundles it, driven by `runTask`. */
const PAGE_SCRIPT = `
import { createMediaClient, MediaClientError } from "./client/index.js";
globalThis.runTask = async ({ options, bytes, abort, batch }) => {
  const client = createMediaClient({ baseUrl: location.origin, retries: 0, ...options });
  const controller = new AbortController();
  const progress = [];
  const onProgress = (event) => {
    progress.push(event);
    if (abort === "at-first-progress") controller.abort(new Error("another picture was chosen"));
  };
  if (abort === "before") controller.abort();
  const file = new File([new Uint8Array(bytes)], "a.jpg", { type: "image/jpeg" });
  const place = { entityType: "property", id: "PRP-1", field: "gallery" };
  const sent = { onProgress, signal: controller.signal, altText: "A house", idempotencyKey: "key-1" };
  try {
    return { answer: await (batch ? client.uploadBatch(place, [file, file], sent) : client.upload(place, file, sent)), progress };
  } catch (error) {
    if (!(error instanceof MediaClientError)) throw error;
    return { problem: error.problem, progress };
  }
};
`;

async function bundlePage(): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: PAGE_SCRIPT, resolveDir: REPOSITORY },
    bundle: true,
    write: false,
    format: "esm",
    platform: "browser",
  });
  return outputFiles[0]!.text;
}

describe("uploads with progress in a browser", () => {
  let browser: Browser;
  let page: Page;
  let server: Awaited<ReturnType<typeof startWireServer>>;
  let answer: (form: FormData) => Response | Promise<Response>;
  let seen: Request[];

  const run = (task: Task): Promise<Told> => page.evaluate(`runTask(${JSON.stringify(task)})`);

  beforeAll(async () => {
    const script = await bundlePage();
    server = await startWireServer(async (request) => {
      const { pathname } = new URL(request.url);
      if (request.method === "POST") {
        seen.push(request);
        return answer(await request.formData());
      }
      if (pathname === "/page.js") return new Response(script, { headers: { "Content-Type": "text/javascript" } });
      const html = '<!doctype html><script type="module" src="page.js"></script>';
      return new Response(html, { headers: { "Content-Type": "text/html", "Set-Cookie": "session=abc" } });
    });
    browser = await launchChromium();
    page = await browser.newPage();
    await page.goto(server.baseUrl);
    await page.waitForFunction("globalThis.runTask !== undefined");
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });
  beforeEach(() => {
    seen = [];
    answer = () => Response.json({ media: MEDIA, message: "stored", duplicates: [] }, { status: 201 });
  });

  it("tell the bytes under way, up to all of them", async () => {
    const { answer: value, progress } = await run({ options: {}, bytes: FILE_BYTES });
    expect(value).toMatchObject({ media: { publicId: "MED-7" } });
    const last = progress.at(-1)!;
    expect(last.loaded).toBe(last.total);
    expect(last.total).toBeGreaterThan(FILE_BYTES);
    const loaded = progress.map((event) => event.loaded);
    expect(loaded).toEqual([...loaded].sort((a, b) => a - b));
  });

  it("send what uploads without progress send", async () => {
    let form = new FormData();
    answer = (received) => {
      form = received;
      return Response.json({ media: MEDIA, message: "", duplicates: [] }, { status: 201 });
    };
    await run({ options: { token: "secret" }, bytes: 10 });
    expect(new URL(seen[0]!.url).pathname).toBe("/v1/media/properties/PRP-1/photos");
    expect(seen[0]!.headers.get("authorization")).toBe("Bearer secret");
    expect(seen[0]!.headers.get("idempotency-key")).toBe("key-1");
    expect([...form.keys()]).toEqual(["alt_text", "file"]);
    expect(form.get("file")).toMatchObject({ name: "a.jpg", type: "image/jpeg", size: 10 });
  });

  it("send the session's cookie to their own site, and none where credentials are left out", async () => {
    await run({ options: {}, bytes: 1 });
    const { progress } = await run({ options: { credentials: "omit" }, bytes: 7 });
    expect(seen.map((request) => request.headers.get("cookie"))).toEqual(["session=abc", null]);
    expect(progress).toEqual([{ loaded: 7, total: 7 }]);
  });

  it("work for batches as well", async () => {
    const body = { uploaded: [MEDIA], uploadedCount: 1, failed: [], failedCount: 0, message: "" };
    answer = () => Response.json(body, { status: 207 });
    const { answer: value, progress } = await run({ options: {}, bytes: 1000, batch: true });
    expect(value).toEqual(body);
    expect(progress.at(-1)!.total).toBeGreaterThan(2000);
  });

  it("are sent again whole when the server was busy, and progress starts anew", async () => {
    const answers = [problem({ code: "INTERNAL" }), Response.json({ media: MEDIA, message: "", duplicates: [] })];
    answer = () => answers.shift()!;
    const { answer: value, progress } = await run({ options: { retries: 1 }, bytes: 1000 });
    expect(value).toMatchObject({ media: { publicId: "MED-7" } });
    expect(seen.map((request) => request.headers.get("idempotency-key"))).toEqual(["key-1", "key-1"]);
    const { total } = progress.at(-1)!;
    const restart = progress.findIndex(({ loaded }) => loaded === 0);
    expect([progress[restart - 1], progress[restart], progress.at(-1)]).toEqual([
      { loaded: total, total },
      { loaded: 0, total },
      { loaded: total, total },
    ]);
  });

  it("throw the server's problem", async () => {
    answer = () => problem({ code: "OVERLOADED", retryAfterSeconds: 5 });
    expect((await run({ options: {}, bytes: 1 })).problem).toMatchObject({
      code: "OVERLOADED",
      status: 503,
      retryAfterSeconds: 5,
      requestId: "req-1",
    });
  });

  it("keep status and Retry-After of an answer that is not the API's", async () => {
    answer = () => new Response("<h1>Bad gateway</h1>", { status: 502, headers: { "Retry-After": "9" } });
    expect((await run({ options: {}, bytes: 1 })).problem).toMatchObject({
      code: "UNREADABLE_ANSWER",
      status: 502,
      retryAfterSeconds: 9,
    });
  });

  it("have no status where nothing listens", async () => {
    const gone = await startWireServer(() => new Response());
    await gone.stop();
    const told = await run({ options: { baseUrl: gone.baseUrl }, bytes: 1 });
    expect(told.problem).toMatchObject({ code: "NO_ANSWER", status: null });
  });

  it("are cancelled before they start", async () => {
    const { problem: told, progress } = await run({ options: {}, bytes: 1, abort: "before" });
    expect(told).toMatchObject({ code: "ABORTED", status: null });
    expect([seen, progress]).toEqual([[], []]);
  });

  it("are cancelled under way, and the server's late answer is nobody's", async () => {
    let release = (_: Response): void => undefined;
    answer = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    const told = await run({ options: {}, bytes: FILE_BYTES, abort: "at-first-progress" });
    release(new Response());
    expect(told.problem).toMatchObject({ code: "ABORTED" });
    expect(told.answer).toBeUndefined();
  });
});
