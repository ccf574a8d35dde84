/**
 * How `src/edge.ts` becomes the one file a worker is: esbuild's options for it, and what must not be in it. Node's
 * built-ins stay imports, which workerd has under `nodejs_compat`; everything else is inside.
 */
import { builtinModules } from "node:module";
import { gzipSync } from "node:zlib";

export const EDGE_ENTRY = "src/edge.ts";
export const EDGE_BUNDLE = "dist/edge.js";

const BUILT_IN = new RegExp(`^(?:node:)?(?:${builtinModules.filter((name) => !name.startsWith("_")).join("|")})$`);

/** Built-ins are ES modules named `node:…` there, whatever CommonJS packages call them and however they ask. */
const nodeBuiltIns = {
  name: "node-built-ins",
  setup(build) {
    build.onResolve({ filter: BUILT_IN }, ({ kind, path }) => {
      const name = path.replace(/^node:/, "");
      if (kind === "require-call") return { path: name, namespace: "required-built-in" };
      return { path: `node:${name}`, external: true };
    });
    build.onLoad({ filter: /.*/, namespace: "required-built-in" }, ({ path }) => ({
      contents: `import all from "node:${path}";\nmodule.exports = all;`,
      loader: "js",
    }));
  },
};

/** The SDK's XML for browsers is read by their DOM, which workers have none of; the other reader needs nothing. */
const xmlWithoutDom = {
  name: "xml-without-dom",
  setup(build) {
    build.onResolve({ filter: /\/xml-parser(\.browser)?$/ }, ({ resolveDir, kind, pluginData }) => {
      if (pluginData === "resolved" || !resolveDir.includes("@aws-sdk/xml-builder")) return undefined;
      return build.resolve("./xml-parser.js", { resolveDir, kind, pluginData: "resolved" });
    });
  },
};

export const EDGE_OPTIONS = {
  entryPoints: [EDGE_ENTRY],
  outfile: EDGE_BUNDLE,
  bundle: true,
  platform: "browser",
  target: "es2023",
  mainFields: ["browser", "module", "main"],
  conditions: ["workerd", "worker", "browser", "import"],
  external: ["cloudflare:*"],
  plugins: [nodeBuiltIns, xmlWithoutDom],
  minify: true,
  metafile: true,
  logOverride: { "commonjs-variable-in-esm": "silent" },
};

/** Pixels, disks, processes and the embedded database: none of it is where a worker runs. */
const FORBIDDEN = [
  /node_modules\/(?:@img\/|sharp|exifr|@libsql\/|libsql|@fastify\/busboy|pino|prom-client|@hono\/node-server)/,
  /^src\/(?:pipeline\/|storage\/(?:local|spool|s3-put|hashing-file)|router\/(?:multipart|uploads|batch-upload)\.ts)/,
  /^db\/(?:connect-sqlite|sqlite-|migrate-)/,
  /\.node$/,
];
const FORBIDDEN_BUILT_INS = /^node:(?:fs|fs\/promises|child_process|worker_threads|cluster|vm)$/;

/** What must not be in the bundle and is, with who imports it; empty where all is well. */
export function forbiddenIn({ inputs, outputs }) {
  const files = Object.keys(inputs).filter((file) => FORBIDDEN.some((pattern) => pattern.test(file)));
  const builtIns = Object.values(outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
  const importers = (target) =>
    Object.keys(inputs).filter((file) => inputs[file].imports.some(({ path }) => path === target));
  return [...files, ...builtIns.filter((path) => FORBIDDEN_BUILT_INS.test(path))].map(
    (target) => `${target} (imported by ${importers(target).join(", ") || "a package"})`,
  );
}

/** Throws where something is inside that must not be; answers what a worker's limit counts. */
export function describeEdge(result) {
  const forbidden = forbiddenIn(result.metafile);
  if (forbidden.length > 0) throw new Error(`The edge bundle holds what no worker can run: ${forbidden.join("; ")}`);
  const bundle = result.outputFiles.find(({ path }) => path.endsWith(".js"));
  return `edge bundle: ${Math.round(bundle.contents.length / 1024)} KiB, ${Math.round(gzipSync(bundle.contents).length / 1024)} KiB gzip`;
}
