import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
const CONFIG = join(REPOSITORY, ".dependency-cruiser.cjs");
const CRUISED = ["src", "db", "client", "console", "test", "bench"];

/** `file` imports `target`: a path of the fixture, a package or one of Node's modules. */
type Import = { file: string; target: string; typeOnly?: true };
type Forbidden = Import & { rule: string };
type Violation = { from: string; to: string; rule: { name: string } };

const OUTBOUND_ROOMS = ["src/storage", "src/pipeline", "src/security", "src/telemetry", "src/limits", "src/jobs", "db"];
const ROOTS = ["src/server.ts", "src/edge.ts", "src/worker.ts", "src/cli.ts"];
const HOMES = {
  "database-packages-live-in-db": ["drizzle-orm", "lucia", "mysql2", "@libsql/client"],
  "pixel-packages-live-in-pipeline": ["sharp", "sharp-phash", "exifr"],
  "redis-lives-in-limits": ["ioredis"],
  "aws-sdk-lives-in-storage": ["@aws-sdk/client-s3", "@aws-sdk/s3-request-presigner"],
  "busboy-lives-in-multipart": ["@fastify/busboy"],
  "logs-and-metrics-live-in-telemetry": ["pino", "prom-client"],
  "hono-lives-in-router-and-roots": ["hono"],
  "node-server-lives-in-roots": ["@hono/node-server"],
  "trpc-client-lives-in-client": ["@trpc/client"],
  "react-lives-in-its-entry": ["react", "@tanstack/react-query"],
};

/** Imports of one room, each in a file of its own so that a violation names exactly one of them. */
const fromRoom = (rule: string, room: string, targets: readonly string[]): Forbidden[] =>
  targets.map((target) => ({ rule, file: `${room}/to-${target.replace(/[^a-z0-9]+/g, "-")}.ts`, target }));

const FORBIDDEN: readonly Forbidden[] = [
  ...fromRoom("media-imports-itself", "src/media", [
    "src/accounts/ports.ts",
    "src/procedures/index.ts",
    "src/storage/s3.ts",
    "db/database.ts",
    "hono",
    "p-limit",
    "node:crypto",
  ]),
  ...fromRoom("accounts-imports-itself-and-media", "src/accounts", [
    "src/procedures/index.ts",
    "db/database.ts",
    "lucia",
  ]),
  ...fromRoom("procedures-import-the-domain", "src/procedures", [
    "src/router/app.ts",
    "src/storage/s3.ts",
    "db/database.ts",
    "hono",
    "node:fs",
  ]),
  ...fromRoom("router-imports-procedures-and-the-domain", "src/router", [
    "src/storage/s3.ts",
    "src/telemetry/log.ts",
    "db/database.ts",
    "sharp",
    "@hono/node-server",
    "node:fs",
  ]),
  ...OUTBOUND_ROOMS.flatMap((room) =>
    fromRoom(
      "outbound-rooms-stay-apart",
      room,
      OUTBOUND_ROOMS.filter((other) => other !== room).map((other) => `${other}/adapter.ts`),
    ),
  ),
  ...OUTBOUND_ROOMS.flatMap((room) =>
    fromRoom("outbound-rooms-see-the-domain-alone", room, [
      "src/router/app.ts",
      "src/procedures/index.ts",
      "src/config.ts",
      "client/index.ts",
    ]),
  ),
  ...ROOTS.flatMap((root) => fromRoom("nobody-imports-a-root", "test/roots", [root])),
  { rule: "nobody-imports-a-root", file: "src/cli.ts", target: "src/server.ts" },
  ...["src/security", "db", "client"].flatMap((room) => fromRoom("composition-is-for-roots", room, ["src/compose.ts"])),
  ...fromRoom("roots-alone-read-the-configuration", "src/security", ["src/config.ts"]),
  ...fromRoom("roots-alone-read-the-configuration", "client", ["src/config.ts", "src/edge-config.ts"]),
  { rule: "configuration-knows-the-domain-alone", file: "src/config.ts", target: "src/storage/s3.ts" },
  ...fromRoom("a-file-of-src-has-a-room", "src/misc", ["zod"]),
  { rule: "a-file-of-src-has-a-room", file: "src/loose.ts", target: "zod" },
  ...fromRoom("product-imports-no-tests", "src/jobs", ["test/support/corpus.ts", "bench/upload.ts"]),
  ...fromRoom("product-imports-no-tests", "console", ["test/support/corpus.ts"]),
  ...Object.entries(HOMES).flatMap(([rule, packages]) =>
    ["src/jobs", "console"].flatMap((room) => fromRoom(rule, room, packages)),
  ),
  ...fromRoom("thumbhash-is-made-and-shown", "src/jobs", ["thumbhash"]),
  ...fromRoom("react-lives-in-its-entry", "client", ["react", "@tanstack/react-query"]),
  { rule: "client-does-without-react", file: "client/index.ts", target: "client/react/provider.ts" },
  { rule: "busboy-lives-in-multipart", file: "src/router/app.ts", target: "@fastify/busboy" },
  ...fromRoom("client-imports-procedures-and-tables", "client", [
    "src/router/app.ts",
    "src/media/model.ts",
    "src/accounts/ports.ts",
    "db/database.ts",
  ]),
  ...fromRoom("client-takes-types-alone-from-procedures", "client", ["src/procedures/index.ts"]),
  ...fromRoom("console-imports-client-and-tables", "console", ["src/media/model.ts", "src/router/app.ts"]),
  { rule: "edge-reaches-no-pixels", file: "src/edge.ts", target: "sharp" },
  { rule: "edge-reaches-no-pixels", file: "src/edge.ts", target: "ffmpeg-static" },
  { rule: "edge-reaches-no-pixels", file: "src/edge.ts", target: "src/pipeline/ffmpeg.ts" },
  { rule: "edge-reaches-no-disk", file: "src/edge.ts", target: "node:fs" },
  { rule: "edge-reaches-no-disk", file: "src/edge.ts", target: "node:fs/promises" },
  { rule: "edge-reaches-no-disk", file: "src/edge.ts", target: "node:child_process" },
  { rule: "edge-reaches-no-disk", file: "src/edge.ts", target: "src/storage/local.ts" },
  { rule: "edge-reaches-no-disk", file: "src/edge.ts", target: "src/storage/spool.ts" },
  { rule: "edge-reaches-no-embedded-database", file: "src/edge.ts", target: "@libsql/client" },
  { rule: "edge-reaches-no-embedded-database", file: "src/edge.ts", target: "db/migrate-mysql.ts" },
  { rule: "edge-reaches-no-uploads", file: "src/edge.ts", target: "@fastify/busboy" },
  { rule: "edge-reaches-no-uploads", file: "src/edge.ts", target: "src/router/multipart.ts" },
  { rule: "edge-reaches-no-uploads", file: "src/edge.ts", target: "src/storage/s3-put.ts" },
  { rule: "no-cycles", file: "src/media/egg.ts", target: "src/media/hen.ts" },
  { rule: "no-cycles", file: "src/accounts/egg.ts", target: "src/accounts/hen.ts", typeOnly: true },
  { rule: "no-orphans", file: "src/media/forgotten.ts", target: "src/media/forgotten.ts" },
  ...["src/jobs", "db", "client"].flatMap((room) => fromRoom("no-dev-packages-in-the-product", room, ["vitest"])),
  ...fromRoom("no-undeclared-packages", "src/jobs", ["undeclared-package"]),
  ...fromRoom("nothing-unresolvable", "src/jobs", ["src/jobs/gone.ts", "package-nobody-installed"]),
];

