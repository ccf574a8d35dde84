import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createElement, type FunctionComponent } from "react";
import { createRoot } from "react-dom/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type * as MediaClientPackage from "../../client/index.js";
import { scenery } from "../support/pictures.js";
import { startTestServer, type TestServer } from "../support/server.js";
import { importPage } from "./import-page.js";
import { readmeBlocks } from "./readme-blocks.js";
import { acting, openBrowser, until } from "./rendering.js";

const MAX_GALLERY_LINES = 40;

type Gallery = {
  App: FunctionComponent<{ client: MediaClientPackage.MediaClient; id: string }>;
  createMediaClient: typeof MediaClientPackage.createMediaClient;
};

describe("the gallery of the client's page", () => {
  const [text = ""] = readmeBlocks("tsx");
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "client-readme-")));
  let browser: ReturnType<typeof openBrowser>;
  let server: TestServer;
  let page: Element;
  let root: ReturnType<typeof createRoot>;

  beforeAll(async () => {
    server = await startTestServer();
    const token = await server.user("USR-1");
    await server.entity("builder", "BLD-1", { ownerId: "USR-1" });
    await server.entity("property", "PRP-1", { parentId: "BLD-1" });
    browser = openBrowser();
    const { App, createMediaClient } = await importPage<Gallery>(
      folder,
      `${text}\nexport { createMediaClient } from "@artitec/media-client";\n`,
    );
    page = browser.document.createElement("main");
    browser.document.body.append(page);
    root = createRoot(page);
    const client = createMediaClient({ baseUrl: server.baseUrl, token });
    await acting(() => root.render(createElement(App, { client, id: "PRP-1" })));
  });
  afterAll(async () => {
    await acting(() => root.unmount());
    await browser.close();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Names of the gallery's items as the server has them, and what the page shows of them. */
  const stored = async () => {
    const { items } = await server.service<{
      items: { originalFilename: string; largeUrl: string; originalUrl: string }[];
    }>("GET", "/v1/media/entity/property/PRP-1?field=gallery");
    return items;
  };
  const shown = () => [...page.querySelectorAll("img")].map((image) => image.getAttribute("src"));
  const choose = async (file: File) => {
    const input = page.querySelector("input")!;
    await until(() => expect(input.disabled).toBe(false));
    Object.defineProperty(input, "files", { value: [file], configurable: true });
    browser.fire(input, "change");
  };
  const picture = async (seed: number, name: string) =>
    new File([new Uint8Array(await scenery(500, 400, seed).jpeg().toBuffer())], name);

  it(`has fewer than ${MAX_GALLERY_LINES} lines`, () => {
    const lines = text.trimEnd().split("\n").length;
    expect(lines).toBeGreaterThan(10);
    expect(lines).toBeLessThan(MAX_GALLERY_LINES);
  });

  it("shows what was uploaded, with sources to choose from and a placeholder", async () => {
    await choose(await picture(1, "first.jpg"));
    await until(() => expect(shown()).toHaveLength(1));
    await choose(await picture(2, "second.jpg"));
    await until(() => expect(shown()).toHaveLength(2));
    const image = page.querySelector("img")!;
    expect(image.getAttribute("srcset")).toMatch(/_small\.\w+ 400w$/);
    expect(image.getAttribute("sizes")).toBe("20rem");
    expect([image.getAttribute("width"), image.getAttribute("height")]).toEqual(["500", "400"]);
    expect(image.getAttribute("style")).toContain("data:image/png;base64,");
  });

  it("puts an item where it is dropped, here and on the server", async () => {
    const before = shown();
    const [first, second] = [...page.querySelectorAll("li")];
    await acting(() => browser.fire(second!, "dragstart"));
    await acting(() => browser.fire(first!, "drop"));
    await until(() => expect(shown()).toEqual(before.toReversed()));
    expect((await stored()).map((item) => item.originalFilename)).toEqual(["second.jpg", "first.jpg"]);
  });

  it("takes an item out, here and on the server", async () => {
    await acting(() => page.querySelector("li")!.querySelector("button")!.click());
    await until(() => expect(shown()).toHaveLength(1));
    expect((await stored()).map((item) => item.originalFilename)).toEqual(["first.jpg"]);
  });

  it("says why a file was refused", async () => {
    await choose(new File(["no picture"], "notes.txt"));
    await until(() => expect(page.querySelector("[role=alert]")?.textContent).toMatch(/is not accepted here/));
    expect(shown()).toHaveLength(1);
  });
});
