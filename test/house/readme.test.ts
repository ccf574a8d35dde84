import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { orientedJpeg } from "../support/pictures.js";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
const README_URL = "http://localhost:3000";
const run = promisify(execFile);

/** A block of commands and what the page shows below it; `shown` is null where it shows nothing. */
type Step = { commands: string; shown: Shown | null };
type Shown = { kind: "answer"; status: number; body: unknown } | { kind: "lines"; lines: string[] };
/** How a shell ended; `code` is only there where it is not 0, and then node rejects with it. */
type Ended = { stdout: string; stderr: string; code?: number };
/** What the commands printed, and the status of each of their curl calls. */
type Outcome = { output: string; statuses: number[] };

/** The text below a heading, up to the next one of its level. */
function sectionOf(markdown: string, heading: string): string {
  const from = markdown.indexOf(`\n## ${heading}\n`);
  if (from < 0) throw new Error(`README.md has no section "${heading}".`);
  const end = markdown.indexOf("\n## ", from + 1);
  return markdown.slice(from, end < 0 ? undefined : end);
}

const blocksOf = (markdown: string): { language: string; text: string }[] =>
  [...markdown.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = "", text = ""]) => ({ language, text }));

function stepsOf(section: string): Step[] {
  const steps: Step[] = [];
  for (const { language, text } of blocksOf(section)) {
    const step = steps.at(-1);
    if (language === "sh") steps.push({ commands: text, shown: null });
    else if (step && step.shown === null) step.shown = readShown(language, text);
    else throw new Error(`A block of "${language}" shows the answer of no command:\n${text}`);
  }
  return steps;
}

/** `jsonc`: the status as a comment, then the body. `text`: lines of the output. */
function readShown(language: string, text: string): Shown {
  if (language === "text") return { kind: "lines", lines: text.trimEnd().split("\n") };
  const answer = /^\/\/ (\d{3})\n([\s\S]+)$/.exec(text);
  if (language !== "jsonc" || !answer) throw new Error(`An answer begins with its status: ${text}`);
  return { kind: "answer", status: Number(answer[1]), body: JSON.parse(answer[2] ?? "") };
}

/** `…` stands for any text, also in the middle. */
const fits = (shown: string, actual: string): boolean =>
  new RegExp(`^${shown.split("…").map(escapeRegExp).join("[^]*")}$`).test(actual);
function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}

/** The answer with what fits a shown text put in its place, so that the difference that is left is a real one. */
function alike(shown: unknown, actual: unknown): unknown {
  if (typeof shown === "string" && typeof actual === "string") return fits(shown, actual) ? shown : actual;
  if (Array.isArray(shown) && Array.isArray(actual)) return actual.map((item, at) => alike(shown[at], item));
  if (typeof shown !== "object" || shown === null || typeof actual !== "object" || actual === null) return actual;
  const known = shown as Record<string, unknown>;
  return Object.fromEntries(Object.entries(actual).map(([name, value]) => [name, alike(known[name], value)]));
}

const MARK = "== next block ==";
/** Tells the status of every call beside what the page's own options print. */
const CURL = `#!/bin/sh\nexec "$REAL_CURL" -w '%{stderr}%{http_code}\\n' "$@"\n`;

const markdown = await readFile(join(REPOSITORY, "README.md"), "utf8");
const steps = stepsOf(sectionOf(markdown, "A walk through the API"));
const example = blocksOf(sectionOf(markdown, "The typed client")).find(({ language }) => language === "ts")?.text ?? "";

