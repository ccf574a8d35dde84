import { readdir, readFile, readlink } from "node:fs/promises";

/** What each descriptor of this process leads to, sorted; none where the system does not tell (`/proc`). */
export async function openDescriptors(): Promise<string[]> {
  const names = await readdir("/proc/self/fd").catch(() => []);
  const links = await Promise.all(names.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => null)));
  // One that was closed meanwhile is the one the list was read through.
  return links.filter((link) => link !== null).sort();
}

/** The most memory a process ever had; null where it is gone, 0 where the system does not tell. */
export async function peakBytesOf(pid: number): Promise<number | null> {
  try {
    process.kill(pid, 0);
  } catch {
    return null;
  }
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}
