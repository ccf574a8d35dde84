import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { endProcess, hasEnded } from "../support/child-process.js";
import { freePort } from "../support/free-port.js";
import { startMariadb } from "../support/mariadb-server.js";
import { startRadosgw } from "../support/radosgw-server.js";
import { createS3Bucket } from "../support/s3.js";
import { SERVICE_TOKEN } from "../support/server.js";
import { startTcpProxy } from "../support/tcp-proxy.js";
import { openTestBucket, type TestObjects } from "../support/test-objects.js";
import { openTestTables, type TestTables } from "../support/test-tables.js";

const SERVER = fileURLToPath(new URL("../../dist/src/server.js", import.meta.url));
const START_POLLS = 600;
const POLL_MS = 50;

/** The built server at one address, over a MariaDB and an S3 gateway of its own, and all that can happen to them. */
export type ServerUnderFire = {
  baseUrl: string;
  /** Its configuration. */
  env: Readonly<Record<string, string>>;
  tables: TestTables;
  objects: TestObjects;
  /** What the server wrote to its log, of level error. */
  logFile: string;
  /** SIGKILL, and the gateway is away for so long. */
  killStore(awayMs: number): Promise<void>;
  /** Every connection to the database breaks. */
  cutDatabase(): void;
  /** SIGKILL, and a new process at the same address. */
  killServer(): Promise<void>;
  /** SIGTERM, and a new process at the same address. */
  restartServer(): Promise<void>;
  stop(): Promise<void>;
};

/** Rows and objects are compared when a caller says so, and what is seen twice is sure at once. */
const HURRIED = {
  SYNC_INTERVAL_MINUTES: "0",
  SYNC_CONFIRM_MINUTES: "0",
  SYNC_GRACE_MINUTES: "0",
  QUARANTINE_DAYS: "0",
};

const quietly = { LOG_LEVEL: "error", RATE_LIMIT: "off", SERVICE_TOKEN, SIGNING_SECRET: "secret-of-the-fault-run" };

/** `changes` go over the configuration that it is started with. */
export async function startServerUnderFire(changes: Record<string, string> = {}): Promise<ServerUnderFire> {
  const folder = await mkdtemp(join(tmpdir(), "media-faults-"));
  const [mariadb, store] = await Promise.all([startMariadb(), startRadosgw()]);
  const databaseUrl = `${mariadb.url}/faults`;
  await openTestTables(`${mariadb.url}/mysql`).execute("CREATE DATABASE faults");
  const line = await startTcpProxy(Number(new URL(mariadb.url).port));
  const { options } = await createS3Bucket(store);
  const objects = openTestBucket(options);
  const port = await freePort();
  const through = new URL(databaseUrl);
  through.port = String(line.port);
  const places = { PORT: String(port), DATA_DIR: folder, DATABASE_URL: through.href, ...objects.env };
  const env = { ...quietly, ...HURRIED, ...places, ...changes };
  const server = createRestartable(env, join(folder, "server.log"));
  await server.start();
  return {
    baseUrl: `http://localhost:${port}`,
    env,
    tables: openTestTables(databaseUrl),
    objects,
    logFile: join(folder, "server.log"),
    async killStore(awayMs) {
      await store.kill();
      await sleep(awayMs);
      await store.restart();
    },
    cutDatabase: () => line.cut(),
    async killServer() {
      await server.end("SIGKILL");
      await server.start();
    },
    async restartServer() {
      await server.end("SIGTERM");
      await server.start();
    },
    async stop() {
      await server.end("SIGTERM");
      objects.close();
      line.close();
      await Promise.all([mariadb.stop(), store.stop()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function createRestartable(env: Record<string, string>, logFile: string) {
  let child: ChildProcess | undefined;
  const killWithUs = () => child?.kill("SIGKILL");
  process.once("exit", killWithUs);
  return {
    /** Resolves once it is live. Starts again where it ended by itself: whoever supervises a server does so too. */
    async start(): Promise<void> {
      for (let poll = 0; poll < START_POLLS; poll++) {
        if (!child || hasEnded(child)) child = await spawnServer(env, logFile);
        const answer = await fetch(`http://127.0.0.1:${env.PORT}/healthz`).catch(() => undefined);
        if (answer?.ok) return;
        await sleep(POLL_MS);
      }
      throw new Error(`the server did not start; see ${logFile}`);
    },
    async end(signal: NodeJS.Signals): Promise<void> {
      if (child) await endProcess(child, signal);
    },
  };
}

async function spawnServer(env: Record<string, string>, logFile: string): Promise<ChildProcess> {
  const log = await open(logFile, "a");
  try {
    const all = { PATH: process.env.PATH, ...env };
    return spawn(process.execPath, [SERVER], { env: all, stdio: ["ignore", log.fd, log.fd] });
  } finally {
    await log.close();
  }
}
