import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const INSTALLER = fileURLToPath(new URL("../../scripts/install-test-tools.sh", import.meta.url));

/** Installs what the tests need beyond npm; throws the installer's own words where that is not possible. */
export async function installTestTools(): Promise<void> {
  await promisify(execFile)(INSTALLER);
}
