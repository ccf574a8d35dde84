import { Hono, type MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import { MediaError } from "../media/errors.js";
import type { ApiDeps, AppContext, AppEnv } from "./app-env.js";
import { errorResponse } from "./error-response.js";
import { healthRoutes } from "./health.js";
import { openApiRoute } from "./openapi.js";
import { rateLimit } from "./rate-limit.js";
import { requestLog } from "./request-log.js";
import { restRoutes } from "./rest.js";
import { sessions } from "./session.js";
import { trpcRoutes } from "./trpc.js";

/** Routes of one runtime alone. `open` ask for no session; `known` stand below /v1 and know their caller. */
export type RuntimeRoutes = { open: readonly Hono<AppEnv>[]; known: readonly Hono<AppEnv>[] };

/** The HTTP surface of any runtime. Files and health need no session; everything below /v1 and /trpc knows its caller. */
export function createApi(app: ApiDeps, { open, known }: RuntimeRoutes): Hono<AppEnv> {
  const http = new Hono<AppEnv>();
  http.use(requestLog(app.deps));
  http.use(neverSniffed);
  http.use(crossOrigin(app));
  for (const routes of [healthRoutes(app), ...open, openApiRoute(app)]) http.route("/", routes);
  const limited = rateLimit(app); // one for both: the limit is the caller's, not the protocol's
  for (const path of ["/v1/*", "/trpc/*"]) http.use(path, sessions(app), limited);
  for (const routes of [...known, restRoutes(app), trpcRoutes(app)]) http.route("/", routes);
  http.notFound((c) => errorResponse(c, notFound(http, c)));
  http.onError((error, c) => errorResponse(c, error));
  return http;
}

/** What a client sent comes back inside JSON; no browser may take that for a page. */
const neverSniffed: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  c.res.headers.set("X-Content-Type-Options", "nosniff");
};

/** Browsers of other sites may call where the configuration names them; files anyone may show. */
function crossOrigin({ corsOrigins }: ApiDeps) {
  return cors({
    origin: (origin) => (corsOrigins.includes(origin) ? origin : null),
    credentials: true,
    allowHeaders: ["Authorization", "Content-Type", "Idempotency-Key", "X-Request-Id", "trpc-accept"],
    exposeHeaders: ["X-Request-Id", "Retry-After", "Idempotent-Replay", "Location", "ETag", "Content-Range"],
    maxAge: 600,
  });
}

/** 405 where the address exists for other methods only, 404 where it does not or its handler found nothing. */
function notFound(http: Hono<AppEnv>, c: AppContext): MediaError {
  const methods = http.routes
    .filter(({ method, path }) => method !== "ALL" && toPattern(path).test(c.req.path))
    .map(({ method }) => method);
  const asked = c.req.method === "HEAD" ? "GET" : c.req.method;
  if (methods.length === 0 || methods.includes(asked))
    return new MediaError({ code: "NOT_FOUND", what: "such address" });
  return new MediaError({ code: "METHOD_NOT_ALLOWED", allowed: [...new Set(methods)].sort() });
}

/** A route of this application as a pattern: `:name` and `:name{regex}` stand for a segment, `*` for the rest. */
function toPattern(path: string): RegExp {
  const segments = path.split("/").map((segment) => {
    if (segment === "*") return ".*";
    const parameter = /^:\w+(?:\{(.+)\})?$/.exec(segment);
    return parameter ? (parameter[1] ?? "[^/]+") : segment.replaceAll(".", "\\.");
  });
  return new RegExp(`^${segments.join("/")}$`);
}