/** Edges that stand between `src/edge.ts` and what it must not reach, and the way back of each cycle. */
const BETWEEN: readonly Import[] = [
  { file: "src/edge.ts", target: "src/procedures/index.ts" },
  { file: "src/procedures/index.ts", target: "src/media/hop.ts" },
  ...["sharp", "ffmpeg-static", "src/pipeline/ffmpeg.ts", "src/storage/local.ts", "src/storage/spool.ts"].map(
    (target) => ({ file: "src/media/hop.ts", target }),
  ),
  ...[
    "@libsql/client",
    "db/migrate-mysql.ts",
    "@fastify/busboy",
    "src/router/multipart.ts",
    "src/storage/s3-put.ts",
  ].map((target) => ({ file: "src/media/hop.ts", target })),
  ...["node:fs", "node:fs/promises", "node:child_process"].map((target) => ({ file: "src/media/hop.ts", target })),
  { file: "src/media/hen.ts", target: "src/media/egg.ts" },
  { file: "src/accounts/hen.ts", target: "src/accounts/egg.ts", typeOnly: true },
];

const ALLOWED: readonly Import[] = [
  { file: "src/media/fine.ts", target: "zod" },
  { file: "src/media/fine.ts", target: "fractional-indexing" },
  { file: "src/accounts/fine.ts", target: "src/media/model.ts" },
  { file: "src/procedures/fine.ts", target: "src/accounts/ports.ts" },
  { file: "src/procedures/fine.ts", target: "@trpc/server" },
  { file: "src/router/fine.ts", target: "src/procedures/index.ts" },
  { file: "src/router/fine.ts", target: "hono" },
  { file: "src/router/multipart.ts", target: "@fastify/busboy" },
  { file: "src/storage/fine.ts", target: "@aws-sdk/client-s3" },
  { file: "src/storage/fine.ts", target: "node:fs/promises" },
  { file: "src/storage/fine.ts", target: "src/storage/s3.ts" },
  { file: "src/pipeline/fine.ts", target: "sharp" },
  { file: "src/telemetry/fine.ts", target: "pino" },
  { file: "src/security/fine.ts", target: "node:crypto" },
  { file: "db/fine.ts", target: "drizzle-orm" },
  { file: "db/fine.ts", target: "src/media/model.ts" },
  { file: "db/drizzle.mysql.config.ts", target: "drizzle-kit" },
  { file: "src/server.ts", target: "src/config.ts" },
  { file: "src/server.ts", target: "src/compose.ts" },
  { file: "src/compose.ts", target: "src/config.ts" },
  { file: "src/compose-edge.ts", target: "src/config-parts.ts" },
  { file: "src/edge-config.ts", target: "src/config.ts" },
  { file: "src/compose.ts", target: "src/pipeline/sharp-pipeline.ts" },
  { file: "test/fine.ts", target: "src/compose.ts" },
  { file: "src/server.ts", target: "src/storage/s3.ts" },
  { file: "src/server.ts", target: "@hono/node-server" },
  { file: "client/fine.ts", target: "src/media/errors.ts" },
  { file: "client/fine.ts", target: "@trpc/client" },
  { file: "client/fine.ts", target: "src/procedures/types.ts", typeOnly: true },
  { file: "console/fine.ts", target: "client/index.ts" },
  { file: "test/fine.ts", target: "sharp" },
  { file: "test/fine.ts", target: "src/config.ts" },
  { file: "test/fine.ts", target: "vitest" },
];

