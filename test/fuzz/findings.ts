import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Something that must never be, the case it happened in, and its input as a file. */
export type Finding = { number: number; what: string; path: string };

export type Findings = {
  list: readonly Finding[];
  add(number: number, what: string, input: Uint8Array): Promise<void>;
};

/** Keeps inputs in a folder that comes into being with the first of them. */
export function createFindings(folder: string): Findings {
  const list: Finding[] = [];
  return {
    list,
    async add(number, what, input) {
      const path = join(folder, `case-${number}`);
      list.push({ number, what, path });
      await mkdir(folder, { recursive: true });
      await writeFile(path, input);
    },
  };
}

/** What a run saw: how often each outcome, and the case that took longest. */
export type Tally = {
  outcomes: Map<string, number>;
  slowest: { number: number; outcome: string; milliseconds: number };
};

export const createTally = (): Tally => ({
  outcomes: new Map(),
  slowest: { number: -1, outcome: "none", milliseconds: 0 },
});

/** Counts one case, begun at this moment of `performance.now()`. */
export function tellCase(tally: Tally, number: number, outcome: string, began: number): void {
  tally.outcomes.set(outcome, (tally.outcomes.get(outcome) ?? 0) + 1);
  const milliseconds = performance.now() - began;
  if (milliseconds > tally.slowest.milliseconds) tally.slowest = { number, outcome, milliseconds };
}
