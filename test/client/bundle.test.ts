import { spawnSync } from "node:child_process";
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
const MAX_GZIP_BYTES = 15_000;

describe("the client's bundles", () => {
  const root = mkdtempSync(join(tmpdir(), "client-bundle-"));
  const dist = join(root, "client/dist");
  const names = () => readdirSync(dist).filter((name) => name.endsWith(".js"));
  const read = (name: string) => readFileSync(join(dist, name), "utf8");
  const { exports, peerDependencies } = JSON.parse(readFileSync(join(REPOSITORY, "client/package.json"), "utf8"));

  /** The builder over the client and the tables it shares, apart from the build of the repository. */
  beforeAll(() => {
    for (const folder of ["client", "src/media"])
      cpSync(join(REPOSITORY, folder), join(root, folder), {
        recursive: true,
        filter: (path) => !path.endsWith("/dist"),
      });
    mkdirSync(join(root, "scripts"));
    for (const file of [
      "scripts/build.mjs",
      "scripts/edge-bundle.mjs",
      "package.json",
      "package-lock.json",
      "tsconfig.json",
    ])
      copyFileSync(join(REPOSITORY, file), join(root, file));
    symlinkSync(join(REPOSITORY, "node_modules"), join(root, "node_modules"));
    const { status, stderr } = spawnSync(process.execPath, [join(root, "scripts/build.mjs")], { encoding: "utf8" });
    if (status !== 0) throw new Error(`the client was not built: ${stderr}`);
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it("are the package's entries and what they share", () => {
    const entries = Object.values(exports as Record<string, { default: string }>).map((entry) => entry.default);
    expect(
      names()
        .map((name) => `./dist/${name}`)
        .sort(),
    ).toEqual([...entries, "./dist/shared.js"].sort());
  });

  it(`take less than ${MAX_GZIP_BYTES} bytes together, compressed, without peers`, () => {
    const size = gzipSync(names().map(read).join("")).length;
    expect(size).toBeGreaterThan(3000);
    expect(size).toBeLessThan(MAX_GZIP_BYTES);
  });

  it("import their peers alone, and React from its own entry alone", () => {
    const imported = (name: string) => [...read(name).matchAll(/from "([^".][^"]*)"/g)].map((match) => match[1]);
    const peers = Object.keys(peerDependencies);
    expect(
      names()
        .flatMap(imported)
        .filter((name) => !peers.includes(name ?? "")),
    ).toEqual([]);
    expect(imported("react.js")).toEqual(expect.arrayContaining(["react", "@tanstack/react-query"]));
    expect([...imported("index.js"), ...imported("shared.js")].filter((name) => /react/.test(name ?? ""))).toEqual([]);
  });

  it("hold the class of failures once, so that one of either entry is known in both", () => {
    expect(names().filter((name) => /class MediaClientError|MediaClientError = class/.test(read(name)))).toHaveLength(
      1,
    );
  });

  it("run in Node", () => {
    const script = `
      const main = await import(${JSON.stringify(join(dist, "index.js"))});
      const react = await import(${JSON.stringify(join(dist, "react.js"))});
      console.log(typeof main.createMediaClient, typeof main.srcset, typeof react.useUpload);`;
    const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
    expect([stdout, stderr]).toEqual(["function function function\n", ""]);
  });
});
