import { readdirSync, readFileSync } from "node:fs";

/** What the kernel's clock of processes counts in, on every Linux of today (`getconf CLK_TCK`). */
const TICK_MS = 10;

type Process = { pid: number; parent: number; cpuMs: number };

/** proc(5): behind the name, which may hold anything, stand state, parent, … and as 12th and 13th the two times. */
function readProcess(pid: number): Process | null {
  const text = readOrNull(`/proc/${pid}/stat`);
  if (text === null) return null;
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  return { pid, parent: Number(fields[1]), cpuMs: ticks * TICK_MS };
}

/** Null where the process ended meanwhile. */
function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

/** The process and its children, and theirs. */
function family(root: number): Process[] {
  const all = readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? (readProcess(Number(name)) ?? []) : []));
  const members = all.filter(({ pid }) => pid === root);
  for (const { pid } of members) members.push(...all.filter(({ parent }) => parent === pid));
  return members;
}

/** User and system time of a process and its living children, in ms, in steps of 10. */
export const cpuMsOf = (root: number): number => family(root).reduce((sum, { cpuMs }) => sum + cpuMs, 0);

/** MiB of a process and its living children, shared pages counted in each. */
const residentMiB = (root: number): number => family(root).reduce((sum, { pid }) => sum + statusMiB(pid, "VmRSS"), 0);

function statusMiB(pid: number, field: string): number {
  const line = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(readOrNull(`/proc/${pid}/status`) ?? "");
  return Number(line?.[1] ?? 0) / 1024;
}

const SAMPLE_MS = 15;

/** Runs the work and answers the highest sum of resident memory seen on the way, in MiB. */
export async function peakMiBDuring(root: number, work: () => Promise<unknown>): Promise<number> {
  let peak = residentMiB(root);
  const timer = setInterval(() => {
    peak = Math.max(peak, residentMiB(root));
  }, SAMPLE_MS);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return peak;
}
