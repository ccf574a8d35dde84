import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { endProcess, hasEnded } from "./child-process.js";
import { freePort } from "./free-port.js";

/** The built worker. */
const BUNDLE = fileURLToPath(new URL("../../dist/edge.js", import.meta.url));

/** The package's own `bin` is a shim that stays between us and the process. */
const PLATFORM_PACKAGES = { x64: "@cloudflare/workerd-linux-64", arm64: "@cloudflare/workerd-linux-arm64" } as const;

function workerdProgram(): string {
  const name = process.platform === "linux" && PLATFORM_PACKAGES[process.arch as keyof typeof PLATFORM_PACKAGES];
  if (!name) throw new Error(`There is no workerd here for ${process.platform} on ${process.arch}.`);
  const require = createRequire(import.meta.url);
  return createRequire(require.resolve("workerd")).resolve(`${name}/bin/workerd`);
}

export type WorkerdOptions = {
  /** The worker's variables and secrets. */
  env: Readonly<Record<string, string>>;
  /** A `mysql://` address to bind as HYPERDRIVE. */
  hyperdriveUrl?: string;
};

export type WorkerdServer = { baseUrl: string /** Lines the worker wrote. */; lines: string[]; stop(): Promise<void> };

const POLLS = 400;
const POLL_MS = 50;

/** The built worker in the runtime it is made for, on a free port of the loopback. Ends with this process. */
export async function startWorkerd(options: WorkerdOptions): Promise<WorkerdServer> {
  const folder = await mkdtemp(join(tmpdir(), "media-workerd-"));
  const port = await freePort();
  const config = join(folder, "config.capnp");
  await writeFile(config, describeWorker(options, { port, bundle: relative(folder, BUNDLE) }));
  const worker = spawn(workerdProgram(), ["serve", config, "--experimental"], { stdio: ["ignore", "pipe", "pipe"] });
  const killWithUs = () => worker.kill("SIGKILL");
  process.once("exit", killWithUs);
  const lines: string[] = [];
  for (const output of [worker.stdout, worker.stderr])
    output
      .setEncoding("utf8")
      .on("data", (text: string) => lines.push(...text.split("\n").filter((line) => line !== "")));
  const stop = async () => {
    process.off("exit", killWithUs);
    await endProcess(worker, "SIGKILL");
    await rm(folder, { recursive: true, force: true });
  };
  const baseUrl = `http://127.0.0.1:${port}`;
  try {
    await answering(baseUrl, worker);
  } catch (cause) {
    await stop();
    throw new Error(`workerd did not start: ${lines.join("\n")}`, { cause });
  }
  return { baseUrl, lines, stop };
}

async function answering(baseUrl: string, worker: ChildProcess): Promise<void> {
  for (let poll = 1; ; poll++) {
    try {
      const answer = await fetch(`${baseUrl}/healthz`);
      await answer.body?.cancel();
      return;
    } catch (error) {
      if (poll >= POLLS || hasEnded(worker)) throw error;
      await sleep(POLL_MS);
    }
  }
}

/** https://github.com/cloudflare/workerd/blob/main/src/workerd/server/workerd.capnp */
function describeWorker({ env, hyperdriveUrl }: WorkerdOptions, at: { port: number; bundle: string }): string {
  const database = hyperdriveUrl === undefined ? null : new URL(hyperdriveUrl);
  const text = JSON.stringify;
  const variables = Object.entries(env).map(([name, value]) => `(name = ${text(name)}, text = ${text(value)})`);
  const services = [
    `(name = "main", worker = .main)`,
    `(name = "internet", network = (allow = ["public", "private", "local"]))`,
  ];
  if (database) {
    const login = `user = ${text(database.username)}, password = ${text(database.password)}`;
    const place = `designator = "database", database = ${text(database.pathname.slice(1))}, scheme = "mysql"`;
    variables.push(`(name = "HYPERDRIVE", hyperdrive = (${place}, ${login}))`);
    services.push(`(name = "database", external = (address = ${text(database.host)}, tcp = ()))`);
  }
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [${services.join(", ")}],
  sockets = [(name = "http", address = "127.0.0.1:${at.port}", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [(name = "edge.js", esModule = embed ${text(at.bundle)})],
  compatibilityDate = "2026-07-01",
  compatibilityFlags = ["nodejs_compat"],
  bindings = [${variables.join(", ")}],
);
`;
}
