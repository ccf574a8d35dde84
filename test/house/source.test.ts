import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, it } from "vitest";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
const MAX_FILE_LINES = 250;

/** Files over the limit, each with the reason why it is one file. */
const LONG_FILES: Readonly<Record<string, string>> = {
  "src/media/ports.ts": "All ports on one page: types alone, and what an adapter's author reads from end to end.",
};
/** The one index: it lists the groups of procedures and is the router's type. */
const INDEXES = ["src/procedures/index.ts"];
const EMPTY_NAMES = /^(utils?|helpers?|common|misc|shared|lib|types|constants|functions|index)$/;

type SourceFile = { path: string; text: string; lines: number };
type FunctionLength = { name: string; lines: number };

function filesBelow(folder: string): SourceFile[] {
  return readdirSync(join(REPOSITORY, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return /^(dist|node_modules|migrations)$/.test(entry.name) ? [] : filesBelow(path);
    if (!entry.name.endsWith(".ts") || entry.name.endsWith(".d.ts")) return [];
    const text = readFileSync(join(REPOSITORY, path), "utf8");
    return [{ path, text, lines: text.split("\n").length - 1 }];
  });
}

const sum = (files: readonly SourceFile[]): number => files.reduce((total, file) => total + file.lines, 0);
const parse = ({ path, text }: Pick<SourceFile, "path" | "text">): ts.SourceFile =>
  ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);

/** Declared functions, methods, accessors and constructors, and function expressions that are given a name. */
function hasName(node: ts.Node): boolean {
  if (ts.isArrowFunction(node) || ts.isFunctionExpression(node))
    return ts.isVariableDeclaration(node.parent) || ts.isPropertyAssignment(node.parent);
  return ts.isFunctionLike(node) && "body" in node && node.body !== undefined;
}

/**
 * Lines from a function's first to its last, what is nested in it included. Callbacks without a name count as lines of
 * the function they stand in: hundreds of one-line arrows would otherwise make any median good.
 */
function functionLengths(file: Pick<SourceFile, "path" | "text">): FunctionLength[] {
  const source = parse(file);
  const line = (position: number): number => source.getLineAndCharacterOfPosition(position).line;
  const found: FunctionLength[] = [];
  const visit = (node: ts.Node): void => {
    if (hasName(node)) {
      const first = line(node.getStart(source));
      found.push({ name: `${file.path}:${first + 1}`, lines: line(node.getEnd()) - first + 1 });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** The value that this share of the sorted values does not exceed. */
function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

/** A file whose every statement passes on what another file exports. */
const onlyForwards = (file: Pick<SourceFile, "path" | "text">): boolean => {
  const { statements } = parse(file);
  return statements.length > 0 && statements.every((s) => ts.isExportDeclaration(s) && s.moduleSpecifier !== undefined);
};

const SOURCE = ["src", "db", "client"].flatMap(filesBelow);
const TESTS = filesBelow("test");

describe("source files", () => {
  it(`are at most ${MAX_FILE_LINES} lines long, or say why not`, () => {
    const long = SOURCE.filter((file) => file.lines > MAX_FILE_LINES).map((file) => file.path);
    expect(long.filter((path) => !Object.hasOwn(LONG_FILES, path))).toEqual([]);
  });

  it("are excused for their length only while they are long", () => {
    const long = SOURCE.filter((file) => file.lines > MAX_FILE_LINES).map((file) => file.path);
    expect(Object.keys(LONG_FILES).filter((path) => !long.includes(path))).toEqual([]);
  });

  it("have names that say what is in them", () => {
    const nameless = SOURCE.filter(
      ({ path }) => path.startsWith("src/") && path.split("/").some((part) => EMPTY_NAMES.test(basename(part, ".ts"))),
    );
    expect(nameless.map((file) => file.path)).toEqual(INDEXES);
  });

  it("do something themselves: none only forwards", () => {
    expect(SOURCE.filter(onlyForwards).map((file) => file.path)).toEqual([]);
  });

  it("are together no longer than the tests", () => {
    expect(sum(TESTS)).toBeGreaterThanOrEqual(sum(SOURCE));
  });
});

describe("functions", () => {
  const functions = SOURCE.flatMap(functionLengths).sort((a, b) => b.lines - a.lines);
  const lengths = functions.map((one) => one.lines);
  const longest = functions
    .slice(0, 15)
    .map((one) => `${one.lines} ${one.name}`)
    .join("\n");

  it("have a median length below 15 lines", () => {
    expect(functions.length).toBeGreaterThan(0);
    expect(percentile(lengths, 0.5), longest).toBeLessThan(15);
  });

  it("stay below 50 lines in nine of ten cases", () => {
    expect(percentile(lengths, 0.9), longest).toBeLessThan(50);
  });
});

describe("the measure", () => {
  const lengthsOf = (text: string): number[] => functionLengths({ path: "a.ts", text }).map((one) => one.lines);

  it("counts declarations, methods and named arrows with their nested lines, and no callback", () => {
    expect(lengthsOf("function a() {\n  return [1].map((n) => {\n    return n;\n  });\n}\n")).toEqual([5]);
    expect(lengthsOf("const a = () => ({\n  b() {\n    return 1;\n  },\n  c: () => 2,\n});\n")).toEqual([6, 3, 1]);
    expect(
      lengthsOf("class A {\n  constructor() {\n    this.a = 1;\n  }\n  get a() {\n    return 1;\n  }\n}\n"),
    ).toEqual([3, 3]);
  });

  it("counts no signature and no type", () => {
    expect(lengthsOf("type A = { b(): void; c: () => void };\nfunction d(a: string): void;\n")).toEqual([]);
  });

  it("takes percentiles from sorted values", () => {
    expect(percentile([30, 1, 2], 0.5)).toBe(2);
    expect(percentile([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], 0.9)).toBe(9);
    expect(percentile([], 0.5)).toBe(0);
  });

  it("knows a file that only forwards from one that does not", () => {
    expect(onlyForwards({ path: "a.ts", text: 'export * from "./b.js";\nexport { c } from "./c.js";\n' })).toBe(true);
    expect(onlyForwards({ path: "a.ts", text: 'export { b } from "./b.js";\nexport const c = 1;\n' })).toBe(false);
    expect(onlyForwards({ path: "a.ts", text: "" })).toBe(false);
  });
});
