import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import type { Logger } from "../../src/media/ports.js";
import { VARIANTS } from "../../src/media/variants.js";
import { imageHeaderSchema, renderedImageSchema } from "../../src/pipeline/pixel-messages.js";
import {
  createProcessPool,
  type ProcessPool,
  type ProcessPoolOptions,
  type Terms,
} from "../../src/pipeline/process-pool.js";
import { startScript } from "../support/child-script.js";
import { flatJpegOfScans } from "../support/hostile-pictures.js";
import { scenery } from "../support/pictures.js";
import { makeTemporaryFolder } from "../support/temporary-folder.js";

const PATIENT_MS = 25_000;
const SIZE = { width: 40, height: 30, frames: 1, heldPixels: 1_200 };
const BUDGET = 10_000;

let folder: Awaited<ReturnType<typeof makeTemporaryFolder>>;
let path: string;
let pool: ProcessPool;
/** Of the processes started so far, oldest first. */
let pids: number[];

beforeEach(async () => {
  folder = await makeTemporaryFolder();
  path = join(folder.path, "picture");
  await writeFile(path, await scenery(SIZE.width, SIZE.height).png().toBuffer());
  pids = [];
});
afterEach(async () => {
  for (const pid of pids) signal(pid, "SIGCONT");
  await pool.close();
  await folder.remove();
});

const log: Logger = {
  info: (fields) => pids.push(Number(fields.pid)),
  warn: () => undefined,
  error: () => undefined,
};

function open(options: Partial<ProcessPoolOptions> = {}): void {
  pool = createProcessPool({
    processes: 1,
    queueLimits: { upload: 10, demand: 10 },
    pixelBudget: BUDGET,
    log,
    ...options,
  });
}

const inspect = (timeoutMs = PATIENT_MS, terms: Partial<Terms> = {}) =>
  pool.run({ kind: "inspect", path, contentType: "image/png" }, imageHeaderSchema, {
    timeoutMs,
    cost: 0,
    priority: "upload",
    ...terms,
  });

const failure = (code: string) => ({ failure: expect.objectContaining({ code }) });

/** False where there is no such process. */
function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

/** Holds the process still, so that whatever it is asked is surely unanswered. */
async function stalled(): Promise<number> {
  await inspect();
  const pid = pids.at(-1) ?? 0;
  expect(signal(pid, "SIGSTOP")).toBe(true);
  return pid;
}

/** Rejections that are awaited later are no unhandled ones. */
function started<T>(work: Promise<T>): Promise<T> {
  work.catch(() => undefined);
  return work;
}

describe("a pool of processes", () => {
  it("starts none before it is asked, and keeps using the one it has", async () => {
    open({ processes: 4 });
    expect(pids).toEqual([]);
    for (let turn = 0; turn < 3; turn++) expect(await inspect()).toEqual(SIZE);
    expect(pids).toHaveLength(1);
  });

  it("works on as many requests at once as it has processes", async () => {
    open({ processes: 2 });
    await Promise.all([inspect(), inspect(), inspect(), inspect()]);
    expect(pids).toHaveLength(2);
  });

  it("survives the death of a process, which costs the request it was at and no other", async () => {
    open();
    const pid = await stalled();
    const dying = started(inspect());
    const waiting = started(inspect());
    signal(pid, "SIGKILL");
    await expect(dying).rejects.toMatchObject(failure("PROCESSING_FAILED"));
    expect(await waiting).toEqual(SIZE);
    expect(pids).toHaveLength(2);
  });

  it("blames the picture where its own decoder crashes", async () => {
    open();
    const pid = await stalled();
    const dying = started(inspect());
    signal(pid, "SIGSEGV");
    signal(pid, "SIGCONT");
    await expect(dying).rejects.toMatchObject(failure("CORRUPT_FILE"));
    expect(await inspect()).toEqual(SIZE);
  });

  it("replaces a process that died while it had nothing to do", async () => {
    open();
    const pid = await stalled();
    signal(pid, "SIGKILL");
    while (signal(pid, 0)) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await inspect()).toEqual(SIZE);
    expect(pids).toHaveLength(2);
  });

  it("kills a process that does not answer in time, and goes on with another", async () => {
    open();
    const pid = await stalled();
    await expect(inspect(50)).rejects.toMatchObject({
      failure: { code: "OVERLOADED" },
    });
    expect(signal(pid, 0)).toBe(false);
    expect(await inspect()).toEqual(SIZE);
  });

  it.skipIf(process.platform !== "linux")(
    "kills a process that fills more memory than it may, and goes on",
    async () => {
      open({ maxProcessBytes: 256 * 1024 ** 2 });
      await writeFile(path, flatJpegOfScans(9_992, 90));
      const job = { path, outputFolder: folder.path, variants: VARIANTS, focalPoint: null, keepGps: false };
      const rendered = pool.run({ kind: "render", job, maxPixels: 200_000_000 }, renderedImageSchema, {
        timeoutMs: PATIENT_MS,
        cost: 1,
        priority: "upload",
      });
      await expect(rendered).rejects.toMatchObject({
        failure: { code: "CORRUPT_FILE", reason: "decoding it takes more memory than a picture may have" },
      });
      await writeFile(path, await scenery(SIZE.width, SIZE.height).png().toBuffer());
      expect(await inspect()).toEqual(SIZE);
      expect(pids).toHaveLength(2);
    },
  );

  it("lets only so many wait", async () => {
    open({ queueLimits: { upload: 1, demand: 0 } });
    const pid = await stalled();
    const running = started(inspect());
    const waiting = started(inspect());
    await expect(inspect()).rejects.toMatchObject({ failure: { code: "OVERLOADED", retryAfterSeconds: 5 } });
    signal(pid, "SIGCONT");
    expect(await Promise.all([running, waiting])).toEqual([SIZE, SIZE]);
    expect(await inspect()).toEqual(SIZE);
  });

  it("works without a place to wait in", async () => {
    open({ queueLimits: { upload: 0, demand: 0 } });
    expect(await inspect()).toEqual(SIZE);
  });

  it("lets visitors wait in places of their own", async () => {
    open({ queueLimits: { upload: 1, demand: 1 } });
    const pid = await stalled();
    const visitor = { priority: "demand" } as const;
    const running = started(inspect());
    const waiting = [started(inspect(PATIENT_MS, visitor)), started(inspect())];
    await expect(inspect(PATIENT_MS, visitor)).rejects.toMatchObject(failure("OVERLOADED"));
    signal(pid, "SIGCONT");
    expect(await Promise.all([running, ...waiting])).toEqual([SIZE, SIZE, SIZE]);
  });

  it("keeps a process idle rather than hold more pixels than it may, and uses it for what holds none", async () => {
    open({ processes: 2 });
    const dear = { cost: BUDGET - 1 };
    const pid = await stalled();
    const running = started(inspect(PATIENT_MS, dear));
    const waiting = started(inspect(PATIENT_MS, dear));
    expect(await inspect()).toEqual(SIZE);
    expect(pids).toHaveLength(2);
    const other = pids.at(-1) ?? 0;
    signal(other, "SIGKILL");
    while (signal(other, 0)) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(pids).toHaveLength(2);
    signal(pid, "SIGCONT");
    expect(await Promise.all([running, waiting])).toEqual([SIZE, SIZE]);
    expect(pids).toHaveLength(2);
  });

  it("has the pixels back of a picture that died with its process", async () => {
    open();
    const pid = await stalled();
    const dying = started(inspect(PATIENT_MS, { cost: BUDGET }));
    const waiting = started(inspect(PATIENT_MS, { cost: BUDGET }));
    signal(pid, "SIGKILL");
    await expect(dying).rejects.toMatchObject(failure("PROCESSING_FAILED"));
    expect(await waiting).toEqual(SIZE);
  });

  it("believes no answer of another shape", async () => {
    open();
    const answer = pool.run({ kind: "inspect", path, contentType: "image/png" }, z.object({ depth: z.number() }), {
      timeoutMs: PATIENT_MS,
      cost: 0,
      priority: "upload",
    });
    await expect(answer).rejects.toMatchObject(failure("PROCESSING_FAILED"));
    expect(await inspect()).toEqual(SIZE);
    expect(pids).toHaveLength(2);
  });
});

