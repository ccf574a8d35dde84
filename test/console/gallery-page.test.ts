import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import sharp from "sharp";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { makeDemoPictures } from "../../src/pipeline/demo-pictures.js";
import { launchChromium } from "../support/chromium.js";
import { SERVICE_TOKEN, startTestServer, type TestServer } from "../support/server.js";

const BUILD = fileURLToPath(new URL("../../scripts/build.mjs", import.meta.url));
const PASSWORD = "correct horse battery";
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

const dot = (shade: number): Promise<Buffer> =>
  sharp({ create: { width: 120, height: 90, channels: 3, background: { r: shade, g: 90, b: 140 } } })
    .png()
    .toBuffer();

describe("the gallery page", () => {
  let server: TestServer;
  let browser: Browser;
  let context: BrowserContext;
  let complaints: string[];

  /** A fresh browser at the gallery of a property; what its policy forbids or its script throws is collected. */
  async function openPage(id: string, options: BrowserContextOptions = {}): Promise<Page> {
    complaints = [];
    context = await browser.newContext(options);
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => {
      if (/Content Security Policy|Refused to/.test(message.text())) complaints.push(message.text());
    });
    await page.goto(`${server.baseUrl}/console/?type=property&id=${id}&field=gallery`);
    return page;
  }

  async function signIn(page: Page, password = PASSWORD): Promise<void> {
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByLabel("Email").fill("owner@example.com");
    await page.getByLabel("Password").fill(password);
    await page.keyboard.press("Enter");
  }

  const cards = (page: Page) => page.locator("#gallery .card");

  beforeAll(async () => {
    const built = spawnSync(process.execPath, [BUILD], { encoding: "utf8" });
    if (built.status !== 0) throw new Error(built.stderr);
    server = await startTestServer();
    const token = await server.user("USR-1", { email: "owner@example.com", password: PASSWORD, verified: true });
    await server.entity("builder", "BLD-1", { ownerId: "USR-1" });
    for (const id of ["PRP-DEMO", "PRP-EMPTY", "PRP-MANY", "PRP-UPLOAD"])
      await server.entity("property", id, { parentId: "BLD-1" });
    const demo = (await makeDemoPictures()).filter(({ filename }) => /house|door|mark/.test(filename));
    for (const { filename, body, altText } of demo)
      await server.post("/v1/media/properties/PRP-DEMO/photos", token, [
        ["alt_text", altText],
        ["file", [body, filename]],
      ]);
    for (let shade = 0; shade < 26; shade++)
      await server.post("/v1/media/properties/PRP-MANY/photos", token, [
        ["file", [await dot(shade * 9), `dot-${shade}.png`]],
      ]);
    browser = await launchChromium();
  });
  afterEach(async () => {
    await context.close();
    if (complaints.length > 0) throw new Error(`the browser complained: ${complaints.join("; ")}`);
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });

  it("shows the pictures in order, with alt text, dimensions, size and status", async () => {
    const page = await openPage("PRP-DEMO");
    await cards(page).nth(2).locator(".is-loaded").waitFor();
    const texts = await cards(page).allInnerTexts();
    expect(texts.map((text) => text.split("\n")[0])).toEqual([
      "House with a red gable roof behind a lawn, seen from the street",
      "Dark front door in a brick wall, a lamp lit beside it",
      "The builder's mark: a roof over a leaf, in a ring",
    ]);
    expect(texts[1]).toMatch(/1600 × 2400\s+\d+ KB\s+Approved/);
    expect(await page.locator("#gallery-count").innerText()).toBe("3");
  });

  it("has a placeholder out of the thumbhash below each picture", async () => {
    const page = await openPage("PRP-DEMO");
    await cards(page).nth(2).waitFor();
    const sources = await page.locator(".blur").evaluateAll((all) => all.map((image) => image.getAttribute("src")));
    expect(sources).toHaveLength(3);
    for (const source of sources) expect(source).toMatch(/^data:image\/png;base64,/);
  });

  it("opens an item with every size, a srcset and every field, and gives the focus back", async () => {
    const page = await openPage("PRP-DEMO");
    await cards(page).nth(1).click();
    const dialog = page.getByRole("dialog");
    await dialog.locator(".is-loaded").waitFor();
    expect(await dialog.getByRole("heading", { level: 2 }).innerText()).toBe("front-door.jpg");
    expect(await dialog.getByRole("link").allInnerTexts()).toEqual([
      "Thumbnail",
      "Small",
      "Medium",
      "Large",
      "Original",
    ]);
    for (const link of await dialog.getByRole("link").all())
      expect((await page.request.get((await link.getAttribute("href"))!)).status()).toBe(200);
    expect(await dialog.locator(".picture").getAttribute("srcset")).toMatch(
      /_small\S+ 267w, \S+_medium\S+ 533w, \S+_large\S+ 1067w$/,
    );
    const terms = await dialog.locator("dt").allInnerTexts();
    expect(terms).toEqual(
      expect.arrayContaining(["Alt text", "Public id", "Image hash", "EXIF make", "Moderation status", "Tags"]),
    );
    await page.keyboard.press("Escape");
    expect(await dialog.count()).toBe(0);
    expect(
      await cards(page)
        .nth(1)
        .evaluate((card) => card === document.activeElement),
    ).toBe(true);
  });

  it("walks through the items by arrow keys and stops at the ends", async () => {
    const page = await openPage("PRP-DEMO");
    await cards(page).first().click();
    const title = page.locator("#detail-title");
    const walked: string[] = [];
    for (const key of ["ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft"]) {
      await page.keyboard.press(key);
      walked.push(await title.innerText());
    }
    expect(walked).toEqual(["front-door.jpg", "builder-mark.png", "builder-mark.png", "front-door.jpg"]);
  });

  it("loads more when asked, without losing or doubling one", async () => {
    const page = await openPage("PRP-MANY");
    await cards(page).nth(23).waitFor();
    expect(await page.locator("#gallery-count").innerText()).toBe("24 of 26");
    await page.getByRole("button", { name: "More" }).click();
    await cards(page).nth(25).waitFor();
    expect(await page.getByRole("button", { name: "More" }).isVisible()).toBe(false);
    const sources = await page
      .locator("#gallery .picture")
      .evaluateAll((all) => all.map((image) => image.getAttribute("src")));
    expect(new Set(sources).size).toBe(26);
  });

  it("tells an empty gallery from an entity that does not exist", async () => {
    const page = await openPage("PRP-EMPTY");
    await page.getByText("There are no pictures here yet.").waitFor();
    await page.getByLabel("Id").fill("PRP-NONE");
    await page.getByRole("button", { name: "Show" }).click();
    await page.getByText('There is no property "PRP-NONE".').waitFor();
    expect(page.url()).toContain("?type=property&id=PRP-NONE&field=gallery");
    await page.goBack();
    await page.getByText("There are no pictures here yet.").waitFor();
    expect(await page.getByLabel("Id").inputValue()).toBe("PRP-EMPTY");
  });

  it("offers the fields each type of entity has", async () => {
    const page = await openPage("PRP-EMPTY");
    await page.getByLabel("Entity").selectOption("sales_rep");
    expect(await page.locator("#place-field option").allInnerTexts()).toEqual(["Avatar"]);
    await page.getByLabel("Entity").selectOption("community");
    expect(await page.locator("#place-field option").allInnerTexts()).toEqual(["Gallery", "Avatar", "Cover"]);
  });

  it("signs in by password into a cookie and keeps nothing but the place last looked at", async () => {
    const page = await openPage("PRP-EMPTY");
    await page.getByText("There are no pictures here yet.").waitFor();
    expect(await page.locator("#upload-form").isVisible()).toBe(false);
    await signIn(page, "not the password");
    await page.getByText("Email or password is not right.").waitFor();
    await page.getByLabel("Password").fill(PASSWORD);
    await page.keyboard.press("Enter");
    await page.getByText("owner@example.com").waitFor();
    expect(await page.locator("#upload-form").isVisible()).toBe(true);
    expect(await page.evaluate("[Object.keys(localStorage), Object.keys(sessionStorage)]")).toEqual([
      ["last-place"],
      [],
    ]);
    expect((await context.cookies()).map(({ name, httpOnly }) => [name, httpOnly])).toEqual([["session", true]]);
    await page.reload();
    await page.getByText("owner@example.com").waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("button", { name: "Sign in" }).waitFor();
    expect(await page.locator("#upload-form").isVisible()).toBe(false);
    expect(await context.cookies()).toEqual([]);
  });

  it("takes a token for this tab, and drops one that is not good", async () => {
    const page = await openPage("PRP-EMPTY");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("Use a token instead").click();
    const useToken = async (token: string) => {
      await page.getByLabel("Session or service token").fill(token);
      await page.getByRole("button", { name: "Use token" }).click();
    };
    await useToken("no-such-token");
    await page.getByText("The server does not know this token.").waitFor();
    expect(await page.evaluate("Object.keys(sessionStorage)")).toEqual([]);
    await useToken(SERVICE_TOKEN);
    await page.locator("#account-name", { hasText: "Service" }).waitFor();
    expect(await page.evaluate("[Object.keys(localStorage), Object.keys(sessionStorage)]")).toEqual([
      ["last-place"],
      ["token"],
    ]);
  });

  it("uploads one picture with its text, several as a batch, and tells by file what was refused", async () => {
    const page = await openPage("PRP-UPLOAD");
    await signIn(page);
    await page.locator("#upload-form").waitFor();
    const pictures = await Promise.all([200, 120, 40].map(dot));
    const file = (name: string, buffer: Buffer) => ({ name, mimeType: "image/png", buffer });
    await page.locator("#upload-files").setInputFiles([file("one.png", pictures[0]!)]);
    await page.getByLabel("Alt text").fill("A blue dot");
    await page.getByRole("button", { name: "Upload", exact: true }).click();
    await page.getByText("1 file was stored.").waitFor();
    await cards(page).getByText("A blue dot").waitFor();
    const several = [
      file("two.png", pictures[1]!),
      file("notes.png", Buffer.from("just text, no picture")),
      file("three.png", pictures[2]!),
    ];
    await page.locator("#upload-files").setInputFiles(several);
    expect(await page.getByLabel("Alt text").isDisabled()).toBe(true);
    await page.getByRole("button", { name: "Upload 3 files" }).click();
    await page.getByText("2 files were stored.").waitFor();
    await page.getByText(/^notes\.png: The file/).waitFor();
    await cards(page).nth(2).waitFor();
    expect(await cards(page).count()).toBe(3);
  });

  it("says why an upload is refused", async () => {
    await server.user("USR-2", { email: "stranger@example.com", password: PASSWORD });
    const page = await openPage("PRP-EMPTY");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByLabel("Email").fill("stranger@example.com");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.keyboard.press("Enter");
    await page.locator("#upload-form").waitFor();
    await page.locator("#upload-files").setInputFiles([{ name: "a.png", mimeType: "image/png", buffer: await dot(1) }]);
    await page.getByRole("button", { name: "Upload", exact: true }).click();
    await page.getByText(/^You may not do this: it is held by/).waitFor();
    expect(await cards(page).count()).toBe(0);
  });

  it("fits a phone: nothing is wider than the screen, the detail view included", async () => {
    const page = await openPage("PRP-DEMO", PHONE);
    const overflow = () => page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");
    await cards(page).first().locator(".is-loaded").waitFor();
    expect(await overflow()).toBeLessThanOrEqual(0);
    await cards(page).first().tap();
    await page.locator("#detail-body .is-loaded").waitFor();
    expect(await page.locator("#detail-body").evaluate((body) => body.scrollWidth - body.clientWidth)).toBe(0);
    expect(await overflow()).toBeLessThanOrEqual(0);
  });
});
