import { Hono } from "hono";
import type { AppDeps, AppEnv } from "./app-env.js";
import { findImage } from "./image-answer.js";
import { IMAGE_PATH } from "./image-path.js";
import { sendFile } from "./send-file.js";

/** Pictures by size, crop and type. */
export function imageRoute(app: AppDeps): Hono<AppEnv> {
  return new Hono<AppEnv>().get(IMAGE_PATH, async (c) => sendFile(app, c, await findImage(app, c)));
}
