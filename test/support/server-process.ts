import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SERVICE_TOKEN } from "./server.js";

const SERVER = fileURLToPath(new URL("../../dist/src/server.js", import.meta.url));

/** The built server as a process of its own over an empty folder, so that its memory can be watched. */
export async function startServerProcess(settings: Record<string, string> = {}) {
  const folder = await mkdtemp(join(tmpdir(), "media-process-"));
  const defaults = { PORT: "0", DATA_DIR: folder, SERVICE_TOKEN, LOG_LEVEL: "silent" };
  const env = { PATH: process.env.PATH, ...defaults, ...settings };
  const child = spawn(process.execPath, [SERVER], { env, stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  for await (const text of child.stdout.setEncoding("utf8")) {
    output += text;
    if (/listens on \S+/.test(output)) break;
  }
  const baseUrl = /listens on (\S+)/.exec(output)?.[1];
  if (baseUrl === undefined) throw new Error(`The server said nothing of where it listens: ${output}`);
  return {
    folder,
    baseUrl,
    pid: child.pid as number,
    async stop() {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
export type ServerProcess = Awaited<ReturnType<typeof startServerProcess>>;
