import { authRouter, usersRouter } from "./accounts.js";
import { entitiesRouter } from "./entities.js";
import { mediaRouter } from "./media.js";
import { moderationRouter } from "./moderation.js";
import { analyticsRouter, healthRouter } from "./operations.js";
import { permissionsRouter } from "./permissions.js";
import { router } from "./trpc.js";
import { uploadsRouter } from "./uploads.js";

/** By name, so that the declaration of the whole refers to theirs: written out it is longer than the compiler allows. */
type Groups = {
  media: typeof mediaRouter;
  uploads: typeof uploadsRouter;
  permissions: typeof permissionsRouter;
  entities: typeof entitiesRouter;
  auth: typeof authRouter;
  users: typeof usersRouter;
  moderation: typeof moderationRouter;
  analytics: typeof analyticsRouter;
  health: typeof healthRouter;
};

/** Every procedure, one line a group. REST, OpenAPI and the client's types are derived from it. */
export const appRouter: ReturnType<typeof router<Groups>> = router({
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
