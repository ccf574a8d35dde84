/** Cases that run, and an end to the wait for one that never answers. */
export type Watchdog = {
  begin(number: number): void;
  end(number: number): void;
  /** Resolves with the numbers of cases that began too long ago; never where there is none. */
  overdue: Promise<readonly number[]>;
  close(): void;
};

export function createWatchdog(patienceMs: number): Watchdog {
  const running = new Map<number, number>();
  let report: (numbers: readonly number[]) => void = () => undefined;
  const overdue = new Promise<readonly number[]>((resolve) => {
    report = resolve;
  });
  const timer = setInterval(() => {
    const since = performance.now() - patienceMs;
    const late = [...running].filter(([, began]) => began < since).map(([number]) => number);
    if (late.length > 0) report(late);
  }, patienceMs / 10);
  return {
    begin: (number) => void running.set(number, performance.now()),
    end: (number) => void running.delete(number),
    overdue,
    close: () => clearInterval(timer),
  };
}
