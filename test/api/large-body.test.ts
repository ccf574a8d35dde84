import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { filesBelow } from "../support/files-below.js";
import { quarters } from "../support/pictures.js";
import { createApi, SERVICE_TOKEN } from "../support/server.js";

const MIB = 1024 * 1024;
const SERVER = fileURLToPath(new URL("../../dist/src/server.js", import.meta.url));

/** The built server as a process of its own, so that its memory can be watched. */
async function startProcess(folder: string): Promise<{ child: ChildProcess; baseUrl: string }> {
  const env = { PATH: process.env.PATH, PORT: "0", DATA_DIR: folder, SERVICE_TOKEN, LOG_LEVEL: "silent" };
  const child = spawn(process.execPath, [SERVER], { env, stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  for await (const text of child.stdout.setEncoding("utf8")) {
    output += text;
    const baseUrl = /listens on (\S+)/.exec(output)?.[1];
    if (baseUrl) return { child, baseUrl };
  }
  throw new Error(`The server said nothing of where it listens: ${output}`);
}

/** Resident bytes of the process now, from /proc. */
async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
}

describe("a body of 500 MB to an address that takes 20", () => {
  let folder: string;
  let child: ChildProcess;
  let baseUrl: string;
  let token: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "media-large-"));
    ({ child, baseUrl } = await startProcess(folder));
    const api = createApi(baseUrl);
    token = await api.user("USR-1");
    const picture = await quarters(200, 200).jpeg().toBuffer();
    for (let i = 0; i < 5; i++)
      await api.post("/v1/media/users/USR-1/cover", token, [["file", [picture, "warm-up.jpg"]]]);
  });
  afterAll(async () => {
    child.kill("SIGTERM");
    await once(child, "exit");
    await rm(folder, { recursive: true, force: true });
  });

  type Outcome = { status: number; code: string; sentMiB: number };

  /** Streams a picture's head and then zeros, with or without saying how many, until there is an answer. */
  async function sendLarge(path: string, declared: boolean): Promise<Outcome> {
    const head = Buffer.concat([
      Buffer.from('--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'),
      Buffer.from([0xff, 0xd8, 0xff, 0xe0]),
    ]);
    const length: Record<string, string> = declared
      ? { "content-length": String(500 * MIB) }
      : { "transfer-encoding": "chunked" };
    const headers = { "content-type": "multipart/form-data; boundary=x", authorization: `Bearer ${token}`, ...length };
    const sent = request(`${baseUrl}${path}`, { method: "POST", headers });
    let outcome: Outcome | undefined;
    let sentMiB = 0;
    sent.on("error", () => undefined); // the server may close once it has answered
    const answered = once(sent, "response").then(async ([response]) => {
      const text = Buffer.concat(await response.toArray()).toString();
      outcome = { status: response.statusCode, code: JSON.parse(text).code, sentMiB };
      sent.destroy();
    });
    sent.write(head);
    const block = Buffer.alloc(MIB);
    while (!outcome && sentMiB < 499 && !sent.destroyed) {
      sentMiB++;
      if (!sent.write(block))
        await Promise.race([once(sent, "drain"), once(sent, "close"), answered]).catch(() => undefined);
    }
    await answered;
    return outcome as unknown as Outcome;
  }

  it.each([
    { path: "/v1/media/users/USR-1/cover", declared: true },
    { path: "/v1/media/users/USR-1/cover", declared: false },
    { path: "/v1/media/upload?entity_type=user&entity_id=USR-1&entity_field=cover", declared: false },
  ])(
    "is cut at the limit, keeps no file and little memory ($path, declared: $declared)",
    async ({ path, declared }) => {
      const pid = child.pid as number;
      const before = await residentBytes(pid);
      let peak = before;
      const watch = setInterval(() => void residentBytes(pid).then((now) => (peak = Math.max(peak, now))), 10);
      const outcome = await sendLarge(path, declared);
      clearInterval(watch);
      expect(outcome).toMatchObject({ status: 400, code: "FILE_TOO_LARGE" });
      expect(outcome.sentMiB).toBeLessThan(499);
      expect(peak - before).toBeLessThan(60 * MIB);
      expect((await filesBelow(folder)).spooled).toEqual([]);
    },
  );

  it("and a normal upload works afterwards", async () => {
    const picture = await quarters(200, 200).jpeg().toBuffer();
    const answer = await createApi(baseUrl).post("/v1/media/users/USR-1/cover", token, [
      ["file", [picture, "after.jpg"]],
    ]);
    expect(answer.status).toBe(201);
  });
});
