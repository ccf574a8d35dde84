import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { initTRPC } from "@trpc/server";
import { Hono } from "hono";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { type Composition, compose } from "../../src/compose.js";
import { loadConfig } from "../../src/config.js";
import { createTokenBuckets } from "../../src/limits/token-buckets.js";
import { type ProcedureMeta, procedure, router } from "../../src/procedures/trpc.js";
import { createApp } from "../../src/router/app.js";
import type { AppEnv } from "../../src/router/app-env.js";
import { REST_OPERATIONS, restOperationsOf } from "../../src/router/rest-operations.js";
import { API } from "../support/api-description.js";
import { compareRoutes } from "../support/described-routes.js";
import { openStage, type Stage } from "../support/stage.js";
import { makeTemporaryProject, type TemporaryProject } from "../support/temporary-project.js";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));

const META: ProcedureMeta = { audience: "public", summary: "Says hello to whoever asks" };

describe("a procedure that does not state its audience", () => {
  const MUTANT = join(REPOSITORY, "src/procedures/mutant.ts");

  /** What the compiler says of one more file of the procedures, which is held in memory. */
  function objectionsTo(text: string): string[] {
    const { options } = ts.parseJsonConfigFileContent(
      ts.readConfigFile(join(REPOSITORY, "tsconfig.json"), (path) => ts.sys.readFile(path)).config,
      ts.sys,
      REPOSITORY,
    );
    const host = ts.createCompilerHost(options);
    const { readFile, fileExists } = host;
    host.fileExists = (path) => path === MUTANT || fileExists.call(host, path);
    host.readFile = (path) => (path === MUTANT ? text : readFile.call(host, path));
    // As much of the libraries as the file itself needs: reading the rest is what takes the time.
    const program = ts.createProgram([MUTANT], { ...options, types: [], lib: ["lib.es2023.d.ts"] }, host);
    return program.getSemanticDiagnostics(program.getSourceFile(MUTANT)).map(({ messageText, start = 0 }) => {
      const line = text.slice(0, start).split("\n").length;
      return `${line}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
    });
  }

  it("does not compile, and does with one", () => {
    const lines = [
      'import { procedure } from "./trpc.js";',
      'export const stated = procedure({ audience: "public", summary: "Says hello" });',
      'export const absent = procedure({ summary: "Says hello" });',
      "export const silent = procedure();",
      'export const unknown = procedure({ audience: "everyone", summary: "Says hello" });',
    ];
    expect(objectionsTo(lines.join("\n"))).toEqual([
      expect.stringMatching(/^3: .*'audience' is missing/),
      expect.stringMatching(/^4: Expected 1 arguments/),
      expect.stringMatching(/^5: Type '"everyone"' is not assignable to type 'CallAudience'/),
    ]);
  });

  it("is not served where it was made by other means", () => {
    const other = initTRPC.create();
    const hello = other.procedure.output(z.string()).query(() => "hello");
    expect(() => restOperationsOf(other.router({ greetings: { hello } }))).toThrow(
      "greetings.hello states no audience.",
    );
  });
});

describe("a procedure that does not state what goes in and out", () => {
  const rest = [{ method: "POST", path: "/v1/greetings/{name}" }] as const;
  const hello = procedure({ ...META, rest }).input(z.object({ name: z.string() }));

  it("is not served without an output, with an address or without", () => {
    const silent = procedure(META).query(() => "hello");
    expect(() => restOperationsOf(router({ greetings: router({ silent }) }))).toThrow(
      "greetings.silent states no output.",
    );
    const addressed = hello.mutation(({ input }) => `hello ${input.name}`);
    expect(() => restOperationsOf(router({ greetings: router({ addressed }) }))).toThrow(
      "greetings.addressed states no output.",
    );
  });

  it("is not served where its address names what is no input", () => {
    const mutate = (address: ProcedureMeta["rest"]) => {
      const meta = { ...META, ...(address ? { rest: address } : {}) };
      const greet = procedure(meta)
        .input(z.object({ name: z.string() }))
        .output(z.string());
      return restOperationsOf(router({ greetings: router({ greet: greet.mutation(() => "hello") }) }));
    };
    expect(() => mutate([{ method: "POST", path: "/v1/greetings/{nmae}" }])).toThrow(
      "greetings.greet has no input nmae, which /v1/greetings/{nmae} names.",
    );
    expect(() => mutate([{ method: "POST", path: "/v1/greetings", arrayInput: "names" }])).toThrow("no input names");
    expect(mutate(rest)).toMatchObject([{ operationId: "greetings_greet", procedure: "greetings.greet" }]);
    expect(mutate(undefined)).toEqual([]);
    expect(REST_OPERATIONS.length).toBeGreaterThan(20);
  });
});

describe("an address the description does not know", () => {
  let stage: Stage;
  let composition: Composition;
  const serve = () => createApp({ ...composition.app, rateLimits: createTokenBuckets(composition.app.deps.clock) });
  const plain = () => new Hono<AppEnv>();

  beforeAll(async () => {
    stage = await openStage();
    composition = await compose(loadConfig(stage.env), {
      baseUrl: "http://media.test",
      isDraining: () => false,
      addressOf: () => "here",
      breakOff: () => undefined,
    });
  });
  afterAll(async () => {
    await composition.close();
    await stage.remove();
  });

  it("is not served, and none is described that is not there", () => {
    expect(compareRoutes(serve().routes, API.paths)).toEqual({ undescribed: [], unserved: [] });
  });

  it.each([
    ["GET /v1/media/secret", () => serve().get("/v1/media/secret", (c) => c.text("hello"))],
    ["PUT /v1/media/{}", () => serve().put("/v1/media/:id", (c) => c.text("hello"))],
    ["ALL /v1/greetings", () => serve().all("/v1/greetings", (c) => c.text("hello"))],
    [
      "POST /v1/greetings/{}",
      () =>
        serve().route(
          "/v1",
          plain().post("/greetings/:name{[a-z]+}", (c) => c.text("")),
        ),
    ],
  ])("is found: %s", (name, mutate) => {
    expect(compareRoutes(mutate().routes, API.paths)).toEqual({ undescribed: [name], unserved: [] });
  });

  it("is told from one that is described and gone", () => {
    const routes = serve().routes.filter(({ path }) => path !== "/v1/media/:id/move");
    expect(compareRoutes(routes, API.paths)).toEqual({ undescribed: [], unserved: ["POST /v1/media/{}/move"] });
  });
});

/** Of each room behind the procedures a type that its package or a port has. */
const LEAKS = {
  drizzle: 'import("drizzle-orm").Table',
  hono: 'import("hono").Hono',
  sharp: 'import("sharp").Metadata',
  database: 'import("../media/ports.js").Deps["database"]',
};

describe("a server type on its way into the client package", () => {
  let project: TemporaryProject;
  let build: SpawnSyncReturns<string>;

  function mutate(path: string, change: (text: string) => string, to = path) {
    const text = readFileSync(join(REPOSITORY, path), "utf8");
    if (change(text) === text) throw new Error(`${path} is not what it was when this was written.`);
    project.put(to, change(text));
  }

  /** All mutations at once, each in a file of its own: the compiler is what takes the time. */
  beforeAll(() => {
    project = makeTemporaryProject();
    project.install();
    project.copy("src/procedures", "src/media", "src/accounts", "scripts/build-client-types.mjs");
    project.copy("package.json", "tsconfig.json", "client/tsconfig.json", "client/tsconfig.build.json");
    for (const [name, type] of Object.entries(LEAKS))
      project.put(`src/procedures/${name}-group.ts`, groupThatLeaks(type));
    const names = Object.keys(LEAKS);
    const imports = names.map((name) => `import { leak as ${name} } from "./${name}-group.js";\n`).join("");
    const types = names.map((name) => `${name}: typeof ${name};`).join("");
    mutate("src/procedures/index.ts", (text) =>
      text
        .replace(/type Groups = \{/, (begin) => `${imports}${begin} ${types}`)
        .replace(/= router\(\{/, (begin) => `${begin} ${names.join(", ")},`),
    );
    mutate(
      "src/procedures/public-router.ts",
      (text) => text.replace("eraseContext(appRouter)", "appRouter"),
      "src/procedures/unerased-router.ts",
    );
    mutate("src/procedures/trpc.ts", (text) =>
      text.replace("export type ProcedureContext = {", (begin) => `${begin} pool: import("mysql2").Pool;`),
    );
    const routers = ["public", "unerased"].map(
      (name) => `export type * as ${name}Router from "../src/procedures/${name}-router.js";`,
    );
    project.put("client/index.ts", `${routers.join("\n")}\n`);
    const script = join(project.root, "scripts/build-client-types.mjs");
    build = spawnSync(process.execPath, [script], { encoding: "utf8" });
  });
  afterAll(() => project.remove());

  it.each([
    ["drizzle-orm", "src/procedures/public-router.d.ts needs drizzle-orm"],
    ["hono", "src/procedures/public-router.d.ts needs hono"],
    ["sharp", "src/procedures/public-router.d.ts needs sharp"],
    ["the ports", "src/media/model.d.ts needs zod"],
    ["the context of a router that is not erased", "src/procedures/trpc.d.ts needs mysql2"],
  ])("is refused: one of %s", (_, line) => {
    expect(build.stderr, build.stdout).toContain("The client's declarations reach packages its users do not have:\n");
    expect(build.stderr).toContain(`  ${line}\n`);
  });

  it("leaves no package behind", () => {
    expect([build.status, build.stdout, existsSync(join(project.root, "client/dist"))]).toEqual([1, "", false]);
  });
});

const groupThatLeaks = (type: string): string => `import { z } from "zod";
import { procedure, router } from "./trpc.js";
export const leak = router({
  leak: procedure({ audience: "public", summary: "Answers what it works with" })
    .output(z.custom<${type}>())
    .query(() => null as never),
});
`;
