import { randomBytes } from "node:crypto";
import { mkdir, open, readFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * The secret kept in `folder/name`, made on the first call: 32 random bytes, base64url, mode 0600. Two processes that
 * start at once end with the same secret. Rejects when the folder cannot be written or the file is empty.
 */
export async function loadOrCreateSecret(folder: string, name: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, name);
  try {
    const file = await open(path, "wx", 0o600);
    try {
      await file.writeFile(randomBytes(32).toString("base64url"));
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  return readSecret(path);
}

/** Another process may be between making the file and filling it. */
async function readSecret(path: string): Promise<string> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const secret = (await readFile(path, "utf8")).trim();
    if (secret !== "") return secret;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`The secret file ${path} is empty; remove it to have a new one made.`);
}
