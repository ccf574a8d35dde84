/** What a run did and saw. */
export type Report = {
  count(what: string, by?: number): void;
  /** Something that must never be. */
  violation(what: string): void;
  readonly counts: ReadonlyMap<string, number>;
  readonly violations: readonly string[];
};

export function createReport(): Report {
  const counts = new Map<string, number>();
  const violations: string[] = [];
  return {
    counts,
    violations,
    count: (what, by = 1) => void counts.set(what, (counts.get(what) ?? 0) + by),
    violation: (what) => void violations.push(what),
  };
}

/** The counts as lines of a table, and each violation as a line of its own. */
export function renderReport({ counts, violations }: Report): string {
  const rows = [...counts].sort(([a], [b]) => a.localeCompare(b));
  const width = Math.max(...rows.map(([what]) => what.length));
  const table = rows.map(([what, count]) => `${what.padEnd(width)}  ${String(count).padStart(7)}`);
  return [...table, "", `violations: ${violations.length}`, ...violations.map((what) => `  ${what}`)].join("\n");
}
