import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { unpackClient } from "../support/packed-client.js";
import { makeTemporaryProject, type TemporaryProject } from "../support/temporary-project.js";
import { readmeBlocks } from "./readme-blocks.js";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
const require = createRequire(import.meta.url);
/** What a consumer may have; the last one is native, and the quickest by far. */
const COMPILERS = [
  ["5.9.3", require.resolve("typescript/package.json")],
  ["6.0.3", require.resolve("typescript-6/package.json")],
  ["7.0.2", require.resolve("typescript-7/package.json")],
] as const;
const [, , [, QUICKEST]] = COMPILERS;
const tscOf = (compiler: string): string => join(dirname(compiler), "bin/tsc");

const run = (...script: string[]) => spawnSync(process.execPath, script, { encoding: "utf8" });

/** Uses the package the way a frontend does; every line marked as an error has to be one. */
const CONSUMER = `
import { createMediaClient, MediaClientError, toMediaClientError, type MediaOut } from "@artitec/media-client";

const client = createMediaClient({ baseUrl: "https://media.example", token: async () => "secret" });

export async function use(file: File): Promise<string> {
  const page = await client.api.media.list.query({ type: "property", id: "PRP-1", field: "gallery", limit: 10 });
  const widths: (number | null)[] = page.items.map((item: MediaOut) => item.width);
  const cursor: string | null = page.nextCursor;
  const { media, duplicates } = await client.upload({ entityType: "property", id: 1, field: "gallery" }, file, {
    altText: "A house",
    tags: ["front"],
    onProgress: ({ loaded, total }) => console.log(loaded / total),
  });
  const url: string | null = media.thumbnailUrl;
  const tier: "exact" | "same" | "similar" | undefined = duplicates[0]?.tier;
  const batch = await client.uploadBatch({ entityType: "post", id: 2, field: "gallery" }, [file]);
  const role: "user" | "moderator" | "admin" = (await client.api.auth.login.mutate({ email: "a", password: "b" })).user.role;
  // @ts-expect-error users have no gallery
  await client.upload({ entityType: "user", id: 1, field: "gallery" }, file);
  // @ts-expect-error a list needs an id
  await client.api.media.list.query({ type: "property" });
  // @ts-expect-error there is no such procedure
  await client.api.media.paint.query({});
  // @ts-expect-error it is a number
  const size: string = media.fileSize;
  return [widths, cursor, url, tier, batch.failed[0]?.code === "CORRUPT_FILE", role, size].join();
}

export function explain(error: unknown): string {
  const failure: MediaClientError = toMediaClientError(error);
  if (failure.problem.code === "FILE_TOO_LARGE") return String(failure.problem.maxBytes + 1);
  // @ts-expect-error no such code
  if (failure.code === "FILE_TOO_PRETTY") return "?";
  return failure.detail;
}
`;

/** The hooks, likewise; the gallery of the package's page is compiled beside it. */
const REACT_CONSUMER = `
import { createMediaClient, type MediaClientError, type MediaOut } from "@artitec/media-client";
import { useMediaMutation, useMediaPages, useMediaQuery, useUpload } from "@artitec/media-client/react";

const client = createMediaClient({ baseUrl: "https://media.example", retries: 2 });

export function Use({ file }: { file: File }) {
  const list = useMediaQuery("media.list", { type: "property", id: "PRP-1", limit: 10 }, { staleTime: 1000 });
  const total: number | undefined = list.data?.total;
  const failure: MediaClientError | null = list.error;
  const pages = useMediaPages("media.search", { q: "house" });
  const found: MediaOut | undefined = pages.data?.pages[0]?.items[0];
  const remove = useMediaMutation("media.delete", { onSuccess: ({ deletedId }) => console.log(deletedId) });
  const upload = useUpload(client);
  if (upload.status === "done") return <p>{upload.answer.media.publicId}</p>;
  if (upload.status === "failed") return <button onClick={() => void upload.retry()}>{upload.error.detail}</button>;
  // @ts-expect-error there is an answer only when it is done
  const answer: object = upload.answer;
  // @ts-expect-error there is no such query
  useMediaQuery("media.paint", {});
  // @ts-expect-error a mutation is no query
  useMediaQuery("media.delete", { id: 1 });
  // @ts-expect-error an id is missing
  useMediaQuery("media.get", {});
  // @ts-expect-error one item has no pages
  useMediaPages("media.get", { id: 1 });
  // @ts-expect-error it takes no such input
  remove.mutate({ ids: [1] });
  // @ts-expect-error users have no gallery
  void upload.start({ entityType: "user", id: 1, field: "gallery" }, file);
  void upload.start({ entityType: "user", id: 1, field: "avatar" }, { uri: "file:///a.jpg", name: "a.jpg", type: "image/jpeg" });
  return <>{total}{failure?.code}{found?.id}{upload.progress?.loaded}{String(answer)}</>;
}
`;
/** What a React frontend has installed beside tRPC. */
const REACT_PACKAGES = ["react", "@types", "@tanstack", "csstype"];

