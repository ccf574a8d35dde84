import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";

/**
 * Starts a pixel process. Its entry lies beside this file, as TypeScript in the source tree and as JavaScript in the
 * build. It gets none of the server's environment: it reads hostile files and has no use for secrets. Fewer malloc
 * arenas cut its peak memory by a third at equal speed.
 */
export function forkPixelProcess(): ChildProcess {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return fork(new URL(`./pixel-process.${extension}`, import.meta.url), [], {
    // Where `tsx` is found from, whatever folder the server was started in.
    cwd: fileURLToPath(new URL(".", import.meta.url)),
    env: { MALLOC_ARENA_MAX: "2" },
    execArgv: extension === "ts" ? ["--import", "tsx"] : [],
    serialization: "advanced",
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
}
