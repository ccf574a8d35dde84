import { authRouter, usersRouter } from "./accounts.js";
import { entitiesRouter } from "./entities.js";
import { mediaRouter } from "./media.js";
import { moderationRouter } from "./moderation.js";
import { analyticsRouter, healthRouter } from "./operations.js";
import { permissionsRouter } from "./permissions.js";
import { createCallerFactory, router } from "./trpc.js";
import { uploadsRouter } from "./uploads.js";

/** Every procedure, one line a group. REST, OpenAPI and the client's types are derived from it. */
export const appRouter = router({
  media: mediaRouter,
  uploads: uploadsRouter,
  permissions: permissionsRouter,
  entities: entitiesRouter,
  auth: authRouter,
  users: usersRouter,
  moderation: moderationRouter,
  analytics: analyticsRouter,
  health: healthRouter,
});

/** The procedures without a transport. Tools take `openInProcess` of `src/in-process.ts`, which makes the context. */
export const createCaller = createCallerFactory(appRouter);
