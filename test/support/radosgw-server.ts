import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { endProcess, hasEnded } from "./child-process.js";
import { freePort } from "./free-port.js";
import { findProgram, requirePrograms } from "./program.js";
import { type CephPlace, cephConfig } from "./radosgw-config.js";

const execute = promisify(execFile);

/** A real S3 server, and a user who may make buckets. */
export type S3Server = { endpoint: string; accessKeyId: string; secretAccessKey: string };

export type Radosgw = S3Server & {
  /** Kills the gateway alone, as a crash would: connections break off, what is stored stays. */
  kill(): Promise<void>;
  /** Starts a killed gateway again, at the same endpoint. */
  restart(): Promise<void>;
  stop(): Promise<void>;
};

const USER = { accessKeyId: "TESTKEY", secretAccessKey: "a-secret-of-the-tests" };
const POLLS = 600;
const POLL_MS = 50;
const COMMAND_TIMEOUT_MS = 60_000;

/**
 * Ceph's S3 gateway over a cluster of its own in an empty folder: a monitor, a manager and one store in memory, on free
 * ports of the loopback. Installs its programs where that is allowed. All of it ends with this process.
 */
export async function startRadosgw(): Promise<Radosgw> {
  await requirePrograms("radosgw", "radosgw-admin", "ceph", "ceph-mon", "ceph-mgr", "ceph-osd", "monmaptool");
  const folder = await mkdtemp(join(tmpdir(), "media-radosgw-"));
  const place = { folder, clusterId: randomUUID(), monitorPort: await freePort(), gatewayPort: await freePort() };
  const daemons = createDaemons(folder);
  const stop = async () => {
    await daemons.endAll();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    return { ...(await startCluster(place, daemons)), stop };
  } catch (cause) {
    const reason = await readFile(join(folder, "daemons.log"), "utf8").catch(() => "it wrote no log");
    await stop();
    throw new Error(`radosgw did not start: ${reason.slice(-2000)}`, { cause });
  }
}

type Daemons = {
  /** Starts a program of the cluster, which stays in the foreground. */
  start(program: string, ...options: readonly string[]): Promise<ChildProcess>;
  endAll(): Promise<void>;
};

const programPath = (name: string): string => findProgram(name) ?? name;

function createDaemons(folder: string): Daemons {
  const running = new Set<ChildProcess>();
  const killAll = () => {
    for (const daemon of running) daemon.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  process.once("exit", killAll);
  return {
    async start(program, ...options) {
      const command = 'exec "$0" "$@" >>daemons.log 2>&1';
      const daemon = spawn(
        "sh",
        ["-c", command, programPath(program), "--conf=ceph.conf", "--foreground", ...options],
        {
          cwd: folder,
          stdio: "ignore",
        },
      );
      running.add(daemon);
      daemon.once("exit", () => running.delete(daemon));
      return daemon;
    },
    async endAll() {
      process.off("exit", killAll);
      await Promise.all([...running].map((daemon) => endProcess(daemon, "SIGKILL")));
    },
  };
}

async function startCluster(place: CephPlace, daemons: Daemons): Promise<Omit<Radosgw, "stop">> {
  const { folder, clusterId, monitorPort, gatewayPort } = place;
  for (const name of ["mon", "mgr", "osd", "rgw", "run", "log"]) await mkdir(join(folder, name));
  await writeFile(join(folder, "ceph.conf"), cephConfig(place));
  const run = (program: string, ...options: readonly string[]) =>
    execute(programPath(program), [...options], { cwd: folder, timeout: COMMAND_TIMEOUT_MS });

  await run("monmaptool", "--create", "--fsid", clusterId, "--addv", "a", `[v2:127.0.0.1:${monitorPort}/0]`, "monmap");
  await run("ceph-mon", "--conf=ceph.conf", "--mkfs", "-i", "a", "--monmap", "monmap");
  await daemons.start("ceph-mon", "-i", "a");
  await daemons.start("ceph-mgr", "-i", "x");
  const osdId = randomUUID();
  await run("ceph", "--conf=ceph.conf", "osd", "new", osdId);
  await run("ceph-osd", "--conf=ceph.conf", "-i", "0", "--mkfs", "--osd-uuid", osdId);
  await daemons.start("ceph-osd", "-i", "0");

  const endpoint = `http://127.0.0.1:${gatewayPort}`;
  const startGateway = async () => {
    const started = await daemons.start("radosgw", "-n", "client.rgw");
    await answering(endpoint, started);
    return started;
  };
  const keys = [`--access-key=${USER.accessKeyId}`, `--secret-key=${USER.secretAccessKey}`];
  const user = ["--uid=tests", "--display-name=tests", ...keys];
  const [started] = await Promise.all([
    startGateway(),
    run("radosgw-admin", "--conf=ceph.conf", "-n", "client.rgw", "user", "create", ...user),
  ]);
  let gateway = started;
  return {
    ...USER,
    endpoint,
    kill: () => endProcess(gateway, "SIGKILL"),
    async restart() {
      gateway = await startGateway();
    },
  };
}

async function answering(endpoint: string, gateway: ChildProcess): Promise<void> {
  for (let poll = 1; ; poll++) {
    try {
      const answer = await fetch(endpoint);
      await answer.body?.cancel();
      return;
    } catch (error) {
      if (poll >= POLLS || hasEnded(gateway)) throw error;
      await sleep(POLL_MS);
    }
  }
}
