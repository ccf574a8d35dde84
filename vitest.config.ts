import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import type { Combination } from "./test/support/combination.js";

const API = "test/api/**/*.test.ts";

/** Every set-up the product runs on: the tests of its API run over each. */
const COMBINATIONS = {
  "SQLite + local": { database: "sqlite", store: "local" },
  "SQLite + S3": { database: "sqlite", store: "s3" },
  "MariaDB + local": { database: "mariadb", store: "local" },
  "MariaDB + S3": { database: "mariadb", store: "s3" },
} as const satisfies Record<string, Combination>;

/**
 * What these are about ends before a byte is stored or a row is written (a call counted, a slow line cut, memory
 * spent), or begins with nothing configured at all: they run once, on the embedded default.
 */
const INDEPENDENT = [
  "browser-manners",
  "decoder-death",
  "hostile-memory",
  "picture-bombs",
  "rate-limit",
  "shared-limits",
  "slow-client",
  "start",
].map((name) => `test/api/${name}.test.ts`);

/**
 * Who may do and see what, in which order, and many at once: rows decide, and no byte is stored that matters. Once on
 * each database, and so once on each store. So is what is made on demand, which takes pixels.
 */
const DECIDED_BY_THE_DATABASE = [
  "accounts",
  "analytics",
  "attacks",
  "concurrency",
  "delivery",
  "directory",
  "duplicates",
  "managing",
  "moderation",
  "named-tokens",
  "principals",
  "resolve-duplicates",
  "search",
  "visibility",
].map((name) => `test/api/${name}.test.ts`);

const EXCLUDED: Record<keyof typeof COMBINATIONS, readonly string[]> = {
  "SQLite + local": [],
  "SQLite + S3": [...INDEPENDENT, ...DECIDED_BY_THE_DATABASE],
  "MariaDB + local": [...INDEPENDENT, ...DECIDED_BY_THE_DATABASE],
  "MariaDB + S3": INDEPENDENT,
};

/**
 * About compilers, checkers, kills, browsers, query plans and the worker's own runtime, which are the same whatever Node
 * runs beside them, and every principal at every procedure, which is about our own rules. These also take longest.
 */
const ON_ONE_NODE = [
  "test/crash/**/*.test.ts",
  "test/house/**/*.test.ts",
  "test/edge/**/*.test.ts",
  "test/console/**/*.test.ts",
  "test/client/{package,browser,packed-browser}.test.ts",
  "test/router/api-page.test.ts",
  "test/db/query-plans.test.ts",
  "test/procedures/principals.test.ts",
];

/**
 * What is asked of the worker, with a server beside it that takes the uploads and has the pages and metrics. Left out:
 * - attacks, concurrency, corpora, delivery, entity-routes, hostile, large-body, multipart-corpus, principals, retries,
 *   store-faults: about uploads, which never reach the worker;
 * - files: about bytes and their headers, which the bucket answers there; test/edge/files.test.ts is about the way to it;
 * - errors: counts the worker's requests in the server's metrics; storage-sync, database-faults: set the server up in
 *   ways a worker has none of; test/edge/outage.test.ts has its faults;
 * - what is INDEPENDENT.
 * What asks the same rules again at length is for `npm run test:edge`; `test/edge/transports.test.ts` asks every
 * procedure in every run.
 */
const ON_THE_EDGE = ["accounts", "reading", "search"];
const AT_LENGTH =
  process.env.EDGE_MATRIX === "full"
    ? ["analytics", "directory", "managing", "moderation", "resolve-duplicates", "visibility"]
    : [];
const edgeTests = [...ON_THE_EDGE, ...AT_LENGTH].map((name) => `test/api/${name}.test.ts`);

/**
 * Rules of our own that ask nothing of Node but what other files ask of it at length: who may do and see what, in which
 * order, what is counted and compared. Left out where SECOND_NODE is set, as `.ci/run` does for its second run.
 */
const OUR_OWN_RULES =
  process.env.SECOND_NODE === undefined
    ? []
    : [
        ..."analytics directory duplicates managing moderation principals resolve-duplicates search visibility"
          .split(" ")
          .map((name) => `test/api/${name}.test.ts`),
        "test/media/{duplicate-groups,move-item,purge,reconcile,reorder,rights,rules,storage-health}.test.ts",
        "test/router/openapi.test.ts",
      ];

const BUILT_PIXELS = fileURLToPath(new URL("./dist/src/pipeline/fork-pixel-process.js", import.meta.url));

/**
 * Files share what their worker has loaded, which takes more than most of them do: one that changes something global
 * puts it back. Pixel processes come from the build, which `globalSetup` brings up to date, and start in less than half
 * the time of the source; test/pipeline/process-pool.test.ts starts one from the source as well.
 */
const shared = { testTimeout: 30_000, hookTimeout: 120_000, pool: "forks", isolate: false } as const;

const resolve = { alias: [{ find: /^\.\/fork-pixel-process\.js$/, replacement: BUILT_PIXELS }] };

/** Files that take longest, and so begin first in their project: none of them is to end alone. */
const LONGEST = [
  "crash/kill-nine",
  "client/package",
  "procedures/principals",
  "api/store-faults",
  "api/visibility",
  "api/concurrency",
  "api/slow-client",
  "db/contracts",
  "db/mysql-transaction",
  "db/mysql-pool",
].map((name) => `/test/${name}.test.ts`);

/** Projects as they stand below, the one of many short files last; a worker takes up files of its project alone. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rankOf = ({ moduleId }: TestSpecification): number => {
      const at = LONGEST.findIndex((path) => moduleId.endsWith(path));
      return at < 0 ? LONGEST.length : at;
    };
    const projectOf = ({ project }: TestSpecification): number => this.ctx.projects.indexOf(project);
    return (await super.sort(files)).sort((a, b) => projectOf(a) - projectOf(b) || rankOf(a) - rankOf(b));
  }
}

export default defineConfig({
  test: {
    // Once for the run, not for each project: what it starts is shared by all of them.
    globalSetup: ["test/support/global-setup.ts"],
    // A third one works while others wait for a lock, a deadline or a server.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    projects: [
      { resolve, test: { ...shared, name: "on one Node", include: ON_ONE_NODE } },
      ...Object.entries(COMBINATIONS).map(([name, combination]) => ({
        resolve,
        test: {
          ...shared,
          name: `api: ${name}`,
          include: [API],
          exclude: [...EXCLUDED[name as keyof typeof COMBINATIONS], ...OUR_OWN_RULES],
          provide: { combination },
        },
      })),
      {
        resolve,
        test: {
          ...shared,
          name: "api: edge",
          include: edgeTests,
          provide: { combination: { database: "mariadb", store: "s3", edge: true } },
        },
      },
      {
        resolve,
        test: {
          ...shared,
          name: "all but the API",
          include: ["test/**/*.test.ts"],
          exclude: [API, ...ON_ONE_NODE, ...OUR_OWN_RULES],
        },
      },
    ],
  },
});
