import type { Finding, Tally } from "./findings.js";

export const renderOutcomes = ({ cases, outcomes, slowest }: Tally & { cases: number }): string[] => [
  `${cases} cases`,
  ...[...outcomes]
    .sort(([, a], [, b]) => b - a)
    .map(([outcome, times]) => `  ${String(times).padStart(8)}  ${outcome}`),
  `slowest: case ${slowest.number}, ${Math.round(slowest.milliseconds)} ms, ${slowest.outcome}`,
];

type Resources = {
  rss: { start: number; peak: number; end: number };
  descriptors: { before: readonly string[]; after: readonly string[] };
};

export const mib = (bytes: number): string => `${Math.round(bytes / 1024 ** 2)} MiB`;

export const renderResources = ({ rss, descriptors }: Resources): string[] => [
  `memory of this process: ${mib(rss.start)} at the start, ${mib(rss.peak)} at most, ${mib(rss.end)} in the end`,
  `descriptors: ${descriptors.before.length} before, ${descriptors.after.length} after`,
];

export const renderFindings = (findings: readonly Finding[]): string[] => [
  `findings: ${findings.length}`,
  ...findings.map(({ number, what, path }) => `  case ${number}: ${what}\n    ${path}`),
];
