import { afterEach, expect, it, vi } from "vitest";
import { createConsoleLog } from "../../src/telemetry/console-log.js";
import { createLoggedMetrics } from "../../src/telemetry/logged-metrics.js";

const LEVELS = ["info", "warn", "error"] as const;

/** What is written while the work runs, line by line. */
function linesOf(work: () => void): { level: string; [name: string]: unknown }[] {
  const written: string[] = [];
  for (const level of LEVELS) vi.spyOn(console, level).mockImplementation((line: string) => void written.push(line));
  work();
  return written.map((line) => JSON.parse(line));
}
afterEach(() => vi.restoreAllMocks());

it("a line is one JSON object with level, time, message and fields", () => {
  const [line] = linesOf(() => createConsoleLog("info").info({ requestId: "r" }, "request"));
  expect(line).toEqual({ level: "info", time: expect.stringMatching(/Z$/), requestId: "r", msg: "request" });
});

it("an error has its stack, its code and its causes", () => {
  const cause = Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
  const [line] = linesOf(() => createConsoleLog("info").error({ err: new TypeError("no", { cause }) }, "failed"));
  expect(line?.err).toMatchObject({
    name: "TypeError",
    message: "no",
    stack: expect.stringContaining("console-log.test"),
    cause: { message: "refused", code: "ECONNREFUSED" },
  });
});

it.each([
  ["debug", ["info", "warn", "error"]],
  ["info", ["info", "warn", "error"]],
  ["warn", ["warn", "error"]],
  ["error", ["error"]],
  ["silent", []],
] as const)("from %s on %j are written", (from, levels) => {
  const log = createConsoleLog(from);
  const lines = linesOf(() => {
    for (const level of LEVELS) log[level]({}, "a line");
  });
  expect(lines.map(({ level }) => level)).toEqual(levels);
});

it("what is counted elsewhere is a line where it tells something new, and none where a request's line says it", () => {
  const metrics = createLoggedMetrics(createConsoleLog("info"));
  const lines = linesOf(() => {
    metrics.requestFinished({ method: "GET", route: "/", status: 200, seconds: 1 });
    metrics.storageAnswered({ store: "s3", operation: "head", outcome: "ok", seconds: 1 });
    metrics.storageAnswered({ store: "s3", operation: "list", outcome: "failed", seconds: 1 });
    metrics.retired("orphan", 0);
    metrics.retired("orphan", 2);
  });
  expect(lines).toMatchObject([
    { level: "warn", operation: "list" },
    { what: "orphan", count: 2 },
  ]);
});
