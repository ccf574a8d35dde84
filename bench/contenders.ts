import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { VARIANTS } from "../src/media/variants.js";
import { createSharpPipeline } from "../src/pipeline/sharp-pipeline.js";
import { createApi, SERVICE_TOKEN, toForm } from "../test/support/server.js";
import type { Photograph } from "./photographs.js";

/** Does a job over one picture to its end; time and memory are those of the process and its children. */
export type Contender = { pid: number; work(photograph: Photograph): Promise<void>; stop(): Promise<void> };
export type UploadServer = Contender & { workOnBatch(photographs: readonly Photograph[]): Promise<void> };

const PRODUCT = fileURLToPath(new URL("../dist/src/server.js", import.meta.url));
const beside = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const TSX = ["--import", "tsx"];

/** The product's pixel work alone: what `render` asks of its one pixel process. */
export async function startPixelProcess(folder: string, warmUp: Photograph): Promise<Contender> {
  let pid = 0;
  const info = (fields: Record<string, unknown>) => {
    pid = Number(fields.pid);
  };
  const log = { info, warn: ignore, error: ignore };
  const pipeline = createSharpPipeline({ processes: 1, log, ...PATIENCE });
  const outputFolder = join(folder, "rendered");
  await mkdir(outputFolder);
  const work = async ({ path }: Photograph) => {
    await pipeline.render({ path, outputFolder, variants: VARIANTS, focalPoint: null, keepGps: false });
  };
  await work(warmUp);
  return { pid, work, stop: () => pipeline.close() };
}

const ignore = (): void => undefined;
const PATIENCE = {
  queueLimits: { upload: 10, demand: 10 },
  pixelBudget: 200_000_000,
  inspectTimeoutMs: 60_000,
  renderTimeoutMs: 60_000,
  maxPixels: 200_000_000,
};

/** The same in another way: see `pixel-rival.ts`. */
export async function startPixelRival(way: "naive" | "bound", folder: string): Promise<Contender> {
  const child = fork(beside("pixel-rival.ts"), [way, join(folder, way)], {
    execArgv: TSX,
    env: way === "bound" ? { PATH: process.env.PATH, MALLOC_ARENA_MAX: "2" } : { PATH: process.env.PATH },
  });
  const work = async ({ path }: Photograph) => {
    child.send(path);
    await once(child, "message");
  };
  return { pid: child.pid ?? 0, work, stop: () => end(child) };
}

/** The built product over SQLite and a folder, with one property to upload to. */
export async function startProduct(folder: string): Promise<UploadServer> {
  const env = { PATH: process.env.PATH, PORT: "0", DATA_DIR: folder, LOG_LEVEL: "error", SERVICE_TOKEN };
  const { baseUrl, ...process_ } = await listen([PRODUCT], env);
  const api = createApi(baseUrl);
  await api.entity("builder", "BLD-1", {});
  await api.entity("property", "PRP-1", { parentId: "BLD-1" });
  const post = async (path: string, parts: Parameters<typeof toForm>[0]) =>
    requireCreated(
      await fetch(`${baseUrl}/v1/media/${path}`, {
        method: "POST",
        headers: { authorization: `Bearer ${SERVICE_TOKEN}` },
        body: toForm(parts),
      }),
    );
  return {
    ...process_,
    work: async (photograph) => post("properties/PRP-1/photos", [["file", await fileOf(photograph)]]),
    workOnBatch: async (photographs) => {
      const files = await Promise.all(photographs.map(async (one) => ["files", await fileOf(one)] as const));
      await post("batch/upload?entity_type=property&entity_id=PRP-1&entity_field=gallery", files);
    },
  };
}

/** The rival of `naive-server.ts`. It knows no batches: pictures come one after the other. */
export async function startNaiveServer(folder: string): Promise<UploadServer> {
  const { baseUrl, ...process_ } = await listen([...TSX, beside("naive-server.ts"), folder], {
    PATH: process.env.PATH,
  });
  const work = async (photograph: Photograph) =>
    requireCreated(await fetch(baseUrl, { method: "POST", body: toForm([["file", await fileOf(photograph)]]) }));
  const workOnBatch = async (photographs: readonly Photograph[]) => {
    for (const photograph of photographs) await work(photograph);
  };
  return { ...process_, work, workOnBatch };
}

const fileOf = async ({ path, label }: Photograph): Promise<readonly [Uint8Array, string]> => [
  await readFile(path),
  label,
];

async function requireCreated(response: Response): Promise<void> {
  const text = await response.text();
  if (response.status !== 201) throw new Error(`It answered ${response.status}: ${text}`);
}

/** Starts a server and waits for the address it says it listens on. */
async function listen(args: readonly string[], env: NodeJS.ProcessEnv) {
  const child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "inherit"] });
  const baseUrl = await new Promise<string>((resolve, reject) => {
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      const [, address] = /listens on (\S+)/.exec(output) ?? [];
      if (address !== undefined) resolve(address);
    });
    child.once("exit", () => reject(new Error(`It ended before it listened: ${output}`)));
  });
  return { baseUrl, pid: child.pid ?? 0, stop: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  await ended;
}
