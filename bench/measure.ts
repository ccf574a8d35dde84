import { parseArgs } from "node:util";

/** The numbers given as `--rows 200000 --seed 7`, or those that stand for what is not given. */
export const numbersFrom = <T extends Readonly<Record<string, number>>>(defaults: T): T =>
  optionsFrom<T, never>(defaults, []).numbers;

/** The same, and which of the parts to run: those that are named, all where none is. */
export function optionsFrom<T extends Readonly<Record<string, number>>, P extends string>(
  defaults: T,
  parts: readonly P[],
): { numbers: T; parts: readonly P[] } {
  const options = Object.fromEntries(Object.keys(defaults).map((name) => [name, { type: "string" as const }]));
  const { values, positionals } = parseArgs({ options, allowPositionals: parts.length > 0 });
  const given = Object.entries(values).map(([name, text]) => [name, Number(text)] as const);
  for (const [name, value] of given)
    if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`--${name} takes a whole number from 1.`);
  const unknown = positionals.find((name) => !(parts as readonly string[]).includes(name));
  if (unknown !== undefined) throw new RangeError(`There is no part ${unknown}, only ${parts.join(", ")}.`);
  const named = parts.filter((part) => positionals.some((name) => name === part));
  return { numbers: { ...defaults, ...Object.fromEntries(given) }, parts: named.length > 0 ? named : parts };
}

export async function timed<T>(work: () => Promise<T>): Promise<{ result: T; ms: number }> {
  const started = performance.now();
  const result = await work();
  return { result, ms: performance.now() - started };
}

/** The middle one; of an even number the greater of the two in the middle. */
export function median(values: readonly number[]): number {
  const middle = [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
  if (middle === undefined) throw new RangeError("There is no median of nothing.");
  return middle;
}

export const describeTimes = (times: readonly number[]): string =>
  `median ${median(times).toFixed(2)} ms (${Math.min(...times).toFixed(2)} to ${Math.max(...times).toFixed(2)}, ${times.length} times)`;
