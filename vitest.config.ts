import { defineConfig } from "vitest/config";
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
const INDEPENDENT = ["hostile-memory", "rate-limit", "slow-client", "start"].map((name) => `test/api/${name}.test.ts`);

const shared = { testTimeout: 30_000, hookTimeout: 120_000, pool: "forks" } as const;

export default defineConfig({
  test: {
    // Once for the run, not for each project: what it starts is shared by all of them.
    globalSetup: ["test/support/global-setup.ts"],
    maxWorkers: 2,
    projects: [
      { test: { ...shared, name: "all but the API", include: ["test/**/*.test.ts"], exclude: [API] } },
      ...Object.entries(COMBINATIONS).map(([name, combination], at) => ({
        test: {
          ...shared,
          name: `api: ${name}`,
          include: [API],
          exclude: at === 0 ? [] : INDEPENDENT,
          provide: { combination },
        },
      })),
    ],
  },
});
