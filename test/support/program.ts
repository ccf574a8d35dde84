import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { installTestTools } from "./install-test-tools.js";

/** Where a program is. Debian keeps servers where a user's PATH does not look. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin"];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** Installs what the tests need where one of the programs is not there and that is allowed. */
export async function requirePrograms(...names: readonly string[]): Promise<void> {
  if (names.some((name) => !findProgram(name))) await installTestTools();
}
