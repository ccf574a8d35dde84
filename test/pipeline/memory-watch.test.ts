import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createMemoryWatch } from "../../src/pipeline/memory-watch.js";
import { endProcess } from "../support/child-process.js";

const MIB = 1024 ** 2;
/** Far more than a Node process has of itself, and less than the one below takes on top. */
const LIMIT = 300 * MIB;
/** Several looks. */
const A_WHILE_MS = 350;

describe.skipIf(process.platform !== "linux")("an eye on the memory of a process", () => {
  let child: ChildProcess;
  beforeEach(async () => {
    // Takes 400 MB with the first word it hears, and says so.
    const script = `process.stdin.once("data", () => { kept = Buffer.alloc(400e6, 1); console.log("full"); }); console.log("up");`;
    child = spawn(process.execPath, ["--eval", script], { stdio: ["pipe", "pipe", "inherit"] });
    await once(child.stdout ?? child, "data");
  });
  afterEach(() => endProcess(child, "SIGKILL"));

  const fill = async () => {
    child.stdin?.write("now\n");
    await once(child.stdout ?? child, "data");
  };
  const watch = (exceeded: () => void, limit = LIMIT) => createMemoryWatch(limit).watch(child.pid as number, exceeded);

  it("tells once of more than the limit, and of nothing before", async () => {
    let told = 0;
    const stop = watch(() => told++);
    await pause(A_WHILE_MS);
    expect(told).toBe(0);
    await fill();
    await expect.poll(() => told).toBe(1);
    await pause(A_WHILE_MS);
    expect(told).toBe(1);
    stop();
  });

  it("tells nothing once it is called off", async () => {
    let told = 0;
    watch(() => told++)();
    await fill();
    await pause(A_WHILE_MS);
    expect(told).toBe(0);
  });

  it("tells nothing of a process that is gone", async () => {
    await fill();
    await endProcess(child, "SIGKILL");
    let told = 0;
    const stop = watch(() => told++);
    await pause(A_WHILE_MS);
    expect(told).toBe(0);
    stop();
  });
});
