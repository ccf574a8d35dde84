import { randomBytes } from "node:crypto";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import sharp from "sharp";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { MediaOut, UploadProgress } from "../../client/index.js";
import { VARIANTS } from "../../src/media/variants.js";
import { launchChromium } from "../support/chromium.js";
import { type MeddlingProxy, startMeddlingProxy } from "../support/meddling-proxy.js";
import { unpackClient } from "../support/packed-client.js";
import { startTestServer, type TestServer } from "../support/server.js";
import { makeTemporaryFolder } from "../support/temporary-folder.js";
import { startWireServer } from "../support/wire-server.js";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
const WIDTH = 2000;
const HEIGHT = 1500;
/** Of a line on which the photograph is on its way for half a second or so: browsers tell of progress every 50 ms. */
const UPLOAD_BYTES_PER_SECOND = 10_000_000;

/** What a frontend's page does with the package, told to it as JSON. */
type Task = { baseUrl: string; token: string; photo: string; abort?: true };
type Told = {
  media?: MediaOut;
  problem?: { code: string };
  progress: UploadProgress[];
  retries: number;
  shown?: { width: number; height: number };
};

const PAGE_SCRIPT = `
import { createMediaClient, MediaClientError, srcset } from "@artitec/media-client";
globalThis.runTask = async ({ baseUrl, token, photo, abort }) => {
  const client = createMediaClient({ baseUrl, token });
  const controller = new AbortController();
  const told = { progress: [], retries: 0 };
  const onProgress = (event) => {
    told.progress.push(event);
    if (abort && event.loaded < event.total) controller.abort();
  };
  const file = new File([await (await fetch(photo)).arrayBuffer()], "garden.jpg", { type: "image/jpeg" });
  const options = { onProgress, onRetry: () => told.retries++, signal: controller.signal };
  try {
    const { media } = await client.upload({ entityType: "property", id: "PRP-1", field: "gallery" }, file, options);
    const image = Object.assign(new Image(), { src: srcset(media).src });
    await image.decode();
    return { ...told, media, shown: { width: image.naturalWidth, height: image.naturalHeight } };
  } catch (error) {
    if (!(error instanceof MediaClientError)) throw error;
    return { ...told, problem: error.problem };
  }
};
`;

/** The page's script with nothing installed but the packed client and its peers, and the files it was made of. */
async function bundlePage(root: string): Promise<{ script: string; inputs: string[] }> {
  unpackClient(root, { built: true });
  cpSync(join(REPOSITORY, "node_modules/@trpc"), join(root, "node_modules/@trpc"), { recursive: true });
  const { outputFiles, metafile } = await build({
    stdin: { contents: PAGE_SCRIPT, resolveDir: root },
    absWorkingDir: root,
    bundle: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "browser",
  });
  return { script: outputFiles[0]!.text, inputs: Object.keys(metafile.inputs) };
}

