import { readdir, readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { corpusPath, corpusRows, noCorpus } from "../support/corpus.js";
import { quarters } from "../support/pictures.js";
import { createApi } from "../support/server.js";
import { type ServerProcess, startServerProcess } from "../support/server-process.js";

const MIB = 1024 * 1024;

/** The most bytes the process and those it started ever held; one that ended meanwhile counts for nothing. */
async function peakBytes(pid: number): Promise<number> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const sizes = await Promise.all(
    pids.map(async (each) => {
      const status = await readFile(`/proc/${each}/status`, "utf8").catch(() => "");
      const parent = Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]);
      const isOurs = Number(each) === pid || parent === pid;
      return isOurs ? Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024 : 0;
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

describe.skipIf(noCorpus)("files made to exhaust a server", () => {
  let server: ServerProcess;
  beforeAll(async () => {
    server = await startServerProcess({ PIXEL_PROCESSES: "1" });
  });
  afterAll(() => server.stop());

  it("make the server and its pixel processes grow by less than 400 MB", async () => {
    const { baseUrl, pid } = server;
    const api = createApi(baseUrl);
    const token = await api.user("USR-1");
    await api.entity("builder", "BLD-1", { ownerId: "USR-1" });
    const send = (bytes: Uint8Array) =>
      api.post("/v1/media/builders/BLD-1/portfolio", token, [["file", [bytes, "a.jpg"]]]);
    const picture = await quarters(1200, 900).jpeg().toBuffer();
    for (let warmUp = 0; warmUp < 5; warmUp++) expect((await send(picture)).status).toBe(201);
    const before = await peakBytes(pid);
    let peak = before;
    const watch = setInterval(() => void peakBytes(pid).then((now) => (peak = Math.max(peak, now))), 25);
    for (const { file } of [...corpusRows("hostile"), ...corpusRows("broken")])
      expect((await send(await readFile(corpusPath(file)))).status, file).toBeLessThan(500);
    clearInterval(watch);
    expect(peak - before).toBeLessThan(400 * MIB);
    expect((await send(picture)).status).toBe(201);
  }, 120_000);
});
