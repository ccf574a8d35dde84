import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const CLI = fileURLToPath(new URL("../../dist/src/cli.js", import.meta.url));

/** The built command line as a process of its own. `output` is all it said, `stdout` what another program would read. */
export function startCli(words: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [CLI, ...words], {
    env: { PATH: process.env.PATH, LOG_LEVEL: "silent", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    output += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  const ended = once(child, "close").then(() => ({ code: child.exitCode, output, stdout }));
  return { child, ended };
}

export const runCli = (words: readonly string[], env?: Record<string, string>) => startCli(words, env).ended;
