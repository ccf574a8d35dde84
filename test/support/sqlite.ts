import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EmptyDatabase } from "./database.js";

/** A file that does not exist yet, in a folder that does not exist yet. */
export async function createSqliteDatabase(): Promise<EmptyDatabase> {
  const folder = await mkdtemp(join(tmpdir(), "media-sqlite-"));
  return {
    url: `file:${join(folder, "data", "media.db")}`,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