/** Library checks stay on: what the package's declarations could not resolve would otherwise be silently any. */
const STRICT = {
  target: "ES2022",
  lib: ["ES2023", "DOM", "DOM.Iterable", "ESNext.Disposable"],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  skipDefaultLibCheck: true,
  types: [],
  noEmit: true,
  jsx: "react-jsx",
};
const RESOLUTIONS = {
  bundler: { module: "ESNext", moduleResolution: "Bundler" },
  node: { module: "NodeNext", moduleResolution: "NodeNext" },
};

describe("the client package's declarations", () => {
  const { root, put, remove } = makeTemporaryProject();
  const packed = join(root, "node_modules/@artitec/media-client");

  /** Once by each way to find modules, in one run of the compiler, which so reads its libraries once. */
  const compile = (compiler: string, files: readonly string[]) => {
    for (const [name, resolution] of Object.entries(RESOLUTIONS)) {
      const include = files.map((file) => `../${file}`);
      put(`${name}/tsconfig.json`, JSON.stringify({ compilerOptions: { ...STRICT, ...resolution }, include }));
    }
    const { status, stdout } = run(
      tscOf(compiler),
      "--build",
      "--force",
      ...Object.keys(RESOLUTIONS).map((name) => join(root, name)),
    );
    return { status, stdout };
  };

  beforeAll(() => {
    unpackClient(root);
    cpSync(join(REPOSITORY, "node_modules/@trpc"), join(root, "node_modules/@trpc"), { recursive: true });
    put("consumer.ts", CONSUMER);
    put("react-consumer.tsx", REACT_CONSUMER);
    put("gallery.tsx", readmeBlocks("tsx").join("\n"));
    put("package.json", '{ "type": "module" }');
  });
  afterAll(remove);

  it("are the entry's closure and nothing of the server's rooms", () => {
    const files = readdirSync(join(packed, "dist/types"), { recursive: true, encoding: "utf8" });
    expect(files.filter((file) => file.startsWith("src/") && file.endsWith(".ts")).sort()).toEqual([
      "src/media/attachments.d.ts",
      "src/media/errors.d.ts",
      "src/media/image-sizes.d.ts",
      "src/procedures/public-router.d.ts",
    ]);
  });

  it("stand where package.json says", () => {
    const { exports } = JSON.parse(readFileSync(join(packed, "package.json"), "utf8"));
    expect(Object.keys(exports)).toEqual([".", "./react"]);
    for (const entry of [".", "./react"]) {
      expect(existsSync(join(packed, exports[entry].types))).toBe(true);
      expect(existsSync(join(packed, exports[entry].default))).toBe(true);
    }
  });

  it("name every procedure of the server's router", async () => {
    const { appRouter } = await import("../../src/procedures/index.js");
    const text = readFileSync(join(packed, "dist/types/src/procedures/public-router.d.ts"), "utf8");
    const names = Object.keys(appRouter._def.procedures).map((path) => path.split(".").at(-1));
    expect(names.length).toBeGreaterThan(10);
    for (const name of names)
      expect(text).toMatch(new RegExp(`\\b${name}: TRPC(Query|Mutation|Subscription)Procedure<`));
  });

  it("let a strict consumer compile, tRPC being all it has", () => {
    expect(compile(QUICKEST, ["consumer.ts"])).toEqual({ status: 0, stdout: "" });
  });

  describe("where React is installed too", () => {
    beforeAll(() => {
      for (const name of REACT_PACKAGES)
        symlinkSync(join(REPOSITORY, "node_modules", name), join(root, "node_modules", name));
    });
    afterAll(() => {
      for (const name of REACT_PACKAGES) rmSync(join(root, "node_modules", name));
    });

    it.each(COMPILERS)(
      "let a strict frontend compile under TypeScript %s, the gallery of the package's page included",
      (version, compiler) => {
        expect(run(tscOf(compiler), "--version").stdout.trim()).toBe(`Version ${version}`);
        expect(compile(compiler, ["consumer.ts", "react-consumer.tsx", "gallery.tsx"])).toEqual({
          status: 0,
          stdout: "",
        });
      },
      120_000,
    );
  });

  it("do not turn to any where tRPC is missing: the consumer's compiler says so", () => {
    rmSync(join(root, "node_modules/@trpc"), { recursive: true });
    const { status, stdout } = compile(QUICKEST, ["consumer.ts"]);
    expect(status).not.toBe(0);
    expect(stdout).toContain("@trpc/client");
  });
});

