import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { SERVICE_TOKEN } from "./server.js";
import { openStage } from "./stage.js";

const SERVER = fileURLToPath(new URL("../../dist/src/server.js", import.meta.url));

/** The built server as a process of its own, over a database and a store like those of `startTestServer`. */
export async function startServerProcess(settings: Record<string, string> = {}) {
  const stage = await openStage();
  const env = { PATH: process.env.PATH, ...stage.env, SERVICE_TOKEN, ...settings };
  const child = spawn(process.execPath, [SERVER], { env, stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  for await (const text of child.stdout.setEncoding("utf8")) {
    output += text;
    if (/listens on \S+/.test(output)) break;
  }
  const baseUrl = /listens on (\S+)/.exec(output)?.[1];
  if (baseUrl === undefined) throw new Error(`The server said nothing of where it listens: ${output}`);
  return {
    files: stage.files,
    baseUrl,
    pid: child.pid as number,
    async stop() {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
      await stage.remove();
    },
  };
}
export type ServerProcess = Awaited<ReturnType<typeof startServerProcess>>;
