import { readFile } from "node:fs/promises";

export type MemoryWatch = {
  /**
   * Looks at the process ten times a second; `exceeded` is called once, where it holds more than the limit. The answer
   * ends the looking.
   */
  watch(pid: number, exceeded: () => void): () => void;
};

/** Short beside the second and more in which a codec fills some gigabytes, long beside most pictures. */
const INTERVAL_MS = 100;

/**
 * An eye on the resident memory of processes that decode strangers' files: what a codec asks for is the file's choice,
 * and where memory ends the system would end whatever it thinks best. Linux alone tells (`/proc`); elsewhere nothing is
 * ever exceeded.
 */
export function createMemoryWatch(maxBytes: number): MemoryWatch {
  return {
    watch(pid, exceeded) {
      let isOver = false;
      const stop = () => {
        isOver = true;
        clearInterval(timer);
      };
      const look = async () => {
        const bytes = await residentBytes(pid);
        if (isOver || bytes <= maxBytes) return;
        stop();
        exceeded();
      };
      const timer = setInterval(() => void look(), INTERVAL_MS);
      return stop;
    },
  };
}

/** 0 for a process that is gone, and where the system does not tell. */
async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}
