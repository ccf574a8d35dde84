import { readdir } from "node:fs/promises";
import { join } from "node:path";

/** Every stored object and every spooled file of a server, by path below its data folder. */
export async function filesBelow(folder: string): Promise<{ stored: string[]; spooled: string[] }> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
  return {
    stored: files.filter((file) => file.startsWith("files/")).sort(),
    spooled: files.filter((file) => file.startsWith("spool/")).sort(),
  };
}
