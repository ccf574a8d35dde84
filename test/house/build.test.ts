import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));

const SOURCES = {
  "src/server.ts": 'import { greet } from "./media/greet.js";\nconsole.log(greet("you") satisfies string);\n',
  "src/media/greet.ts": 'export const greet = (name: string): string => "Hello " + name;\n',
  "db/schema/mysql.ts": "export const rows: number[] = [];\n",
  "db/drizzle.mysql.config.ts": "export default {};\n",
  "db/migrations/mysql/0000_first.sql": "CREATE TABLE media (id INT);\n",
  "client/index.ts":
    'export { createTRPCClient } from "@trpc/client";\nexport { greet } from "../src/media/greet.js";\n',
  "console/gallery.ts": 'import { greet } from "../src/media/greet.js";\ndocument.title = greet("gallery");\n',
  "console/index.html": "<!doctype html><title>Gallery</title>\n",
};

describe("the build", () => {
  let root: string;

  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  const read = (path: string): string => readFileSync(join(root, path), "utf8");
  const has = (path: string): boolean => existsSync(join(root, path));
  const run = (...script: string[]) => spawnSync(process.execPath, script, { cwd: root, encoding: "utf8" });
  const build = () => run("scripts/build.mjs");

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "build-"));
    for (const [path, text] of Object.entries(SOURCES)) put(path, text);
    put("scripts/build.mjs", "");
    copyFileSync(join(REPOSITORY, "scripts/edge-bundle.mjs"), join(root, "scripts/edge-bundle.mjs"));
    put("package.json", '{ "type": "module" }');
    for (const file of ["scripts/build.mjs", "package-lock.json", "tsconfig.json"])
      copyFileSync(join(REPOSITORY, file), join(root, file));
    symlinkSync(join(REPOSITORY, "node_modules"), join(root, "node_modules"));
  });

  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it("keeps the tree of src and db, with source maps, and what it builds runs", () => {
    const { status, stdout } = build();
    expect(status).toBe(0);
    expect(stdout.trim().split("\n")).toHaveLength(1);
    expect(read("dist/src/media/greet.js")).toContain("//# sourceMappingURL=greet.js.map");
    expect(has("dist/src/media/greet.js.map")).toBe(true);
    expect(has("dist/db/schema/mysql.js")).toBe(true);
    expect(run("dist/src/server.js").stdout).toBe("Hello you\n");
  });

  it("copies migrations and leaves settings of tools out", () => {
    build();
    expect(read("dist/db/migrations/mysql/0000_first.sql")).toBe(SOURCES["db/migrations/mysql/0000_first.sql"]);
    expect(has("dist/db/drizzle.mysql.config.js")).toBe(false);
  });

  it("bundles the client but for tRPC, and the page with everything", () => {
    build();
    expect(read("client/dist/index.js")).toMatch(/from "@trpc\/client"/);
    expect(read("client/dist/index.js")).not.toContain("../src/");
    expect(read("dist/console/gallery.js")).not.toMatch(/\bimport\b/);
    expect(read("dist/console/index.html")).toBe(SOURCES["console/index.html"]);
  });

  it("bundles the client's entry for React beside it, and what both need once, under one name", () => {
    const entry = (name: string, text: string) =>
      put(`client/${name}.ts`, `import { greet } from "../src/media/greet.js";\n${text}`);
    entry("index", 'export const hello = greet("one");\n');
    entry("react", 'import { useState } from "react";\nexport const useHello = () => useState(greet("two"));\n');
    build();
    put("src/media/greet.ts", 'export const greet = (name: string): string => "Good day, " + name;\n');
    build();
    const bundles = readdirSync(join(root, "client/dist")).filter((name) => name.endsWith(".js"));
    expect(bundles.sort()).toEqual(["index.js", "react.js", "shared.js"]);
    expect(bundles.filter((name) => read(`client/dist/${name}`).includes("Good day"))).toEqual(["shared.js"]);
    expect(read("client/dist/react.js")).toMatch(/from "react"/);
  });

  it("bundles the worker whole, but for what its runtime has, and tells its size", () => {
    put(
      "src/edge.ts",
      'import { Buffer } from "buffer";\nimport { greet } from "./media/greet.js";\nexport default { greet, Buffer };\n',
    );
    expect(build().stdout).toMatch(/edge bundle: \d+ KiB, \d+ KiB gzip/);
    expect(read("dist/edge.js")).toContain("Hello ");
    expect(read("dist/edge.js")).toMatch(/from"node:buffer"/);
  });

  it.each(["node:fs", "node:child_process", "@libsql/client/http", "@fastify/busboy"])(
    "refuses to put %s into the worker, however far away, and says who asked for it",
    (forbidden) => {
      put("src/edge.ts", 'import "./media/hop.js";\n');
      put("src/media/hop.ts", `import * as all from "${forbidden}";\nconsole.log(all);\n`);
      const { status, stderr } = build();
      expect(status).toBe(1);
      expect(stderr).toMatch(/holds what no worker can run: .*src\/media\/hop\.ts/);
      expect(has("dist/edge.js")).toBe(false);
    },
  );

  it("does without client and page where there are none", () => {
    rmSync(join(root, "client"), { recursive: true });
    rmSync(join(root, "console"), { recursive: true });
    expect(build().status).toBe(0);
    expect(has("dist/src/server.js")).toBe(true);
    expect(has("dist/console")).toBe(false);
  });

  it("does nothing when nothing changed", () => {
    build();
    put("dist/src/server.js", "// as it was left\n");
    expect(build().stdout).toContain("up to date");
    expect(read("dist/src/server.js")).toBe("// as it was left\n");
  });

  it("builds again when a source changed", () => {
    build();
    put("src/media/greet.ts", 'export const greet = (name: string): string => "Good day, " + name;\n');
    expect(build().stdout).toContain("written");
    expect(run("dist/src/server.js").stdout).toBe("Good day, you\n");
  });

  it.each(["dist/src/server.js", "client/dist/index.js"])("builds again when %s is gone", (output) => {
    build();
    rmSync(join(root, output));
    build();
    expect(has(output)).toBe(true);
  });

  it("removes what no source stands behind, and leaves the client's declarations alone", () => {
    put("src/media/short-lived.ts", "export const gone = true;\n");
    put("client/dist/client/index.d.ts", "export {};\n");
    build();
    expect(has("dist/src/media/short-lived.js")).toBe(true);
    rmSync(join(root, "src/media/short-lived.ts"));
    build();
    expect(has("dist/src/media/short-lived.js")).toBe(false);
    expect(has("dist/src/media/short-lived.js.map")).toBe(false);
    expect(has("client/dist/client/index.d.ts")).toBe(true);
  });

  it("fails on a source that does not parse, and again as long as it does not", () => {
    build();
    put("src/media/greet.ts", "export const greet = (\n");
    expect(build()).toMatchObject({ status: 1, stderr: expect.stringContaining("src/media/greet.ts") });
    expect(build().status).toBe(1);
  });
});
