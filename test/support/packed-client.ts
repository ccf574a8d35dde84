import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const CLIENT = fileURLToPath(new URL("../../client", import.meta.url));

/**
 * Packs the client as it is published and unpacks it into `node_modules` of the project in `root`, as an installation
 * does; answers the package's folder. `built`: takes the bundles of the last build, which every run of the tests begins
 * with, and whatever declarations are there; else both are built.
 */
export function unpackClient(root: string, { built = false } = {}): string {
  const target = join(root, "node_modules/@artitec/media-client");
  mkdirSync(target, { recursive: true });
  const options = ["--silent", "--pack-destination", root, ...(built ? ["--ignore-scripts"] : [])];
  const said = execFileSync("npm", ["pack", ...options], { cwd: CLIENT, encoding: "utf8" });
  const archive = join(root, said.trim().split("\n").at(-1) ?? "");
  execFileSync("tar", ["-xzf", archive, "-C", target, "--strip-components=1"]);
  rmSync(archive);
  return target;
}
