import { readFile } from "node:fs/promises";
import type { MediaFailure } from "../media/errors.js";

/** What `/proc` counts in, on every Linux (USER_HZ). */
const TICKS_PER_SECOND = 100;

/** Seconds of CPU a process has had so far, its threads included; null where the system does not tell. proc(5). */
export async function cpuSecondsOf(pid: number): Promise<number | null> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => null);
  if (stat === null) return null;
  // Behind the name, which may hold anything, begins the third field; the 14th and 15th are user and system time.
  const fields = stat.slice(stat.lastIndexOf(") ") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** A decoder that had less than this share of a core was kept from its work: by other work, or by being held still. */
const FAIR_SHARE = 0.5;

/**
 * Why a picture was given up that was not done in time. `cpuSeconds`: what its decoder had of them; null where nobody
 * knows. It is the picture's fault only where its decoder had the time; from a machine with too much to do it may come
 * again.
 */
export function whyOverdue(timeoutMs: number, cpuSeconds: number | null): MediaFailure {
  const seconds = timeoutMs / 1000;
  return cpuSeconds !== null && cpuSeconds < seconds * FAIR_SHARE
    ? { code: "OVERLOADED", retryAfterSeconds: 5 }
    : { code: "CORRUPT_FILE", reason: `it could not be decoded within ${seconds} s` };
}
