import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { quarters, scenery } from "../support/pictures.js";
import { createApi, toForm } from "../support/server.js";

const DIST = fileURLToPath(new URL("../../dist/src/", import.meta.url));
const run = promisify(execFile);

describe("the server process", () => {
  let folder: string;
  let children: ChildProcess[];
  /** Listened to from the start: a process may end by itself at any time. */
  let ended: Promise<unknown>[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "media-start-"));
    children = [];
    ended = [];
  });
  afterEach(async () => {
    for (const child of children) child.kill("SIGKILL");
    await Promise.all(ended);
    await rm(folder, { recursive: true, force: true });
  });

  /** Only what is given: nothing of the machine's environment can help. */
  function launch(entry: string[], env: Record<string, string>) {
    const child = spawn(process.execPath, entry, { cwd: folder, env: { PATH: process.env.PATH ?? "", ...env } });
    children.push(child);
    ended.push(once(child, "exit"));
    const output = { text: "" };
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text) => (output.text += text));
    return { child, output };
  }

  async function until(output: { text: string }, pattern: RegExp): Promise<string> {
    for (let i = 0; i < 600; i++) {
      const match = pattern.exec(output.text);
      if (match) return match[1] ?? match[0];
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error(`waited for ${pattern}, saw: ${output.text}`);
  }

  const serve = async (env: Record<string, string> = {}) => {
    const started = launch([join(DIST, "server.js")], { PORT: "0", LOG_LEVEL: "silent", ...env });
    return { ...started, baseUrl: await until(started.output, /listens on (\S+)/) };
  };

  it("makes its secrets itself, for its own eyes only, and keeps them", async () => {
    const { child } = await serve();
    const secrets = join(folder, "data/secrets");
    expect((await readdir(secrets)).sort()).toEqual(["service-token", "signing-secret"]);
    for (const name of await readdir(secrets)) {
      expect((await stat(join(secrets, name))).mode & 0o777).toBe(0o600);
      expect((await readFile(join(secrets, name), "utf8")).length).toBeGreaterThanOrEqual(43);
    }
    const before = await readFile(join(secrets, "service-token"), "utf8");
    child.kill("SIGTERM");
    await once(child, "exit");
    await serve();
    expect(await readFile(join(secrets, "service-token"), "utf8")).toBe(before);
  });

  it("prints commands that work as they are pasted", async () => {
    const { output } = await serve();
    await until(output, /avatar\n/);
    const commands = output.text.split("\n").filter((line) => /^ {2}(curl|TOKEN)/.test(line));
    expect(commands).toHaveLength(3);
    await run("sh", ["-c", `printf '' > photo.jpg`], { cwd: folder });
    const { writeFile } = await import("node:fs/promises");
    await writeFile(join(folder, "photo.jpg"), await scenery(300, 400).jpeg().toBuffer());
    const { stdout } = await run("bash", ["-ec", commands.join("\n")], { cwd: folder });
    expect(stdout).toContain('"width":300');
  });

  it.each([
    [{ PORT: "many" }, /^Configuration: PORT must be a whole number\n$/],
    [{ REDIS_URL: "redis.example:6379" }, /^Configuration: REDIS_URL must be a redis:\/\/ or rediss:\/\/ address.*\n$/],
    [{ NODE_ENV: "production" }, /^Configuration: SERVICE_TOKEN is required in production.*\n$/],
  ])("does not start with %o, and says why in one line", async (env, line) => {
    const { child, output } = launch([join(DIST, "server.js")], env);
    const [code] = await once(child, "exit");
    expect(code).toBe(1);
    expect(output.text).toMatch(line);
  });

  it("says so when its port is taken", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { child, output } = launch([join(DIST, "server.js")], {
      PORT: String((other.address() as AddressInfo).port),
    });
    const [code] = await once(child, "exit");
    other.close();
    expect(code).toBe(1);
    expect(output.text).toMatch(/^Configuration: PORT is in use.*\n$/);
  });

  it("told to stop, finishes what runs, takes nothing new, leaves no temporary file and exits 0", async () => {
    const { child, baseUrl } = await serve({ SERVICE_TOKEN: "test-service-token-0123456789" });
    const api = createApi(baseUrl);
    const token = await api.user("USR-1");
    const body = Buffer.from(
      await new Response(toForm([["file", [await quarters(200, 200).jpeg().toBuffer(), "a.jpg"]]])).arrayBuffer(),
    );
    const boundary = /--(\S+)\r\n/.exec(body.toString("latin1"))?.[1];
    const headers = {
      authorization: `Bearer ${token}`,
      "content-type": `multipart/form-data; boundary=${boundary}`,
      "content-length": String(body.length),
    };
    const running = request(`${baseUrl}/v1/media/users/USR-1/avatar`, { method: "POST", headers });
    const answered = once(running, "response");
    running.write(body.subarray(0, 300));
    await new Promise((resolve) => setTimeout(resolve, 100));
    child.kill("SIGTERM");
    await expect
      .poll(() =>
        fetch(`${baseUrl}/healthz`).then(
          (r) => r.status,
          () => "refused",
        ),
      )
      .toBe("refused");
    running.end(body.subarray(300));
    const [response] = await answered;
    expect(response.statusCode).toBe(201);
    response.resume();
    const [code, signal] = await once(child, "exit");
    expect([code, signal]).toEqual([0, null]);
    expect(await readdir(join(folder, "data/spool"))).toEqual([]);
  });

  it("loads the demo through its own upload path, once", async () => {
    const demo = launch([join(DIST, "cli.js"), "demo"], { PORT: "0", LOG_LEVEL: "silent" });
    const page = new URL(await until(demo.output, /The demo is ready: (\S+)/));
    const list = async () =>
      (await fetch(`${page.origin}/v1/media/entity/property/PRP-DEMO`)).json() as Promise<{
        total: number;
        items: { thumbnailUrl: string }[];
      }>;
    const { total, items } = await list();
    expect(total).toBeGreaterThan(4);
    expect((await fetch(items[0]?.thumbnailUrl as string)).status).toBe(200);
    expect((await fetch(page)).status).toBe(200);
    const again = launch([join(DIST, "cli.js"), "demo"], { BASE_URL: page.origin });
    await until(again.output, /The demo is ready/);
    expect((await list()).total).toBe(total);
  });

  it("cli without a command says what there is", async () => {
    const { child, output } = launch([join(DIST, "cli.js")], {});
    expect((await once(child, "exit"))[0]).toBe(2);
    expect(output.text).toContain("Usage: cli <command>");
  });
});
