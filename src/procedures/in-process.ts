import type { Actor } from "../media/actor.js";
import { MediaError } from "../media/errors.js";
import { toFailure } from "./error-map.js";
import { appRouter } from "./index.js";
import { createCallerFactory, type ProcedureContext } from "./trpc.js";

const createCaller = createCallerFactory(appRouter);

/** Every procedure as a typed function: `caller.media.list({ type, id })`. */
export type Caller = ReturnType<typeof createCaller>;

const NO_BROWSER: ProcedureContext["cookie"] = { set: () => undefined, clear: () => undefined };

/**
 * The procedures as one actor calls them without HTTP: the same inputs, rights and answers. Whatever goes wrong rejects
 * with MediaError; what nobody foresaw is INTERNAL and holds what was thrown as its cause. There is neither a rate limit
 * nor a session: `auth.logout` ends none.
 */
export function createCallerFor(
  parts: Pick<ProcedureContext, "deps" | "accounts" | "uploads" | "isDraining">,
  actor: Actor,
): Caller {
  const context = { ...parts, actor, sessionToken: null, cookie: NO_BROWSER, requestId: "in-process" };
  return createCaller(context, {
    onError: ({ error }) => {
      if (error.cause instanceof MediaError) throw error.cause;
      throw new MediaError(toFailure(error), { cause: error.cause ?? error });
    },
  });
}
