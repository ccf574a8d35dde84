import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { endProcess, hasEnded } from "./child-process.js";
import { freePort } from "./free-port.js";
import { findProgram, requirePrograms } from "./program.js";

export type RedisServer = {
  port: number;
  url: string;
  /** Ends it at once, as a crash of its machine would; it forgets all. */
  kill(): Promise<void>;
  /** Starts it again after `kill`, empty, on the same port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
};

/** A private server on a free port of the loopback, which keeps nothing. Installs its program where that is allowed. */
export async function startRedis(): Promise<RedisServer> {
  await requirePrograms("redis-server");
  const folder = await mkdtemp(join(tmpdir(), "media-redis-"));
  const port = await freePort();
  let server = await launch(folder, port);
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    kill: () => server.end(),
    async restart() {
      server = await launch(folder, port);
    },
    async stop() {
      await server.end();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function launch(folder: string, port: number) {
  const options = { port: String(port), bind: "127.0.0.1", dir: folder, save: "", appendonly: "no" };
  const given = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  const server = spawn(findProgram("redis-server") ?? "redis-server", given, { stdio: "ignore" });
  const killWithUs = () => server.kill("SIGKILL");
  process.once("exit", killWithUs);
  await answering(port, server);
  return {
    async end() {
      process.off("exit", killWithUs);
      await endProcess(server, "SIGKILL");
    },
  };
}

const POLLS = 400;
const POLL_MS = 10;

async function answering(port: number, server: ChildProcess): Promise<void> {
  for (let poll = 1; !(await isListening(port)); poll++) {
    if (poll >= POLLS || hasEnded(server)) throw new Error(`Redis did not start on port ${port}.`);
    await sleep(POLL_MS);
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
