import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { type Composition, compose } from "./compose.js";
import type { Config } from "./config.js";
import { createApp } from "./router/app.js";

export type RunningServer = {
  /** Where it can be reached, without a slash at the end. */
  baseUrl: string;
  /** Takes nothing new, finishes what runs, and lets everything go. Rejects when requests outlast the grace period. */
  stop(): Promise<void>;
};

/** How long requests under way may take to finish once the server was told to stop. */
const GRACE_MS = 30_000;

/** Binds the port first, so that an address in use is known before anything is opened, then serves. */
export async function startServer(config: Config): Promise<RunningServer> {
  const { http, serve } = createGatedServer();
  const port = await listen(http, config);
  const baseUrl = config.BASE_URL ?? `http://localhost:${port}`;
  const state = { draining: false };
  try {
    const composition = await compose(config, { baseUrl, isDraining: () => state.draining });
    const app = createApp(composition.app);
    await composition.startUpkeep();
    // Node itself discards a body nobody asked for; the body readers discard what they refused.
    const listener = getRequestListener(app.fetch, { autoCleanupIncoming: false });
    serve((request, response) => void listener(request, response));
    return { baseUrl, stop: () => stop(http, composition, state) };
  } catch (error) {
    http.close();
    throw error;
  }
}

/** A server whose requests wait until there is something to serve them. */
function createGatedServer(): { http: Server; serve(listener: RequestListener): void } {
  let serve: (listener: RequestListener) => void = () => undefined;
  const ready = new Promise<RequestListener>((resolve) => {
    serve = resolve;
  });
  const http = createServer((request, response) => void ready.then((listener) => listener(request, response)));
  return { http, serve: (listener) => serve(listener) };
}

function listen(http: Server, { PORT, HOST }: Config): Promise<number> {
  return new Promise((resolve, reject) => {
    http.once("error", reject);
    http.listen(PORT, HOST, () => resolve((http.address() as AddressInfo).port));
  });
}

async function stop(http: Server, composition: Composition, state: { draining: boolean }): Promise<void> {
  state.draining = true;
  const closed = new Promise<void>((resolve) => http.close(() => resolve()));
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`requests were still running after ${GRACE_MS} ms`)), GRACE_MS);
  });
  try {
    await Promise.race([closed, late]);
  } finally {
    clearTimeout(timer);
    http.closeAllConnections();
    await composition.close();
  }
}
