import { Hono } from "hono";
import { etag } from "hono/etag";
import type { AppDeps, AppEnv } from "./app-env.js";

/** Addresses are relative, so that the page works below any path a proxy puts the server at. */
const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Artitec Media: API</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="docs/swagger-ui.css">
  </head>
  <body>
    <div id="api"></div>
    <script src="docs/swagger-ui-bundle.js"></script>
    <script src="docs/start.js"></script>
  </body>
</html>
`;

/** `validatorUrl: null`: the default sends the description's address to a server of the package's makers. */
const START = `SwaggerUIBundle({
  url: new URL("openapi.json", location.href).href,
  dom_id: "#api",
  deepLinking: true,
  docExpansion: "list",
  validatorUrl: null,
});
`;

const UTF_8 = new TextEncoder();
const OWN_FILES = {
  "start.js": { contentType: "text/javascript; charset=utf-8", body: UTF_8.encode(START) },
};

/**
 * No script or style that stands in the page itself, and no host but this one; calls made from the page go where the
 * description says the server is. The package's icons are data URLs.
 */
const policyFor = (baseUrl: string): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    `connect-src 'self' ${new URL(baseUrl).origin}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");

type Needed = Pick<AppDeps, "apiPageAssets"> & { deps: { urls: Pick<AppDeps["deps"]["urls"], "baseUrl"> } };

/** `/docs`: every HTTP address to read and to try, from `/openapi.json`. Browsers ask again each time, and get a 304. */
export function apiPageRoutes({ apiPageAssets, deps }: Needed): Hono<AppEnv> {
  const files = new Map([...apiPageAssets, ...Object.entries(OWN_FILES)]);
  const headers = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": policyFor(deps.urls.baseUrl),
    "Referrer-Policy": "same-origin",
  };
  const routes = new Hono<AppEnv>();
  for (const path of ["/docs", "/docs/*"]) routes.use(path, etag());
  return routes
    .get("/docs", (c) => c.html(PAGE, 200, headers))
    .get("/docs/", (c) => c.redirect("../docs"))
    .get("/docs/:file", (c) => {
      const file = files.get(c.req.param("file"));
      if (!file) return c.notFound();
      return c.body(new Uint8Array(file.body), 200, { ...headers, "Content-Type": file.contentType });
    });
}
