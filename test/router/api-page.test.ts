import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { apiPageRoutes } from "../../src/router/api-page.js";
import { API, OPERATIONS } from "../support/api-description.js";
import { launchChromium } from "../support/chromium.js";
import { startTestServer, type TestServer } from "../support/server.js";

/** A proxy that keeps `/media` to itself, as one does that serves several applications under one name. */
async function startPrefixProxy(target: string): Promise<{ server: Server; url: string }> {
  const server = createServer((incoming, outgoing) => {
    if (!incoming.url?.startsWith("/media/")) return void outgoing.writeHead(404).end();
    const { method = "GET", headers } = incoming;
    const onward = request(`${target}${incoming.url.slice("/media".length)}`, { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(onward);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, url: `http://localhost:${(server.address() as AddressInfo).port}/media` };
}

describe("the API page", () => {
  let server: TestServer;
  let browser: Browser;
  let context: BrowserContext | undefined;
  let complaints: string[];
  let asked: string[];

  /** A fresh browser at the page; what its policy forbids, its script throws and it asks for is collected. */
  async function openPage(url = `${server.baseUrl}/docs`): Promise<Page> {
    [complaints, asked] = [[], []];
    context = await browser.newContext();
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    page.on("request", (sent) => asked.push(sent.url()));
    await page.goto(url);
    await page.locator(".opblock").first().waitFor();
    return page;
  }

  const open = (page: Page, operationId: string) =>
    page.locator(`[id$="-${operationId}"] .opblock-summary-control`).click();
  const outside = (origin: string) => asked.filter((url) => !url.startsWith("data:") && new URL(url).origin !== origin);

  beforeAll(async () => {
    server = await startTestServer();
    browser = await launchChromium();
  });
  afterEach(async () => {
    if (!context) return;
    await context.close();
    context = undefined;
    if (complaints.length > 0) throw new Error(`the browser complained: ${complaints.join("; ")}`);
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });

  it("lists every operation, and asks no other host for anything", async () => {
    const page = await openPage();
    const shown = await page.locator(".opblock").evaluateAll((all) => all.map((one) => one.id));
    expect(shown.map((id) => id.replace(/^operations-[a-z]+-/, "")).sort()).toEqual(
      OPERATIONS.map(({ operationId }) => operationId).sort(),
    );
    const paths = await page.locator(".opblock-summary-path").evaluateAll((all) => all.map((one) => one.textContent));
    expect(new Set(paths.map((path) => path?.replaceAll("\u200b", "")))).toEqual(new Set(Object.keys(API.paths)));
    expect(asked.length).toBeGreaterThanOrEqual(5);
    expect(outside(server.baseUrl)).toEqual([]);
  });

  it("shows an answer's example and every failure's", async () => {
    const page = await openPage();
    await open(page, "media_get");
    const responses = page.locator(".opblock.is-open .responses-wrapper");
    await responses.getByText("MED-7K2M9QX4TRWD").first().waitFor();
    expect(await responses.innerText()).toContain("MEDIA_NOT_FOUND");
  });

  it("offers a file to choose where one is sent", async () => {
    const page = await openPage();
    await open(page, "upload_property_gallery");
    await page.getByRole("button", { name: "Try it out" }).click();
    const input = page.locator('.opblock.is-open input[type="file"]');
    await input.waitFor();
    expect(await input.count()).toBe(1);
  });

  it("sends a call and shows what comes back", async () => {
    const page = await openPage();
    await open(page, "healthz");
    await page.getByRole("button", { name: "Try it out" }).click();
    await page.getByRole("button", { name: "Execute" }).click();
    await page.locator(".live-responses-table .response-col_status").getByText("200").waitFor();
    expect(await page.locator(".live-responses-table").innerText()).toContain('"status": "ok"');
    expect(outside(server.baseUrl)).toEqual([]);
  });

  it("works below a path of its proxy, at an address that is not BASE_URL", async () => {
    const proxy = await startPrefixProxy(server.baseUrl);
    try {
      const page = await openPage(`${proxy.url}/docs`);
      expect(await page.locator(".opblock").count()).toBe(OPERATIONS.length);
      expect(asked.filter((url) => !url.startsWith(`${proxy.url}/`) && !url.startsWith("data:"))).toEqual([]);
      expect((await fetch(`${proxy.url}/docs/`)).url).toBe(`${proxy.url}/docs`);
    } finally {
      proxy.server.closeAllConnections();
      proxy.server.close();
    }
  });

  it("allows calls to BASE_URL and itself, and no script or style but its own files", async () => {
    const urls = { baseUrl: "https://example.org/media" };
    const answer = await apiPageRoutes({ apiPageAssets: new Map(), deps: { urls } }).request("/docs");
    const policy = answer.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("; connect-src 'self' https://example.org;");
    expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self';/);
    expect(policy).not.toContain("unsafe");
  });

  it.each([
    ["/docs", "text/html; charset=UTF-8"],
    ["/docs/swagger-ui.css", "text/css; charset=utf-8"],
    ["/docs/swagger-ui-bundle.js", "text/javascript; charset=utf-8"],
    ["/docs/start.js", "text/javascript; charset=utf-8"],
  ])("%s says its type, and answers 304 to who has it", async (path, contentType) => {
    const first = await fetch(`${server.baseUrl}${path}`);
    expect((await first.text()).length).toBeGreaterThan(0);
    expect(Object.fromEntries(first.headers)).toMatchObject({
      "content-type": contentType,
      "cache-control": "no-cache",
      "x-content-type-options": "nosniff",
    });
    const etag = first.headers.get("etag") ?? "";
    expect(etag).toMatch(/^"/);
    expect((await fetch(`${server.baseUrl}${path}`, { headers: { "if-none-match": etag } })).status).toBe(304);
    expect((await fetch(`${server.baseUrl}${path}`, { headers: { "if-none-match": '"other"' } })).status).toBe(200);
  });

  it.each(["index.js", "package.json", "swagger-ui.js", "..%2fpackage.json", "%2e%2e%2fpackage.json"])(
    "gives nothing else of the package: %s",
    async (name) => {
      const answer = await fetch(`${server.baseUrl}/docs/${name}`);
      expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([404, "NOT_FOUND"]);
    },
  );

  it("comes from a package that may not report its installation", async () => {
    const manifest = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8")) as object;
    expect(manifest).toMatchObject({ scarfSettings: { enabled: false } });
  });
});