describe("README.md", () => {
  let folder: string;
  let server: ChildProcess;
  let ended: Ended;
  let outcomes: Outcome[];
  let exampleOutput: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "media-readme-"));
    const baseUrl = await startServer();
    await writeFile(join(folder, "photo.jpg"), await orientedJpeg(1800, 2400, 6));
    await writeFile(join(folder, "example.mjs"), example.replaceAll(README_URL, baseUrl));
    await symlink(join(REPOSITORY, "node_modules"), join(folder, "node_modules"));
    await paste(baseUrl);
  }, 120_000);

  afterAll(async () => {
    if (server.exitCode === null) {
      server.kill("SIGTERM");
      await once(server, "exit");
    }
    await rm(folder, { recursive: true, force: true });
  });

  /** The built server over an empty folder, with nothing of the machine's environment but the path. */
  async function startServer(): Promise<string> {
    const env = { PATH: process.env.PATH ?? "", PORT: "0", LOG_LEVEL: "silent" };
    server = spawn(process.execPath, [join(REPOSITORY, "dist/src/server.js")], { cwd: folder, env });
    let said = "";
    for await (const chunk of server.stdout ?? []) {
      said += String(chunk);
      const address = /listens on (\S+)/.exec(said)?.[1];
      if (address) return address;
    }
    throw new Error(`The server did not start: ${said}`);
  }

  /** All blocks in one shell, as a reader pastes them; then the typed example with the shell's token. */
  async function paste(baseUrl: string): Promise<void> {
    const real = (await run("sh", ["-c", "command -v curl"])).stdout.trim();
    await writeFile(join(folder, "curl"), CURL);
    await chmod(join(folder, "curl"), 0o755);
    const blocks = [...steps.map((step) => step.commands), "TOKEN=$TOKEN node example.mjs\n"];
    const script = blocks.join(`\necho "${MARK}"; echo "${MARK}" >&2\n`).replaceAll(README_URL, baseUrl);
    const env = { PATH: `${folder}:${process.env.PATH}`, REAL_CURL: real };
    // Without --norc bash takes the socket it is run from for a remote login and reads the machine's settings.
    const pasted = run("bash", ["--norc", "-eo", "pipefail", "-c", script], { cwd: folder, env });
    ended = await pasted.catch((failed: unknown) => failed as Ended);
    const outputs = ended.stdout.replaceAll(baseUrl, README_URL).split(`${MARK}\n`);
    const calls = ended.stderr.split(`${MARK}\n`);
    const statusesOf = (text = "") => [...text.matchAll(/^\d{3}$/gm)].map(Number);
    outcomes = steps.map((_, at) => ({ output: outputs[at] ?? "", statuses: statusesOf(calls[at]) }));
    exampleOutput = outputs.at(-1) ?? "";
  }

  it("walks through the API with more than a few commands, and shows what nearly all of them answer", () => {
    expect(steps.length).toBeGreaterThan(20);
    expect(steps.filter((step) => step.shown === null)).toHaveLength(1);
  });

  it("can be pasted from the first block to the last", () => {
    expect(ended.code, ended.stderr.slice(-2000)).toBeUndefined();
  });

  it.each(steps.map((step, at) => [step.commands.trim(), at] as const))("%s", (_, at) => {
    const { shown } = steps[at]!;
    const { output, statuses } = outcomes[at]!;
    const expected = shown?.kind === "answer" ? shown.status : null;
    expect(statuses.filter((status) => status >= 300 && status !== expected)).toEqual([]);
    if (shown?.kind === "lines") {
      const printed = output.split(/\r?\n/);
      expect(shown.lines.filter((line) => !printed.some((actual) => fits(line, actual)))).toEqual([]);
    }
    if (shown?.kind === "answer") {
      expect(statuses.at(-1)).toBe(shown.status);
      expect(alike(shown.body, JSON.parse(output))).toMatchObject(shown.body as object);
    }
  });

  it("shows a typed client that lists and uploads", () => {
    expect(exampleOutput).toMatch(/^MED-\w+ http:\/\/localhost:3000\/files\/\S+_thumb\.jpg$/m);
    expect(exampleOutput).toMatch(/^(\d+) of \1 bytes$/m);
    expect(exampleOutput).toMatch(/^stored as MED-\w+$/m);
  });
});

describe("the reading of README.md", () => {
  const page =
    '\n## Walk\n```sh\nls\n```\n```jsonc\n// 201\n{ "a": [1] }\n```\n```sh\npwd\n```\n\n## Next\n```sh\nno\n```\n';

  it("pairs commands with what is shown below them", () => {
    expect(stepsOf(sectionOf(page, "Walk"))).toEqual([
      { commands: "ls\n", shown: { kind: "answer", status: 201, body: { a: [1] } } },
      { commands: "pwd\n", shown: null },
    ]);
  });

  it("refuses an answer without a status or without a command, and a page without the section", () => {
    expect(() => stepsOf('```sh\nls\n```\n```jsonc\n{ "a": 1 }\n```\n')).toThrow("status");
    expect(() => stepsOf("```text\nline\n```\n")).toThrow("no command");
    expect(() => sectionOf(page, "Run")).toThrow("Run");
  });

  it("takes … for any text, and nothing else for other than itself", () => {
    expect(fits("a…z", "a to z")).toBe(true);
    expect(fits("a.z", "abz")).toBe(false);
    expect(alike({ id: "MED-…", n: 1 }, { id: "MED-7", n: 2, more: 0 })).toEqual({ id: "MED-…", n: 2, more: 0 });
  });
});