const isPath = (target: string): boolean => /^(src|db|client|console|test|bench)\//.test(target);

function specifier({ file, target }: Import): string {
  if (!isPath(target)) return target;
  const path = posix.relative(posix.dirname(file), target).replace(/\.ts$/, ".js");
  return path.startsWith(".") ? path : `./${path}`;
}

function write(root: string, path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

/** The workspaces': what a file may import is named by the one nearest to it. */
const MANIFESTS = ["package.json", "client/package.json"];

/** Empty packages under the real names: the rules look at names, and resolving empty ones is quick. */
function writePackages(root: string): void {
  const installed = MANIFESTS.flatMap((path) => {
    const manifest = JSON.parse(readFileSync(join(REPOSITORY, path), "utf8"));
    return Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });
  });
  for (const name of [...installed, "ffmpeg-static", "undeclared-package"]) {
    write(root, `node_modules/${name}/package.json`, JSON.stringify({ name, version: "1.0.0", main: "index.js" }));
    write(root, `node_modules/${name}/index.js`, "");
  }
}

function writeSources(root: string, imports: readonly Import[]): void {
  const sources = new Map<string, string>();
  for (const { target } of imports) if (isPath(target) && !target.includes("/gone.")) sources.set(target, "");
  for (const edge of imports) {
    const line = edge.typeOnly ? `import type {} from "${specifier(edge)}";\n` : `import "${specifier(edge)}";\n`;
    const isItself = edge.file === edge.target;
    sources.set(edge.file, `${sources.get(edge.file) ?? ""}${isItself ? "" : line}`);
  }
  for (const [path, text] of sources) write(root, path, `${text}export {};\n`);
}

function cruise(root: string): Violation[] {
  const bin = join(REPOSITORY, "node_modules/dependency-cruiser/bin/dependency-cruise.mjs");
  const json = execFileSync(process.execPath, [bin, "--config", CONFIG, "--output-type", "json", ...CRUISED], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  return JSON.parse(json).summary.violations;
}

/** How dependency-cruiser names a target: `fs`, `node_modules/hono/index.js`, `src/media/model.ts`, `./gone.js`. */
function isTarget(violation: Violation, edge: Import): boolean {
  const { to } = violation;
  if (to === edge.target || to === specifier(edge) || to === edge.target.replace(/^node:/, "")) return true;
  return to.startsWith(`node_modules/${edge.target}/`);
}

const label = ({ file, target, typeOnly }: Import): string => `${file} → ${typeOnly ? "type of " : ""}${target}`;

describe("the arrows", () => {
  const root = mkdtempSync(join(tmpdir(), "arrows-"));
  let violations: Violation[] = [];
  const names = (edge: Import): string[] =>
    violations.filter((v) => v.from === edge.file && isTarget(v, edge)).map((v) => v.rule.name);

  beforeAll(() => {
    for (const file of [...MANIFESTS, "tsconfig.json"]) write(root, file, readFileSync(join(REPOSITORY, file), "utf8"));
    writePackages(root);
    writeSources(root, [...FORBIDDEN.filter((edge) => !edge.rule.startsWith("edge-")), ...BETWEEN, ...ALLOWED]);
    violations = cruise(root);
  }, 60_000);

  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it.each(FORBIDDEN.map((edge) => [edge.rule, label(edge), edge] as const))("%s refuses %s", (rule, _label, edge) => {
    expect(names(edge)).toContain(rule);
  });

  it.each(ALLOWED.map((edge) => [label(edge), edge] as const))("nothing refuses %s", (_label, edge) => {
    expect(names(edge)).toEqual([]);
  });

  it("has a case for every rule of the configuration", () => {
    const { forbidden } = createRequire(import.meta.url)(CONFIG) as { forbidden: { name: string }[] };
    const cased = new Set(FORBIDDEN.map((edge) => edge.rule));
    expect([...cased].sort()).toEqual(forbidden.map((rule) => rule.name).sort());
  });
});