/** With grain, as a camera's: several megabytes, so that they are on their way for a while. */
const photograph = (): Promise<Buffer> =>
  sharp(randomBytes(WIDTH * HEIGHT * 3), { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
    .jpeg({ quality: 90 })
    .toBuffer();

describe("the packed client in a browser", () => {
  let folder: Awaited<ReturnType<typeof makeTemporaryFolder>>;
  let inputs: string[];
  let photo: Buffer;
  let site: Awaited<ReturnType<typeof startWireServer>>;
  let server: TestServer;
  let token: string;
  let line: MeddlingProxy;
  let browser: Browser;
  let page: Page;

  const run = (task: Partial<Task> = {}): Promise<Told> =>
    page.evaluate(
      `runTask(${JSON.stringify({ baseUrl: server.baseUrl, token, photo: `${site.baseUrl}/photo.jpg`, ...task })})`,
    );
  const stored = async (): Promise<number> =>
    (await server.call<{ total: number }>("GET", "/v1/media/entity/property/PRP-1", { token })).body.total;

  beforeAll(async () => {
    folder = await makeTemporaryFolder();
    const bundle = await bundlePage(folder.path);
    ({ inputs } = bundle);
    photo = await photograph();
    site = await startWireServer(({ url }) => {
      const { pathname } = new URL(url);
      if (pathname === "/photo.jpg") return new Response(new Uint8Array(photo));
      if (pathname === "/page.js")
        return new Response(bundle.script, { headers: { "Content-Type": "text/javascript" } });
      const html = '<!doctype html><script type="module" src="page.js"></script>';
      return new Response(html, { headers: { "Content-Type": "text/html" } });
    });
    server = await startTestServer({ CORS_ORIGINS: site.baseUrl });
    token = await server.user("USR-1");
    await server.entity("builder", "BLD-1", { ownerId: "USR-1" });
    line = await startMeddlingProxy(server.baseUrl);
    browser = await launchChromium();
    page = await browser.newPage();
    const session = await page.context().newCDPSession(page);
    const conditions = {
      offline: false,
      latency: 0,
      downloadThroughput: -1,
      uploadThroughput: UPLOAD_BYTES_PER_SECOND,
    };
    await session.send("Network.emulateNetworkConditions", conditions);
    await page.goto(site.baseUrl);
    await page.waitForFunction("globalThis.runTask !== undefined");
  });
  afterAll(async () => {
    await browser.close();
    await line.close();
    await server.stop();
    await site.stop();
    await folder.remove();
  });
  beforeEach(async () => {
    await server.entity("property", "PRP-1", { parentId: "BLD-1" });
  });
  afterEach(() => server.service("DELETE", "/v1/entities/property/PRP-1"));

  it("is bundled from the archive's files, not from the sources", () => {
    const own = inputs.filter((path) => !path.includes("node_modules/@trpc/") && path !== "<stdin>");
    expect(own.length).toBeGreaterThan(0);
    expect(own.filter((path) => !path.startsWith("node_modules/@artitec/media-client/dist/"))).toEqual([]);
  });

  it("uploads a photograph with progress that grows up to the whole, and shows what the server made of it", async () => {
    const { media, shown, progress, retries } = await run();
    expect(media).toMatchObject({ width: WIDTH, height: HEIGHT, originalFilename: "garden.jpg" });
    expect(shown).toEqual({ width: VARIANTS.large.width, height: (VARIANTS.large.width * HEIGHT) / WIDTH });
    const loaded = progress.map((event) => event.loaded);
    expect(loaded.length).toBeGreaterThan(2);
    expect(loaded).toEqual([...loaded].sort((a, b) => a - b));
    expect(progress.filter((event) => event.total !== progress[0]!.total)).toEqual([]);
    expect(loaded.at(-1)).toBe(progress[0]!.total);
    expect(progress[0]!.total).toBeGreaterThan(photo.length);
    expect([retries, await stored()]).toEqual([0, 1]);
  });

  it("stores nothing of an upload that is aborted under way, and the next one as ever", async () => {
    const { problem, progress, media } = await run({ abort: true });
    expect(problem).toMatchObject({ code: "ABORTED" });
    expect(media).toBeUndefined();
    expect(progress.at(-1)!.loaded).toBeLessThan(progress.at(-1)!.total);
    await vi.waitFor(async () => expect((await server.files()).spooled).toEqual([]));
    expect(await stored()).toBe(0);
    expect((await run()).media).toMatchObject({ sortOrder: 0 });
  });

  /** Of a connection that was used before a browser sends anew by itself, so one cut alone need not reach the client. */
  const CUTS = 2;

  it("sends it again where the line is cut half-way", async () => {
    let [cuts, passed] = [0, 0];
    line.toServer = (bytes) => {
      passed += bytes.length;
      if (cuts === CUTS || passed < photo.length / 2) return bytes;
      [cuts, passed] = [cuts + 1, 0];
      return null;
    };
    const { media, progress, retries } = await run({ baseUrl: line.endpoint });
    expect(media).toMatchObject({ width: WIDTH });
    expect(retries).toBeGreaterThan(0);
    const restart = progress.findIndex(({ loaded }) => loaded === 0);
    expect(progress[restart - 1]!.loaded).toBeGreaterThan(0);
    expect(progress.at(-1)!.loaded).toBe(progress.at(-1)!.total);
    expect([cuts, await stored()]).toEqual([CUTS, 1]);
  });

  it("stores it once where the answer was lost", async () => {
    let cuts = 0;
    line.toClient = (bytes) => {
      const isLost = cuts < CUTS && bytes.toString("latin1").startsWith("HTTP/1.1 20") && bytes.includes('"media":');
      if (!isLost) return bytes;
      cuts += 1;
      return null;
    };
    const { media, retries } = await run({ baseUrl: line.endpoint });
    expect(media).toMatchObject({ width: WIDTH });
    expect(retries).toBeGreaterThan(0);
    expect([cuts, await stored()]).toEqual([CUTS, 1]);
  });
});
