import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestProject } from "vitest/node";
import { type MariadbServer, startMariadb } from "./mariadb-server.js";

declare module "vitest" {
  interface ProvidedContext {
    /** Answers the URL of the run's MariaDB, which the first question starts; see `mariadb.ts`. */
    mariadbStarter: string;
  }
}

/**
 * One MariaDB a run, for those runs alone that ask for it: the test files live in other processes, so they ask over
 * HTTP. Ends with the run.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let server: Promise<MariadbServer> | undefined;
  const starter = createServer((_request, response) => {
    server ??= startMariadb();
    server.then(
      ({ url }) => response.end(url),
      (error: unknown) => response.writeHead(500).end(error instanceof Error ? error.message : String(error)),
    );
  });
  await new Promise<void>((listening) => starter.listen(0, "127.0.0.1", listening));
  project.provide("mariadbStarter", `http://127.0.0.1:${(starter.address() as AddressInfo).port}`);
  return async () => {
    starter.closeAllConnections();
    starter.close();
    // A start that failed was told to those who asked; there is nothing to stop.
    const running = await server?.catch(() => undefined);
    await running?.stop();
  };
}
