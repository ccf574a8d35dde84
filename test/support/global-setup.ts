import { execFile } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { TestProject } from "vitest/node";
import type { MariadbOfRun } from "./mariadb.js";
import { startMariadb } from "./mariadb-server.js";
import { makeTemplate } from "./mariadb-template.js";
import { type S3Server, startRadosgw } from "./radosgw-server.js";

declare module "vitest" {
  interface ProvidedContext {
    /** Answers the `MariadbOfRun` as JSON; it starts at the first question; see `mariadb.ts`. */
    mariadbStarter: string;
    /** Answers the `S3Server` of the run as JSON; it starts at the first question; see `s3.ts`. */
    radosgwStarter: string;
  }
}

const BUILDER = fileURLToPath(new URL("../../scripts/build.mjs", import.meta.url));

/**
 * What is built is what the sources say, whatever was run before. Then one server of a kind a run, for those runs alone
 * that ask for it: the test files live in other processes, so they ask over HTTP. Ends with the run.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await promisify(execFile)(process.execPath, [BUILDER]);
  const mariadb = await createStarter(startMariadbOfRun, ({ url, template }) =>
    JSON.stringify({ url, template } satisfies MariadbOfRun),
  );
  const radosgw = await createStarter(startRadosgw, ({ endpoint, accessKeyId, secretAccessKey }) =>
    JSON.stringify({ endpoint, accessKeyId, secretAccessKey } satisfies S3Server),
  );
  project.provide("mariadbStarter", mariadb.url);
  project.provide("radosgwStarter", radosgw.url);
  return async () => {
    await Promise.all([mariadb.stop(), radosgw.stop()]);
  };
}

async function startMariadbOfRun() {
  const server = await startMariadb();
  try {
    return { ...server, template: await makeTemplate(server.url) };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

type Starter = { url: string; stop(): Promise<void> };

async function createStarter<S extends { stop(): Promise<void> }>(
  start: () => Promise<S>,
  describe: (server: S) => string,
): Promise<Starter> {
  let server: Promise<S> | undefined;
  const starter = createServer((_request, response) => {
    server ??= start();
    server.then(
      (running) => response.end(describe(running)),
      (error: unknown) => response.writeHead(500).end(error instanceof Error ? error.message : String(error)),
    );
  });
  await new Promise<void>((listening) => starter.listen(0, "127.0.0.1", listening));
  return {
    url: `http://127.0.0.1:${(starter.address() as AddressInfo).port}`,
    async stop() {
      starter.closeAllConnections();
      starter.close();
      // A start that failed was told to those who asked; there is nothing to stop.
      const running = await server?.catch(() => undefined);
      await running?.stop();
    },
  };
}
