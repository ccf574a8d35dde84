import type { Hono } from "hono";
import { createApi } from "./api.js";
import { apiPageRoutes } from "./api-page.js";
import type { AppDeps, AppEnv } from "./app-env.js";
import { batchUploadRoute } from "./batch-upload.js";
import { consoleRoutes } from "./console.js";
import { directPutRoute } from "./direct-put.js";
import { fileRoutes } from "./files.js";
import { metricsRoute } from "./health.js";
import { imageRoute } from "./image.js";
import { uploadRoutes } from "./uploads.js";

/** The whole HTTP surface, as Node serves it. */
export const createApp = (app: AppDeps): Hono<AppEnv> =>
  createApi(app, {
    open: [metricsRoute(app), fileRoutes(app), consoleRoutes(app), apiPageRoutes(app), directPutRoute(app)],
    known: [imageRoute(app), uploadRoutes(app), batchUploadRoute(app)],
  });
