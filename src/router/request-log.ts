import type { MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import type { ServiceDeps } from "../media/ports.js";
import type { AppEnv } from "./app-env.js";

/** What a client may send as its own request id: enough for a UUID or a trace id, nothing a log could choke on. */
const REQUEST_ID = /^[A-Za-z0-9_-]{8,64}$/;

/** Gives each request an id, sends it back, and writes one line and one metric when the answer is known. */
export function requestLog({ log, metrics }: Pick<ServiceDeps, "log" | "metrics">): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const sent = c.req.header("x-request-id");
    const requestId = sent && REQUEST_ID.test(sent) ? sent : crypto.randomUUID();
    c.set("requestId", requestId);
    c.header("X-Request-Id", requestId);
    const started = performance.now();
    await next();
    const seconds = (performance.now() - started) / 1000;
    const { method, path } = c.req;
    const { status } = c.res;
    metrics.requestFinished({ method, route: routePath(c, -1), status, seconds });
    const fields = { requestId, method, path, status, ms: Math.round(seconds * 1000) };
    if (status >= 500) log.error({ ...fields, err: c.error }, "request failed");
    else log.info(fields, "request");
  };
}
