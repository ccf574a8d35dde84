import { spawn } from "node:child_process";
import { expect, it } from "vitest";
import { cpuSecondsOf, whyOverdue } from "../../src/pipeline/overdue.js";
import { endProcess } from "../support/child-process.js";

const CORRUPT = { code: "CORRUPT_FILE", reason: "it could not be decoded within 15 s" };
const OVERLOADED = { code: "OVERLOADED", retryAfterSeconds: 5 };

it("blames the picture whose decoder had the time", () => {
  for (const cpuSeconds of [7.5, 14.9, 30]) expect(whyOverdue(15_000, cpuSeconds)).toEqual(CORRUPT);
});

it("blames the machine that did not give it the time", () => {
  for (const cpuSeconds of [0, 7.49]) expect(whyOverdue(15_000, cpuSeconds)).toEqual(OVERLOADED);
});

it("blames the picture where nobody knows", () => {
  expect(whyOverdue(15_000, null)).toEqual(CORRUPT);
});

it.skipIf(process.platform !== "linux")(
  "knows what a process had, of any name, and nothing of one that is gone",
  async () => {
    const spent = process.cpuUsage();
    const known = (await cpuSecondsOf(process.pid)) ?? Number.NaN;
    expect(Math.abs(known - (spent.user + spent.system) / 1e6)).toBeLessThan(0.5);
    const busy = spawn(process.execPath, ["--eval", `process.title = "a) 1 2 (b"; for (;;);`]);
    await expect.poll(() => cpuSecondsOf(busy.pid as number), { timeout: 20_000 }).toBeGreaterThan(0.1);
    await endProcess(busy, "SIGKILL");
    await expect.poll(() => cpuSecondsOf(busy.pid as number)).toBeNull();
  },
);