describe("closing the pool", () => {
  it("finishes what runs, refuses what waits and what comes, and ends the process", async () => {
    open();
    const pid = await stalled();
    const running = started(inspect());
    const waiting = started(inspect());
    const closed = pool.close();
    await expect(waiting).rejects.toMatchObject(failure("OVERLOADED"));
    await expect(inspect()).rejects.toMatchObject(failure("OVERLOADED"));
    signal(pid, "SIGCONT");
    expect(await running).toEqual(SIZE);
    await closed;
    expect(signal(pid, 0)).toBe(false);
  });

  it("is done at once where nothing was ever asked, and can be repeated", async () => {
    open();
    await pool.close();
    await pool.close();
    expect(pids).toEqual([]);
  });
});

describe("a process of the pool", () => {
  it("outlives the signals that tell the server to stop", async () => {
    open();
    const pid = await stalled();
    const running = started(inspect());
    signal(pid, "SIGTERM");
    signal(pid, "SIGINT");
    signal(pid, "SIGCONT");
    expect(await running).toEqual(SIZE);
    expect(await inspect()).toEqual(SIZE);
    expect(pids).toEqual([pid]);
  });

  it("ends when the server was killed", async () => {
    open();
    const server = startScript(`
      import { createSharpPipeline } from "./src/pipeline/sharp-pipeline.ts";
      const log = { info: (fields) => console.log(fields.pid), warn() {}, error() {} };
      const pipeline = createSharpPipeline({ processes: 1, queueLimits: { upload: 1, demand: 1 }, pixelBudget: 1e6, inspectTimeoutMs: 20_000, renderTimeoutMs: 20_000, maxPixels: 1e6, log });
      await pipeline.inspect(${JSON.stringify(path)}, "image/png");
    `);
    const [line] = (await once(server.stdout ?? server, "data")) as [Buffer];
    const pid = Number.parseInt(line.toString(), 10);
    expect(signal(pid, 0)).toBe(true);
    server.kill("SIGKILL");
    await once(server, "exit");
    while (signal(pid, 0)) await new Promise((resolve) => setTimeout(resolve, 20));
  });

  it.skipIf(process.platform !== "linux")("knows nothing of the server's environment", async () => {
    process.env.SECRET_OF_THE_SERVER = "hush";
    open();
    await inspect();
    delete process.env.SECRET_OF_THE_SERVER;
    const environment = await readFile(`/proc/${pids[0]}/environ`, "utf8");
    expect(environment).toContain("MALLOC_ARENA_MAX=2");
    expect(environment).not.toMatch(/SECRET|HOME|PATH=/);
  });
});
