/**
 * Builds what runs: src and db file by file into dist, the client's bundle, the web page's and the worker's. Does nothing when no
 * input changed since the last build and every output is still there, so that `npm start` may always call it.
 *
 * Order of effects: outputs (each replaced in one step, so a running process never reads half a file), then stale
 * outputs are removed, then the stamp is written. A build that dies leaves the old stamp, and the next one runs again.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describeEdge, EDGE_ENTRY, EDGE_OPTIONS } from "./edge-bundle.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const STAMP = "dist/.stamp";
/** Folders that hold nothing but outputs of this script; `client/dist` also holds the client's declarations. */
const OWN_FOLDERS = ["dist/src", "dist/db", "dist/console"];
const SOURCE_FOLDERS = ["src", "db", "client", "console"];
/** The builder and its settings are inputs like any other. */
const SETTINGS = ["scripts/build.mjs", "scripts/edge-bundle.mjs", "package-lock.json", "tsconfig.json"];

/** Paths below `folder`, relative to the root and sorted; none where there is no such folder. */
async function filesBelow(folder) {
  if (!existsSync(join(ROOT, folder))) return [];
  const entries = await readdir(join(ROOT, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .sort();
}

async function listInputs() {
  const files = (await Promise.all(SOURCE_FOLDERS.map(filesBelow))).flat();
  return [...files.filter((file) => !/(^|\/)(dist|node_modules)\//.test(file)), ...SETTINGS];
}

/** Changes when a file comes, goes or is written. */
async function digest(files) {
  const hash = createHash("sha256");
  for (const file of files) {
    const { mtimeMs, size } = await stat(join(ROOT, file));
    hash.update(`${file}\0${mtimeMs}\0${size}\n`);
  }
  return hash.digest("hex");
}

/** The last build's `{ inputs, outputs }`; undefined where there was none. */
async function readStamp() {
  if (!existsSync(join(ROOT, STAMP))) return undefined;
  return JSON.parse(await readFile(join(ROOT, STAMP), "utf8"));
}

/** Writes the file unless it holds these bytes already. Several builds at once end as one of them. */
async function put(path, contents) {
  const target = join(ROOT, path);
  if (existsSync(target) && (await readFile(target)).equals(contents)) return;
  await mkdir(dirname(target), { recursive: true });
  const temporary = `${target}.${process.pid}.tmp`;
  await writeFile(temporary, contents);
  await rename(temporary, target);
}

/**
 * The client's two entries are bundles but for its peers. What both need is one file, so that a failure is of one class
 * whichever entry it came through. There is one such file at most; its name stays the same, or old ones would pile up.
 */
const CLIENT = {
  external: ["@trpc/*", "@tanstack/*", "react"],
  mainFields: ["module", "main"],
  splitting: true,
  chunkNames: "shared",
};

/** esbuild's options of each part that is there; every one of them yields its files in memory. */
function parts(inputs) {
  const common = { absWorkingDir: ROOT, format: "esm", sourcemap: "linked", write: false, logLevel: "error" };
  const modules = inputs.filter((file) => /^(src|db)\/.*(?<!\.d|\.config)\.ts$/.test(file));
  const bundled = { ...common, bundle: true };
  const client = { ...CLIENT, platform: "neutral", target: "es2022", outdir: "client/dist" };
  const page = { platform: "browser", target: "es2022", minify: true, outdir: "dist/console" };
  return [
    { ...common, entryPoints: modules, outbase: ".", outdir: "dist", platform: "node", target: "node20" },
    { ...bundled, ...client, entryPoints: inputs.filter((file) => /^client\/(index|react)\.ts$/.test(file)) },
    { ...bundled, ...page, entryPoints: inputs.filter((file) => file === "console/gallery.ts") },
    { ...common, ...EDGE_OPTIONS, entryPoints: inputs.filter((file) => file === EDGE_ENTRY) },
  ].filter((part) => part.entryPoints.length > 0);
}

/** Files that are copied as they are: `[from, to]`. */
const copies = (inputs) =>
  inputs
    .filter((file) => /^(db\/migrations\/|console\/.*\.(html|css)$)/.test(file))
    .map((file) => [file, `dist/${file}`]);

/** Answers the paths written, relative to the root. */
async function buildAll(inputs) {
  const { build } = await import("esbuild");
  const built = await Promise.all(parts(inputs).map((part) => build(part)));
  for (const result of built) if (result.metafile) console.log(`build: ${describeEdge(result)}`);
  const files = built.flatMap((result) => result.outputFiles.map((file) => [relative(ROOT, file.path), file.contents]));
  for (const [from, to] of copies(inputs)) files.push([to, await readFile(join(ROOT, from))]);
  await Promise.all(files.map(([path, contents]) => put(path, contents)));
  return files.map(([path]) => path).sort();
}

async function removeStale(outputs) {
  const current = new Set(outputs);
  const found = (await Promise.all(OWN_FOLDERS.map(filesBelow))).flat();
  const stale = found.filter((file) => !current.has(file) && !file.endsWith(".tmp"));
  await Promise.all(stale.map((file) => rm(join(ROOT, file), { force: true })));
  return stale.length;
}

async function main() {
  const started = performance.now();
  const inputs = await listInputs();
  const [wanted, stamp] = await Promise.all([digest(inputs), readStamp()]);
  const took = () => `${Math.round(performance.now() - started)} ms`;
  if (stamp?.inputs === wanted && stamp.outputs.every((file) => existsSync(join(ROOT, file)))) {
    console.log(`build: ${stamp.outputs.length} files up to date (${took()})`);
    return;
  }
  const outputs = await buildAll(inputs);
  const removed = await removeStale(outputs);
  await put(STAMP, Buffer.from(JSON.stringify({ inputs: wanted, outputs })));
  console.log(`build: ${outputs.length} files written, ${removed} stale ones removed (${took()})`);
}

await main();
