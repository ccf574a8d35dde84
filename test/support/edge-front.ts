import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";
import { EDGE_CONFIG_VARIABLES } from "../../src/edge-config.js";
import { freePort } from "./free-port.js";
import { startWorkerd, type WorkerdServer } from "./workerd-server.js";

/** What a worker does not answer: uploads, pages and metrics. */
const ON_NODE = /^\/(?:$|metrics|docs|console)|^\/v1\/media\/(?:upload|batch\/upload|[a-z-]+\/[^/]+\/.+)$/;
const isOnNode = ({ method = "GET", url = "/" }: IncomingMessage): boolean => {
  const { pathname } = new URL(url, "http://front");
  if (pathname === "/trpc/uploads.complete") return true;
  return ON_NODE.test(pathname) && (method === "POST" ? isUpload(pathname) : !pathname.startsWith("/v1/"));
};
const isUpload = (pathname: string): boolean =>
  /\/(?:upload|avatar|cover|logo|photos|portfolio)$|\/posts\/[^/]+\/media$|^\/v1\/media\/direct\/[^/]+\/complete$/.test(
    pathname,
  );

/**
 * One address for both runtimes, as a platform has it: the worker answers all it can, and a server beside it, which is
 * started with `env`, the rest. `serve` starts the worker with that server's settings.
 */
export async function openEdgeFront() {
  const nodePort = await freePort();
  let edge: WorkerdServer | undefined;
  const front = createServer((incoming, outgoing) => {
    const target = isOnNode(incoming) ? `http://127.0.0.1:${nodePort}` : (edge?.baseUrl ?? "");
    forward(target, incoming, outgoing);
  });
  await new Promise<void>((listening) => front.listen(0, "127.0.0.1", listening));
  const baseUrl = `http://localhost:${(front.address() as AddressInfo).port}`;
  return {
    env: { PORT: String(nodePort), BASE_URL: baseUrl },
    async serve(settings: Readonly<Record<string, string>>) {
      edge = await startWorkerd({ env: { ...knownAtEdge(settings), UPLOAD_URL: `http://127.0.0.1:${nodePort}` } });
    },
    async stop() {
      front.close();
      front.closeAllConnections();
      await edge?.stop();
    },
  };
}

/** Of a server's settings, those a worker reads as well. */
export const knownAtEdge = (settings: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(settings).filter(([name]) => EDGE_CONFIG_VARIABLES.includes(name)));

function forward(target: string, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { method, headers, url } = incoming;
  const onward = request(`${target}${url}`, { method, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    void pipeline(answer, outgoing).catch(() => outgoing.destroy());
  });
  void pipeline(incoming, onward).catch(() => outgoing.destroy());
}
