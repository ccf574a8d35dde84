import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { createConnection } from "mysql2/promise";
import { endProcess, hasEnded } from "./child-process.js";
import { freePort } from "./free-port.js";
import { findProgram, requirePrograms } from "./program.js";

const run = promisify(execFile);

/** `url` names no database and needs no password. */
export type MariadbServer = {
  url: string;
  /** Ends it at once, as a crash of its machine would. */
  kill(): Promise<void>;
  /** Starts it again after `kill`, with what it had, on the same port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
};

/** A private server over an empty folder, on a free port of the loopback. Installs its programs where that is allowed. */
export async function startMariadb(): Promise<MariadbServer> {
  await requirePrograms("mariadbd");
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

const common = (folder: string): string[] => [
  "--no-defaults",
  `--datadir=${join(folder, "data")}`,
  "--innodb-log-file-size=16M",
  // The server refuses to run as root unless told so.
  ...(process.getuid?.() === 0 ? ["--user=root"] : []),
];

async function serve(folder: string, port: number): Promise<MariadbServer> {
  const url = `mysql://root@127.0.0.1:${port}`;
  let server = launch(folder, port);
  const stop = async () => {
    await server.end("SIGTERM");
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await answering(url, server.process);
  } catch (cause) {
    const reason = await readFile(join(folder, "error.log"), "utf8").catch(() => "it wrote no log");
    await stop();
    throw new Error(`MariaDB did not start: ${reason}`, { cause });
  }
  return {
    url,
    kill: () => server.end("SIGKILL"),
    async restart() {
      server = launch(folder, port);
      await answering(url, server.process);
    },
    stop,
  };
}

function launch(folder: string, port: number) {
  const server = spawn(
    findProgram("mariadbd") ?? "mariadbd",
    [
      ...common(folder),
      `--port=${port}`,
      "--bind-address=127.0.0.1",
      `--socket=${join(folder, "socket")}`,
      `--pid-file=${join(folder, "pid")}`,
      `--log-error=${join(folder, "error.log")}`,
      // A server that starts removes the temporary tables it finds, another server's too.
      `--tmpdir=${folder}`,
      // Nothing here must survive a power cut.
      "--innodb-flush-log-at-trx-commit=0",
      "--innodb-flush-method=nosync",
      "--innodb-doublewrite=0",
      "--innodb-buffer-pool-size=64M",
    ],
    { stdio: "ignore" },
  );
  const killWithUs = () => server.kill("SIGKILL");
  process.once("exit", killWithUs);
  const end = async (signal: "SIGTERM" | "SIGKILL") => {
    process.off("exit", killWithUs);
    await endProcess(server, signal);
  };
  return { process: server, end };
}

const POLLS = 600;
const POLL_MS = 50;

async function answering(url: string, server: ChildProcess): Promise<void> {
  for (let poll = 1; ; poll++) {
    try {
      const connection = await createConnection(url);
      return await connection.end();
    } catch (error) {
      if (poll >= POLLS || hasEnded(server)) throw error;
      await sleep(POLL_MS);
    }
  }
}
