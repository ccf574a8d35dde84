import { fetchRequestHandler } from "@trpc/server/adapters/fetch";
import { Hono } from "hono";
import { MediaError } from "../media/errors.js";
import { appRouter } from "../procedures/index.js";
import type { ApiDeps, AppEnv } from "./app-env.js";
import { procedureContext } from "./procedure-context.js";
import { readText } from "./request-body.js";

/** Calls in one request, which is one to the rate limit: more than a page needs, too few to be a load of its own. */
const MAX_BATCH = 50;

/** The tRPC endpoint: batching, plain JSON, no transformer. */
export function trpcRoutes(app: ApiDeps): Hono<AppEnv> {
  return new Hono<AppEnv>().all("/trpc/*", async (c) =>
    fetchRequestHandler({
      endpoint: "/trpc",
      req: await withBoundedBody(c.req.raw, app.bodyIdleMs),
      router: appRouter,
      maxBatchSize: MAX_BATCH,
      createContext: () => procedureContext(app, c),
      responseMeta: () => ({ headers: new Headers(c.res.headers) }),
      onError: ({ error, path }) => {
        if (error.cause instanceof MediaError || error.code !== "INTERNAL_SERVER_ERROR") return;
        app.deps.log.error({ requestId: c.get("requestId"), path, err: error.cause ?? error }, "procedure failed");
      },
    }),
  );
}

/** The same request with its body read, so that none larger than any call needs is ever held. */
async function withBoundedBody(request: Request, idleMs: number): Promise<Request> {
  const { url, method, headers, signal } = request;
  if (method !== "POST") return request;
  return new Request(url, { method, headers, signal, body: await readText(request, idleMs) });
}