describe("the builder of the declarations", () => {
  let project: TemporaryProject;
  const put: TemporaryProject["put"] = (path, text) => project.put(path, text);
  const build = () => run(join(project.root, "scripts/build-client-types.mjs"));
  const built = (path: string): string => join(project.root, "client/dist/types", path);

  beforeEach(() => {
    project = makeTemporaryProject();
    project.install();
    project.put("package.json", '{ "type": "module" }');
    project.copy(
      "scripts/build-client-types.mjs",
      "tsconfig.json",
      "client/tsconfig.json",
      "client/tsconfig.build.json",
    );
    put("src/media/name.ts", "export type Name = string;\n");
    put("src/media/secret.ts", "export const secret = 1;\n");
  });
  afterEach(() => project.remove());

  it("copies what the types need and leaves out what the values alone need, packages included", () => {
    put(
      "client/index.ts",
      `import { z } from "zod";
       import type { Name } from "../src/media/name.js";
       import { secret } from "../src/media/secret.js";
       export const greet = (name: Name): string => z.string().parse(name) + secret;\n`,
    );
    expect(build()).toMatchObject({ status: 0, stdout: "client types: 2 files\n" });
    expect(existsSync(built("src/media/name.d.ts"))).toBe(true);
    expect(existsSync(built("src/media/secret.d.ts"))).toBe(false);
  });

  it("gives each entry its own peers: React to the entry for it, and to no other", () => {
    const reactive =
      'import type { ReactNode } from "react";\nexport const show = (node: ReactNode): ReactNode => node;\n';
    put("client/index.ts", "export const one = 1;\n");
    put("client/react.ts", reactive);
    expect(build()).toMatchObject({ status: 0, stdout: "client types: 2 files\n" });
    put("client/index.ts", reactive);
    const { status, stderr } = build();
    expect(status).toBe(1);
    expect(stderr).toContain("client/index.d.ts needs react");
    expect(stderr).not.toContain("client/react.d.ts");
  }, 90_000);

  it("leaves nothing of an earlier build", () => {
    put("client/index.ts", "export const one = 1;\n");
    put("client/dist/types/client/gone.d.ts", "export {};\n");
    expect(build().status).toBe(0);
    expect(existsSync(built("client/gone.d.ts"))).toBe(false);
  });

  it("refuses packages beyond tRPC's however they are reached, and keeps the last good build", () => {
    put("client/dist/types/client/index.d.ts", "export {};\n");
    put("src/media/imported.ts", 'import type { ZodType } from "zod";\nexport type Schema = ZodType;\n');
    put("src/media/passed-on.ts", 'export type { ZodType } from "zod";\n');
    put("src/media/inferred.ts", 'import { z } from "zod";\nexport const schema = z.object({ id: z.number() });\n');
    put("src/media/inner.ts", 'export type { Serialize } from "@trpc/server/unstable-core-do-not-import";\n');
    put("src/media/named.ts", 'export * as all from "zod";\n');
    const names = ["imported", "passed-on", "inferred", "inner", "named"];
    put("client/index.ts", names.map((name) => `export * from "../src/media/${name}.js";\n`).join(""));
    const { status, stderr } = build();
    expect(status).toBe(1);
    for (const name of names)
      expect(stderr).toMatch(new RegExp(`src/media/${name}\\.d\\.ts needs (zod|@trpc/server/)`));
    expect(readFileSync(built("client/index.d.ts"), "utf8")).toBe("export {};\n");
  });

  it("fails on a client that does not compile", () => {
    put("client/index.ts", 'export const one: number = "1";\n');
    const { status, stdout } = build();
    expect(status).toBe(1);
    expect(stdout).toContain("client/index.ts");
  });
});
