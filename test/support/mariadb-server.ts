import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { createConnection } from "mysql2/promise";
import { installTestTools } from "./install-test-tools.js";

const run = promisify(execFile);

/** `url` names no database and needs no password. */
export type MariadbServer = { url: string; stop(): Promise<void> };

/** A private server over an empty folder, on a free port of the loopback. Installs its programs where that is allowed. */
export async function startMariadb(): Promise<MariadbServer> {
  await requirePrograms();
  const folder = await mkdtemp(join(tmpdir(), "media-mariadb-"));
  try {
    await run(findProgram("mariadb-install-db") ?? "mariadb-install-db", [
      ...common(folder),
      "--auth-root-authentication-method=normal",
      "--skip-test-db",
    ]);
    return await serve(folder, await freePort());
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Debian keeps the server where a user's PATH does not look. */
function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin"];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

async function requirePrograms(): Promise<void> {
  if (!findProgram("mariadbd")) await installTestTools();
}

const common = (folder: string): string[] => [
  "--no-defaults",
  `--datadir=${join(folder, "data")}`,
  "--innodb-log-file-size=16M",
  // The server refuses to run as root unless told so.
  ...(process.getuid?.() === 0 ? ["--user=root"] : []),
];

async function freePort(): Promise<number> {
  const probe = createServer();
  probe.listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("No free port.");
  return address.port;
}

async function serve(folder: string, port: number): Promise<MariadbServer> {
  const log = join(folder, "error.log");
  const server = spawn(
    findProgram("mariadbd") ?? "mariadbd",
    [
      ...common(folder),
      `--port=${port}`,
      "--bind-address=127.0.0.1",
      `--socket=${join(folder, "socket")}`,
      `--pid-file=${join(folder, "pid")}`,
      `--log-error=${log}`,
      // Nothing here must survive a power cut.
      "--innodb-flush-log-at-trx-commit=0",
      "--innodb-buffer-pool-size=64M",
    ],
    { stdio: "ignore" },
  );
  const killWithUs = () => server.kill("SIGKILL");
  process.once("exit", killWithUs);
  const stop = async () => {
    process.off("exit", killWithUs);
    await end(server);
    await rm(folder, { recursive: true, force: true });
  };
  const url = `mysql://root@127.0.0.1:${port}`;
  try {
    await answering(url, server);
    return { url, stop };
  } catch (cause) {
    const reason = await readFile(log, "utf8").catch(() => "it wrote no log");
    await stop();
    throw new Error(`MariaDB did not start: ${reason}`, { cause });
  }
}

async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = once(server, "exit");
  server.kill("SIGTERM");
  await ended;
}

const POLLS = 600;
const POLL_MS = 50;

async function answering(url: string, server: ChildProcess): Promise<void> {
  for (let poll = 1; ; poll++) {
    try {
      const connection = await createConnection(url);
      return await connection.end();
    } catch (error) {
      if (poll >= POLLS || server.exitCode !== null) throw error;
      await sleep(POLL_MS);
    }
  }
}
