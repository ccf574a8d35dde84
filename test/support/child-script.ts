import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Starts TypeScript in a process of its own, for tests that kill it or take resources from it. `limits` are `ulimit`
 * options. Imports in the script are relative to the repository.
 */
export function startScript(script: string, { limits = "" } = {}): ChildProcess {
  const node = `exec "$0" --import tsx --input-type=module --eval "$1"`;
  const command = limits ? `ulimit ${limits} && ${node}` : node;
  return spawn("sh", ["-c", command, process.execPath, script], {
    cwd: REPOSITORY,
    env: { ...process.env, TSX_DISABLE_CACHE: "1" },
    stdio: ["ignore", "pipe", "inherit"],
  });
}

/** Its standard output once it has ended. */
export async function outputOf(child: ChildProcess): Promise<string> {
  let output = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  await once(child, "close");
  return output;
}
