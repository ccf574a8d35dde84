import { Hono } from "hono";
import type { AppDeps, AppEnv } from "./app-env.js";
import { negotiate } from "./negotiate.js";
import { findRequestedFile } from "./requested-file.js";
import { sendFile } from "./send-file.js";

/**
 * The bytes of originals and variants. The type is what was found in the bytes; with nosniff and a sandbox nothing
 * that is served can run in a browser. A variant stored as JPEG comes in the type that the caller likes best.
 */
export function fileRoutes(app: AppDeps): Hono<AppEnv> {
  return new Hono<AppEnv>().get("/files/*", async (c) => {
    const file = await findRequestedFile(app.deps, c);
    return sendFile(app, c, await negotiate(app.renditions, c, file));
  });
}
