import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { CONFIG_VARIABLES } from "../../src/config.js";
import { EDGE_CONFIG_VARIABLES } from "../../src/edge-config.js";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
/** Folders that are made, not written: a document may name files below them. */
const MADE = new Set(["node_modules", "dist", "data", "coverage", ".git"]);
const TOP_LEVEL = readdirSync(REPOSITORY).filter((name) => !MADE.has(name));
const ROOMS = readdirSync(join(REPOSITORY, "src"));
const FILE_NAME = /\.(ts|mjs|cjs|js|json|jsonc|md|ya?ml|html|css|sh|sql|example)$/;

const read = (path: string): string => readFileSync(join(REPOSITORY, path), "utf8");

function filesBelow(folder: string): string[] {
  return readdirSync(join(REPOSITORY, folder), { withFileTypes: true }).flatMap((entry) => {
    if (MADE.has(entry.name)) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

const FILES = filesBelow("");
const FILE_NAMES = new Set(FILES.map((file) => file.split("/").at(-1)));
const DOCUMENTS = [
  "README.md",
  "CONTRIBUTING.md",
  "client/README.md",
  ...FILES.filter((file) => /^docs\/.*\.md$/.test(file)),
];

const withoutFences = (markdown: string): string => markdown.replace(/^(```|~~~)[\s\S]*?^\1/gm, "");

const linksOf = (markdown: string): string[] =>
  [...withoutFences(markdown).matchAll(/\]\(([^)\s#]+)[^)]*\)/g)]
    .map((match) => match[1] ?? "")
    .filter((target) => !/^([a-z]+:|\/)/.test(target));

/** `src/media/{errors,variants}.ts` names two files. */
function expand(path: string): string[] {
  const braces = /\{([^{}]*,[^{}]*)\}/.exec(path);
  if (!braces?.[1]) return [path];
  return braces[1].split(",").flatMap((one) => expand(path.replace(braces[0], one.trim())));
}

/**
 * Words in backticks that claim to be a file or folder of the repository: a name with a known ending, or a path whose
 * first folder is one of ours. Addresses (`/v1/media`), placeholders (`{id}`, `0001-…`), globs and commands are not.
 */
function pathsOf(markdown: string): string[] {
  const words = [...withoutFences(markdown).matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? "");
  return words
    .flatMap(expand)
    .map((word) => word.replace(/^\.\//, "").replace(/:\d+$/, ""))
    .filter((word) => /^[\w.@-][\w./@-]*$/.test(word))
    .filter((word) => {
      const [first = "", ...rest] = word.split("/");
      if (MADE.has(first) || word.startsWith("client/dist")) return false;
      if (rest.length === 0) return FILE_NAME.test(word);
      return TOP_LEVEL.includes(first) || ROOMS.includes(first) || FILE_NAME.test(word);
    });
}

/** Read from the root, from src (rooms are named without it) or from the document's folder; bare names anywhere. */
function isThere(path: string, document: string): boolean {
  if (!path.includes("/") && FILE_NAMES.has(path)) return true;
  return ["", "src", dirname(document)].some((folder) => existsSync(join(REPOSITORY, folder, path)));
}

describe.each(DOCUMENTS)("%s", (document) => {
  it("links to nothing that is not there", () => {
    const broken = linksOf(read(document)).filter((target) => !existsSync(join(REPOSITORY, dirname(document), target)));
    expect(broken).toEqual([]);
  });

  it("names no path that is not there", () => {
    expect(pathsOf(read(document)).filter((path) => !isThere(path, document))).toEqual([]);
  });

  it("names no npm script that is not there", () => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
    const named = [...read(document).matchAll(/\bnpm run ([\w:-]+)/g)].map((match) => match[1] ?? "");
    expect(named.filter((script) => !Object.hasOwn(scripts, script))).toEqual([]);
  });
});

describe("the reading of documents", () => {
  it("finds paths in backticks and nothing that only looks like one", () => {
    const markdown = [
      "See `src/media/{errors,variants}.ts`, `src/gone.ts:12`, `media/model.ts`, `renamed.ts` and `test/support/`.",
      "Not: `/v1/media/upload`, `image/jpeg`, `npm run check`, `data/media.db`, `docs/decisions/0001-….md`, `db/*.ts`.",
      "```sh\ncat `src/in-a-fence.ts`\n```",
    ].join("\n");
    expect(pathsOf(markdown)).toEqual([
      "src/media/errors.ts",
      "src/media/variants.ts",
      "src/gone.ts",
      "media/model.ts",
      "renamed.ts",
      "test/support/",
    ]);
  });

  it("tells what is there from what is not", () => {
    expect(isThere("src/media/errors.ts", "README.md")).toBe(true);
    expect(isThere("media/errors.ts", "README.md")).toBe(true);
    expect(isThere("errors.ts", "README.md")).toBe(true);
    expect(isThere("src/media/no-such-file.ts", "README.md")).toBe(false);
    expect(isThere("no-such-file.ts", "README.md")).toBe(false);
  });

  it("finds links of the repository, not those of the web or of the page itself", () => {
    const markdown = "[a](docs/a.md) [b](../b.md#part) [c](https://example.org/c.md) [d](#d) [e](mailto:e@example.org)";
    expect(linksOf(markdown)).toEqual(["docs/a.md", "../b.md"]);
  });
});

describe(".env.example", () => {
  const lines = (): string[] => read(".env.example").split("\n");
  /** Set or commented out: `PORT=3000`, `# REDIS_URL=`. */
  const variables = (): string[] => lines().flatMap((line) => /^#? ?([A-Z][A-Z0-9_]*)=/.exec(line)?.[1] ?? []);

  it("names the variables of both runtimes' schemas, and no others", () => {
    // A binding is an object, which no environment holds.
    const known = new Set([...CONFIG_VARIABLES, ...EDGE_CONFIG_VARIABLES.filter((name) => name !== "HYPERDRIVE")]);
    expect(variables().sort()).toEqual([...known].sort());
  });

  it("names each of them once", () => {
    expect(variables()).toHaveLength(new Set(variables()).size);
  });
});

describe("the repository", () => {
  it("has its decisions on pages of their own", () => {
    const decisions = DOCUMENTS.map((document) => relative("docs/decisions", document)).filter(
      (d) => !d.startsWith(".."),
    );
    expect(decisions).not.toEqual([]);
    expect(decisions.filter((name) => !/^\d{4}-[a-z0-9-]+\.md$/.test(name))).toEqual([]);
  });
});
