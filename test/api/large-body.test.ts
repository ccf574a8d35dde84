import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { quarters } from "../support/pictures.js";
import { createApi } from "../support/server.js";
import { type ServerProcess, startServerProcess } from "../support/server-process.js";

const MIB = 1024 * 1024;

/** Resident bytes of the process now, from /proc. */
async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
}

describe("a body of 500 MB to an address that takes 20", () => {
  let server: ServerProcess;
  let baseUrl: string;
  let token: string;

  beforeAll(async () => {
    server = await startServerProcess();
    ({ baseUrl } = server);
    const api = createApi(baseUrl);
    token = await api.user("USR-1");
    const picture = await quarters(200, 200).jpeg().toBuffer();
    for (let i = 0; i < 5; i++)
      await api.post("/v1/media/users/USR-1/cover", token, [["file", [picture, "warm-up.jpg"]]]);
  });
  afterAll(() => server.stop());

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
      const { pid } = server;
      const before = await residentBytes(pid);
      let peak = before;
      const watch = setInterval(() => void residentBytes(pid).then((now) => (peak = Math.max(peak, now))), 10);
      const outcome = await sendLarge(path, declared);
      clearInterval(watch);
      expect(outcome).toMatchObject({ status: 400, code: "FILE_TOO_LARGE" });
      expect(outcome.sentMiB).toBeLessThan(499);
      expect(peak - before).toBeLessThan(60 * MIB);
      expect((await server.files()).spooled).toEqual([]);
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
