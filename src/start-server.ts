import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import { getConnInfo } from "@hono/node-server/conninfo";
import { compose, type Decorate } from "./compose.js";
import type { Config } from "./config.js";
import { openRateLimits } from "./limits/open-rate-limits.js";
import { createApp } from "./router/app.js";
import type { AppDeps } from "./router/app-env.js";

export type RunningServer = {
  /** Where it can be reached, without a slash at the end. */
  baseUrl: string;
  /** Takes nothing new, finishes what runs, and lets everything go. Rejects when requests outlast the grace period. */
  stop(): Promise<void>;
};

/** How long requests under way may take to finish once the server was told to stop. */
const GRACE_MS = 30_000;
const CLOSE_IDLE_MS = 100;

/** Longer than the usual 60 s of load balancers, which must be the side that closes. */
const KEEP_ALIVE_MS = 65_000;
const MAX_HEADER_BYTES = 16 * 1024;

/**
 * Binds the port first, so that an address in use is known before anything is opened, then serves. `decorate` may put
 * something around the parts, for tools that watch or disturb them.
 */
export async function startServer(config: Config, { decorate }: { decorate?: Decorate } = {}): Promise<RunningServer> {
  const { http, serve } = createGatedServer(config);
  const port = await listen(http, config);
  const baseUrl = config.BASE_URL ?? `http://localhost:${port}`;
  const state = { draining: false };
  try {
    const breakOff: AppDeps["breakOff"] = (c) => void (c.env as HttpBindings).outgoing.destroy();
    const server = { baseUrl, isDraining: () => state.draining, addressOf: addressReader(config), breakOff };
    const composition = await compose(config, server, decorate);
    const limits = await openRateLimits(config.REDIS_URL, composition.app.deps);
    const app = createApp({ ...composition.app, rateLimits: limits.rateLimits });
    await composition.startUpkeep();
    // Node itself discards a body nobody asked for; the body readers discard what they refused.
    const listener = getRequestListener(app.fetch, { autoCleanupIncoming: false });
    serve((request, response) => void listener(request, response));
    const close = async () => {
      limits.close();
      await composition.close();
    };
    return { baseUrl, stop: () => stop(http, close, state) };
  } catch (error) {
    http.close();
    throw error;
  }
}

/** A server whose requests wait until there is something to serve them. */
function createGatedServer({ REQUEST_IDLE_SECONDS }: Config): { http: Server; serve(listener: RequestListener): void } {
  let serve: (listener: RequestListener) => void = () => undefined;
  const ready = new Promise<RequestListener>((resolve) => {
    serve = resolve;
  });
  const idleMs = REQUEST_IDLE_SECONDS * 1000;
  const timeouts = { headersTimeout: idleMs, requestTimeout: 0, keepAliveTimeout: KEEP_ALIVE_MS };
  const options = { ...timeouts, connectionsCheckingInterval: 1000, maxHeaderSize: MAX_HEADER_BYTES };
  const http = createServer(options, (request, response) => {
    request.socket.setTimeout(idleMs);
    response.on("timeout", endStalledReader);
    void ready.then((listener) => listener(request, response));
  });
  return { http, serve: (listener) => serve(listener) };
}

/**
 * On this connection nothing has moved for a while: the client takes none of its answer, or it waits for one that is
 * still being made. Bodies that stand still are ended by their readers, which say so.
 */
function endStalledReader(socket: Socket): void {
  if (socket.writableLength > 0) socket.destroy();
}

/** The peer's address, or behind a trusted proxy the one it names last, which is the one it saw itself. */
function addressReader({ TRUST_PROXY }: Config): AppDeps["addressOf"] {
  return (c) => {
    const forwarded = TRUST_PROXY ? c.req.header("x-forwarded-for")?.split(",").at(-1)?.trim() : undefined;
    return forwarded || (getConnInfo(c).remote.address ?? "unknown");
  };
}

function listen(http: Server, { PORT, HOST }: Config): Promise<number> {
  return new Promise((resolve, reject) => {
    http.once("error", reject);
    http.listen(PORT, HOST, () => resolve((http.address() as AddressInfo).port));
  });
}

async function stop(http: Server, close: () => Promise<void>, state: { draining: boolean }): Promise<void> {
  state.draining = true;
  const closed = new Promise<void>((resolve) => http.close(() => resolve()));
  // `close` ends the connections that are idle now; those that still finish an answer would be kept alive after it.
  const closingIdle = setInterval(() => http.closeIdleConnections(), CLOSE_IDLE_MS);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`requests were still running after ${GRACE_MS} ms`)), GRACE_MS);
  });
  try {
    await Promise.race([closed, late]);
  } finally {
    clearInterval(closingIdle);
    clearTimeout(timer);
    http.closeAllConnections();
    await close();
  }
}
