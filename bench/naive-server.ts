/**
 * The rival: an HTTP server as one writes it in an afternoon. busboy puts the file to disk, `naiveJob` makes the
 * variants in this very process, with sharp as it comes; no rights, no database, no digests, no clearing up.
 * `node naive-server.ts FOLDER`
 */
import { randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { Busboy } from "@fastify/busboy";
import { naiveJob } from "./naive-job.js";

const folder = process.argv[2] ?? "";

async function store(request: IncomingMessage): Promise<unknown> {
  const item = join(folder, randomUUID());
  await mkdir(item);
  const path = join(item, "original");
  const parser = new Busboy({ headers: { ...request.headers, "content-type": request.headers["content-type"] ?? "" } });
  const files: Promise<void>[] = [];
  parser.on("file", (_name, stream) => files.push(pipeline(stream, createWriteStream(path))));
  await pipeline(request, parser);
  await Promise.all(files);
  return naiveJob(path, join(item, "variants"));
}

const server = createServer((request, response) => {
  store(request).then(
    (answer) => response.writeHead(201, { "content-type": "application/json" }).end(JSON.stringify(answer)),
    (error: unknown) => response.writeHead(500).end(String(error)),
  );
});
server.listen(0, "127.0.0.1", () => {
  console.log(`listens on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
process.on("SIGTERM", () => process.exit(0));
