import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@libsql/client";
import { transform } from "esbuild";
import { loadConfig } from "../../src/config.js";
import type { MediaOut } from "../../src/media/model.js";
import { scenery } from "../support/pictures.js";
import { type Answer, createApi, SERVICE_TOKEN, type UploadResult } from "../support/server.js";

/** The built server, which `npm run build` makes: it and its pixel process start in a third of the time of the source. */
const BUILT = new URL("../../dist/src/", import.meta.url);
const ENTRY = new URL("./crashing-server.ts", import.meta.url);
const { startServer }: typeof import("../../src/start-server.js") = await import(
  new URL("start-server.js", BUILT).href
);

/** Writes the crashing server as JavaScript over the built one. Answers its path. */
export async function buildCrashingServer(folder: string): Promise<string> {
  const { code } = await transform(await readFile(ENTRY, "utf8"), { loader: "ts", format: "esm", target: "node20" });
  const path = join(folder, "crashing-server.mjs");
  await writeFile(path, code.replaceAll('"../../src/', `"${BUILT.href}`));
  return path;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const settingsOf = (folder: string): Record<string, string> => ({
  PORT: "0",
  DATA_DIR: folder,
  SERVICE_TOKEN,
  SIGNING_SECRET: "the secret of the crash tests",
  LOG_LEVEL: "silent",
  PIXEL_PROCESSES: "1",
});

export type Api = ReturnType<typeof createApi> & { baseUrl: string };

const apiAt = (baseUrl: string): Api => ({ baseUrl, ...createApi(baseUrl) });

/** A picture just large enough for all four variants. */
const largePicture = (seed: number): Promise<Buffer> => scenery(1640, 320, seed).jpeg({ quality: 40 }).toBuffer();

/** What stands in every prepared folder: a gallery of two, a filled slot with its predecessor, and the trash. */
export type Seed = {
  owner: string;
  admin: string;
  first: MediaOut;
  second: MediaOut;
  trashed: MediaOut;
  avatar: MediaOut;
  formerAvatar: MediaOut;
  /** A picture that none of them is. */
  picture: Buffer;
};

/** Fills an empty data folder through the server's own door, and closes it well. */
export async function prepare(folder: string): Promise<Seed> {
  const server = await startServer(loadConfig(settingsOf(folder)));
  try {
    return await fill(apiAt(server.baseUrl));
  } finally {
    await server.stop();
  }
}

async function fill(api: Api): Promise<Seed> {
  const owner = await api.user("USR-OWNER");
  const admin = await api.user("USR-ADMIN", { role: "admin" });
  await api.entity("builder", "BLD-1", { ownerId: "USR-OWNER" });
  const add = async (route: string, seed: number): Promise<MediaOut> => {
    const parts = [["file", [await largePicture(seed), `${seed}.jpg`]]] as const;
    const answer = await api.post<UploadResult>(`/v1/media/builders/BLD-1/${route}`, owner, parts);
    if (answer.status !== 201) throw new Error(`preparing ${route} answered ${JSON.stringify(answer.body)}`);
    return answer.body.media;
  };
  const [first, second, trashed] = [await add("portfolio", 1), await add("portfolio", 2), await add("portfolio", 3)];
  const [formerAvatar, avatar] = [await add("logo", 4), await add("logo", 5)];
  await api.call("DELETE", `/v1/media/${trashed.id}`, { token: owner });
  return { owner, admin, first, second, trashed, avatar, formerAvatar, picture: await largePicture(6) };
}

/** Moves one item's way into the trash so far back that its time is over. */
export async function outliveTrash(folder: string, media: MediaOut): Promise<void> {
  const client = createClient({ url: `file:${join(folder, "media.db")}` });
  try {
    const args = [Date.now() - 31 * DAY_MS, media.id];
    const { rowsAffected } = await client.execute({ sql: "UPDATE media SET deleted_at = ? WHERE id = ?", args });
    if (rowsAffected !== 1) throw new Error("the item to age is not there");
  } finally {
    client.close();
  }
}

export type Crash = {
  /** Names of the effects that happened, in order. */
  effects: string[];
  /** What the client got before the end; null where the connection broke. */
  answer: Answer | null;
  wasKilled: boolean;
};

/** Null: never. */
export type KillPoint = { during: "start" | "request"; after: number | null };

/** Runs the crashing server over the folder, asks it for one thing, and sees it end. */
export async function runUntilKilled(
  { entry, folder }: { entry: string; folder: string },
  { during, after }: KillPoint,
  ask: (api: Api) => Promise<Answer<unknown>>,
): Promise<Crash> {
  const kill = { KILL_DURING: during, ...(after === null ? {} : { KILL_AFTER: String(after) }) };
  const child = spawn(process.execPath, [entry], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? "", ...settingsOf(folder), ...kill },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  const lines: string[] = [];
  let rest = "";
  const serving = new Promise<string>((resolve) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      const parts = (rest + text).split("\n");
      rest = parts.pop() ?? "";
      lines.push(...parts);
      const serves = parts.find((line) => line.startsWith("serves "));
      if (serves) resolve(serves.slice("serves ".length));
    });
  });
  const baseUrl = await Promise.race([serving, ended.then(() => null)]);
  const answer = baseUrl === null ? null : await answerOrNone(ask(apiAt(baseUrl)));
  if (after === null) child.kill("SIGTERM");
  const [code, signal] = await ended;
  if (signal === null && code !== 0) throw new Error(`the server ended with code ${code}`);
  return {
    effects: lines.flatMap((line) => (line.startsWith("effect ") ? [line.slice("effect ".length)] : [])),
    answer,
    wasKilled: signal === "SIGKILL",
  };
}

/** A broken connection is what the client sees of a killed server: a `TypeError` of fetch, and nothing else. */
async function answerOrNone(asking: Promise<Answer<unknown>>): Promise<Answer | null> {
  try {
    return (await asking) as Answer;
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

/**
 * Starts the server over the folder, here and undisturbed, as an hour after the crash: its temporary files are old
 * enough to be nobody's. When this resolves the sweep of the start has run.
 */
export async function restart(folder: string): Promise<{ api: Api; stop(): Promise<void> }> {
  const temporary = join(folder, "files/.tmp");
  const before = new Date(Date.now() - 2 * HOUR_MS);
  for (const name of await readdir(temporary)) await utimes(join(temporary, name), before, before);
  const server = await startServer(loadConfig(settingsOf(folder)));
  return { api: apiAt(server.baseUrl), stop: () => server.stop() };
}

/**
 * A folder like the original, and its removal. SQLite may take its write-ahead log away a moment after the last
 * connection was closed, once all of it is in the database: a copy that misses it is made anew.
 */
export async function copyOf(original: string): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "media-crash-"));
  const copy = () => cp(original, path, { recursive: true });
  const remove = () => rm(path, { recursive: true, force: true });
  try {
    await copy();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    await remove();
    await copy();
  }
  return { path, remove };
}
