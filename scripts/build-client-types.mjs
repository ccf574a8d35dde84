/**
 * Builds the client package's declarations: `node scripts/build-client-types.mjs [folder]`, by default into
 * client/dist/types. Compiles what the package's entries reach, copies the declarations that their types need and no
 * others, and fails when one of them names a package beyond the entry's peers: the package's users have neither the
 * server nor zod, and React only those of the entry for it.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const TRPC = ["@trpc/server", "@trpc/client"];
/** The package's entries, each with its peers. */
const ENTRIES = [
  { entry: "client/index.d.ts", peers: new Set(TRPC) },
  { entry: "client/react.d.ts", peers: new Set([...TRPC, "react", "@tanstack/react-query"]) },
];

/** All declarations of the program, in the tree of the sources. */
function emitDeclarations(folder) {
  const tsc = fileURLToPath(import.meta.resolve("typescript/bin/tsc"));
  const project = join(ROOT, "client/tsconfig.build.json");
  const { status, error } = spawnSync(process.execPath, [tsc, "-p", project, "--outDir", folder], { stdio: "inherit" });
  if (error) throw error;
  if (status !== 0) throw new Error("The client does not compile.");
}

/** The name of a module where a node has one: imports, exports from, `import("…")`, `require("…")`, augmentations. */
function moduleOf(node) {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier;
  if (ts.isImportTypeNode(node)) return node.argument.literal;
  if (ts.isExternalModuleReference(node)) return node.expression;
  return ts.isModuleDeclaration(node) && ts.isStringLiteral(node.name) ? node.name : undefined;
}

/** What a declaration file refers to. Read from its tree: the compiler's own quick scan misses `export * as … from`. */
function referencesOf(file) {
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest);
  const modules = source.referencedFiles.map(({ fileName }) => fileName);
  const visit = (node) => {
    const name = moduleOf(node);
    if (name) modules.push(name.text);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return { modules, types: source.typeReferenceDirectives.map(({ fileName }) => fileName) };
}

/** The declarations `entry` reaches, as paths, and a line for every package it may not need. */
function closureOf(entry, peers) {
  const files = new Set([entry]);
  const refused = [];
  for (const file of files) {
    const { modules, types } = referencesOf(file);
    for (const name of modules) {
      if (name.startsWith(".")) files.add(resolve(dirname(file), name.replace(/\.js$/, ".d.ts")));
      else if (!peers.has(name)) refused.push([file, name]);
    }
    refused.push(...types.map((name) => [file, `types of ${name}`]));
  }
  return { files: [...files], refused };
}

/** The same of all entries that are there. */
function closureOfAll(folder) {
  const there = ENTRIES.map(({ entry, peers }) => ({ file: join(folder, entry), peers })).filter(({ file }) =>
    existsSync(file),
  );
  const closures = there.map(({ file, peers }) => closureOf(file, peers));
  return {
    files: [...new Set(closures.flatMap(({ files }) => files))],
    refused: closures.flatMap(({ refused }) => refused),
  };
}

function copyAll(files, { from, to }) {
  for (const file of files) {
    const target = join(to, relative(from, file));
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(file, target);
  }
}

/** Puts the new folder where the old one was, whole. */
function replaceFolder(folder, fresh) {
  rmSync(folder, { recursive: true, force: true });
  renameSync(fresh, folder);
}

function main() {
  const target = resolve(process.argv[2] ?? join(ROOT, "client/dist/types"));
  const emitted = mkdtempSync(join(tmpdir(), "client-types-"));
  try {
    emitDeclarations(emitted);
    const { files, refused } = closureOfAll(emitted);
    if (refused.length > 0) {
      const lines = refused.map(([file, name]) => `  ${relative(emitted, file)} needs ${name}`);
      throw new Error(`The client's declarations reach packages its users do not have:\n${lines.join("\n")}`);
    }
    const fresh = `${target}.${process.pid}.tmp`;
    copyAll(files, { from: emitted, to: fresh });
    replaceFolder(target, fresh);
    console.log(`client types: ${files.length} files`);
  } finally {
    rmSync(emitted, { recursive: true, force: true });
  }
}

try {
  main();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
