import { Hono } from "hono";
import type { AppDeps, AppEnv } from "./app-env.js";

/** The page runs its own script and style and shows pictures of this server or its CDN; it talks to nobody else. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src * data: blob:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/** The web page: a gallery to look at, upload to and try the API with. */
export function consoleRoutes({ assets }: AppDeps): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .get("/", (c) => c.redirect("/console/"))
    .get("/console", (c) => c.redirect(`/console/${new URL(c.req.url).search}`))
    .get("/console/:file{[^/]*}", (c) => {
      const asset = assets.get(c.req.param("file") || "index.html");
      if (!asset) return c.notFound();
      return c.body(new Uint8Array(asset.body), 200, {
        "Content-Type": asset.contentType,
        "Cache-Control": "no-cache",
        "Content-Security-Policy": PAGE_POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
      });
    });
}
