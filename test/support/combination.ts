import { inject } from "vitest";

/** What the server under test keeps its facts and its bytes in. */
export type Combination = {
  readonly database: "sqlite" | "mariadb";
  readonly store: "local" | "s3";
  /** Whether the worker answers all it can, in front of a server that takes the uploads. */
  readonly edge?: true;
};

declare module "vitest" {
  interface ProvidedContext {
    /** Given by the projects that run the same tests over several combinations; see `vitest.config.ts`. */
    combination?: Combination;
  }
}

const EMBEDDED: Combination = { database: "sqlite", store: "local" };

/** The combination this run of a test file is about; the embedded default where it is about none. */
export const currentCombination = (): Combination => inject("combination") ?? EMBEDDED;
