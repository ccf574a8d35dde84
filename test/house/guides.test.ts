import { execFile, spawnSync } from "node:child_process";
import { chmod, readFile, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { transform } from "esbuild";
import { createElement, type FunctionComponent } from "react";
import { createRoot } from "react-dom/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type * as MediaClientPackage from "../../client/index.js";
import { isPassing } from "../../client/retry.js";
import type { MediaErrorCode } from "../../src/media/errors.js";
import type { MediaOut } from "../../src/media/model.js";
import { ERROR_MAP } from "../../src/procedures/error-map.js";
import { importPage } from "../client/import-page.js";
import { acting, openBrowser, until } from "../client/rendering.js";
import { API } from "../support/api-description.js";
import { scenery } from "../support/pictures.js";
import { SERVICE_TOKEN, startTestServer, type TestServer } from "../support/server.js";
import { makeTemporaryFolder } from "../support/temporary-folder.js";
import { blocksOf, readGuide, statusesIn, wireNamesIn } from "./guide-blocks.js";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
const COMPILER = join(dirname(createRequire(import.meta.url).resolve("typescript-7/package.json")), "bin/tsc");
const run = promisify(execFile);

const WEB = blocksOf(readGuide("web"), "tsx").join("\n");
const MOBILE = readGuide("mobile");
const TOOLS = readGuide("tools");
/** Tells the status of every call beside what it prints. */
const CURL = `#!/bin/sh\nexec "$REAL_CURL" -w '%{stderr}%{http_code}\\n' "$@"\n`;

const picture = (seed: number): Promise<Buffer> => scenery(500, 400, seed).jpeg().toBuffer();

let server: TestServer;
let owner: string;
let folder: Awaited<ReturnType<typeof makeTemporaryFolder>>;

beforeAll(async () => {
  server = await startTestServer();
  owner = await server.user("USR-1", { email: "ada@example.org", password: "correct horse" });
  await server.entity("builder", "BLD-1", { ownerId: "USR-1" });
  await server.entity("property", "PRP-1", { parentId: "BLD-1" });
  await server.entity("property", "PRP-WEB", { parentId: "BLD-1" });
  folder = await makeTemporaryFolder();
  const real = (await run("sh", ["-c", "command -v curl"])).stdout.trim();
  await writeFile(join(folder.path, "curl"), CURL.replace("$REAL_CURL", real));
  await chmod(join(folder.path, "curl"), 0o755);
  await writeFile(join(folder.path, "photo.jpg"), await picture(1));
  await writeFile(join(folder.path, "other.jpg"), await picture(2));
  await writeFile(join(folder.path, "notes.txt"), "no picture");
  await writeFile(
    join(folder.path, "photo.heic"),
    await readFile(fileURLToPath(new URL("../fixtures/heic/plain.heic", import.meta.url))),
  );
});
afterAll(async () => {
  await server.stop();
  await folder.remove();
});

/** Every command of a guide in one shell, with the address and the token it asks for. */
async function paste(guide: string, token: string): Promise<number[]> {
  const env = { PATH: `${folder.path}:${process.env.PATH}`, BASE: server.baseUrl, TOKEN: token };
  const script = blocksOf(guide, "sh").join("\n");
  const { stderr } = await run("bash", ["--norc", "-eo", "pipefail", "-c", script], { cwd: folder.path, env });
  return stderr.trim().split("\n").map(Number);
}

describe("the guide for mobile apps", () => {
  it("has commands that answer what it says", async () => {
    const said = statusesIn(blocksOf(MOBILE, "sh").join("\n"));
    expect(said.length).toBeGreaterThan(8);
    expect(await paste(MOBILE, owner)).toEqual(said);
  }, 120_000);

  it.each(["kotlin", "swift"])("sends in %s what the server takes", (language) => {
    const { paths, headers, fields } = wireNamesIn(blocksOf(MOBILE, language).join("\n"));
    const upload = API.paths["/v1/media/properties/{id}/photos"]?.post;
    const form = upload?.requestBody?.content["multipart/form-data"]?.schema.properties as object;
    const known = ["Authorization", "Content-Type", ...(upload?.parameters ?? []).map(({ name }) => name)];
    const addresses = Object.keys(API.paths).map((path) => path.replaceAll(/\{\w+\}/g, "{}"));
    expect([paths.length, headers.length >= 2, fields.includes("file")]).toEqual([1, true, true]);
    expect(paths.filter((path) => !addresses.includes(path))).toEqual([]);
    expect(headers.filter((header) => !known.includes(header))).toEqual([]);
    expect(fields.filter((field) => !Object.hasOwn(form, field))).toEqual([]);
  });

  it("says of each failure what the server and the typed client do with it", () => {
    const rows = [...MOBILE.matchAll(/^\| `(\w+)` \| (\d+) \| (yes|no) \|/gm)].map(([, code, status, again]) => [
      code,
      Number(status),
      again,
    ]);
    const codes = rows.map(([code]) => code as MediaErrorCode);
    const truths = codes.map((code) => {
      const { status } = ERROR_MAP[code];
      return [code, status, isPassing({ code, status }) ? "yes" : "no"];
    });
    expect(rows).toEqual(truths);
    const passing = (Object.keys(ERROR_MAP) as MediaErrorCode[]).filter((code) =>
      isPassing({ code, status: ERROR_MAP[code].status }),
    );
    expect(passing.filter((code) => !codes.includes(code))).toEqual([]);
  });
});

describe("the guide for tools", () => {
  const blocks = blocksOf(TOOLS, "ts");

  /** As Node runs it; it is compiled with its types below. */
  async function runBlock(block: string): Promise<string> {
    const { code } = await transform(block, { loader: "ts", format: "esm" });
    const file = join(folder.path, "tool.mjs");
    await writeFile(file, code.replaceAll("./dist/", `${REPOSITORY}/dist/`));
    const settings = { DATA_DIR: server.folder, BASE_URL: server.baseUrl, LOG_LEVEL: "silent" };
    const env = { PATH: process.env.PATH, BASE: server.baseUrl, TOKEN: SERVICE_TOKEN, ...settings };
    return (await run(process.execPath, [file], { env })).stdout;
  }

  beforeAll(async () => {
    await symlink(join(REPOSITORY, "node_modules"), join(folder.path, "node_modules"));
    const author = await server.user("USR-2");
    await server.entity("post", "PST-1", { ownerId: "USR-2" });
    for (const tags of ["house", "cat"])
      await server.post("/v1/media/posts/PST-1/media", author, [
        ["tags", tags],
        ["file", [await picture(3), "a.jpg"]],
      ]);
  });

  it("keeps entities, moderates and works in process as it says", async () => {
    expect(blocks).toHaveLength(3);
    const [entities = "", bot = "", inProcess = ""] = blocks;
    expect(await runBlock(entities)).toMatch(/^true /);
    expect(await runBlock(bot)).toBe("1 approved []\n");
    const queue = await server.service<{ items: MediaOut[] }>("GET", "/v1/media/moderation/queue");
    expect(queue.items.map(({ tags }) => tags)).toEqual([["cat"]]);
    expect(await runBlock(inProcess)).toBe("0 items\n");
  }, 120_000);

  it("has commands that answer what it says", async () => {
    expect(await paste(TOOLS, SERVICE_TOKEN)).toEqual(statusesIn(TOOLS));
  });
});

describe("the guide for web frontends", () => {
  type Page = {
    App: FunctionComponent<{ property: string }>;
    client: MediaClientPackage.MediaClient;
    signIn(email: string, password: string): Promise<string>;
  };

  it("has a gallery that uploads, moves, deletes and says why not", async () => {
    const own = await makeTemporaryFolder();
    // The test has no cookies: what is sent with the session's token is the same otherwise.
    const text = WEB.replace("https://media.example", server.baseUrl).replace(
      'credentials: "include"',
      `token: "${owner}"`,
    );
    const { App, signIn } = await importPage<Page>(own.path, text);
    expect(await signIn("ada@example.org", "correct horse")).toBe("USR-1");
    const browser = openBrowser();
    const page = browser.document.createElement("main");
    browser.document.body.append(page);
    const root = createRoot(page);
    await acting(() => root.render(createElement(App, { property: "PRP-WEB" })));
    const shown = () => [...page.querySelectorAll("img")].map((image) => image.getAttribute("src"));
    const press = (name: string, at: number) =>
      acting(() => [...page.querySelectorAll("button")].filter((button) => button.textContent === name)[at]!.click());
    const choose = async (bytes: Uint8Array | string, name: string) => {
      const input = page.querySelector("input")!;
      await until(() => expect(input.disabled).toBe(false));
      Object.defineProperty(input, "files", { value: [new File([bytes as BlobPart], name)], configurable: true });
      browser.fire(input, "change");
    };

    await choose(await picture(4), "first.jpg");
    await until(() => expect(shown()).toHaveLength(1));
    await choose(await picture(5), "second.jpg");
    await until(() => expect(shown()).toHaveLength(2));
    expect(page.querySelector("img")!.getAttribute("srcset")).toMatch(/_small\.\w+ 400w$/);
    const before = shown();
    await press("Earlier", 1);
    await until(() => expect(shown()).toEqual(before.toReversed()));
    await press("Delete", 0);
    await until(() => expect(shown()).toEqual([before[0]]));
    await choose("no picture", "notes.txt");
    await until(() => expect(page.querySelector("[role=alert]")?.textContent).toMatch(/^Please choose a jpeg, png/));

    await acting(() => root.unmount());
    await browser.close();
    await own.remove();
  });
});

describe("the typed blocks of the guides", () => {
  it("compile strictly, and would not with a name that is not there", async () => {
    const own = await makeTemporaryFolder();
    const put = (path: string, text: string) => writeFile(join(own.path, path), text);
    await symlink(join(REPOSITORY, "node_modules"), join(own.path, "node_modules"));
    await put("web.tsx", WEB);
    await Promise.all(
      blocksOf(TOOLS, "ts").map((block, at) => put(`tool-${at}.ts`, block.replaceAll("./dist/", `${REPOSITORY}/`))),
    );
    await put("wrong.tsx", WEB.replace("problem.maxBytes", "problem.maxByte"));
    const paths = {
      "@artitec/media-client": [join(REPOSITORY, "client/index.ts")],
      "@artitec/media-client/react": [join(REPOSITORY, "client/react.ts")],
    };
    const compilerOptions = { noEmit: true, jsx: "react-jsx", types: ["node"], paths };
    await put(
      "tsconfig.json",
      JSON.stringify({ extends: join(REPOSITORY, "tsconfig.json"), compilerOptions, include: ["*"], exclude: [] }),
    );
    await put("package.json", '{ "type": "module" }');
    const { stdout } = spawnSync(process.execPath, [COMPILER, "-p", own.path], { encoding: "utf8" });
    expect(
      [...stdout.matchAll(/^(\S+)\(\d+,\d+\): error (TS\d+)/gm)].map(([, file, code]) => [
        file?.split("/").at(-1),
        code,
      ]),
    ).toEqual([["wrong.tsx", "TS2551"]]);
    await own.remove();
  }, 120_000);
});

describe("the reading of guides", () => {
  it("finds what code sends, in both languages", () => {
    const kotlin = '.url("$base/v1/media/users/$id/avatar").header("Accept", "x").addFormDataPart("file", a)';
    expect(wireNamesIn(kotlin)).toEqual({
      paths: ["/v1/media/users/{}/avatar"],
      headers: ["Accept"],
      fields: ["file"],
    });
    const swift =
      'string: "\\(base)/v1/media/\\(id)")! setValue(key, forHTTPHeaderField: "Range") "\\(head)\\"file\\"; filename=\\"a\\""';
    expect(wireNamesIn(swift)).toEqual({ paths: ["/v1/media/{}"], headers: ["Range"], fields: ["file"] });
  });

  it("reads statuses at the ends of lines alone", () => {
    expect(statusesIn("curl a # 200\n# 300 is none\ncurl b -d '# 1' # 404\n")).toEqual([200, 404]);
  });
});
