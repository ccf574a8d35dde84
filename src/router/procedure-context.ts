import type { ProcedureContext } from "../procedures/trpc.js";
import type { ApiDeps, AppContext } from "./app-env.js";
import { sessionCookie } from "./session.js";

/** What a procedure sees of an HTTP request. */
export const procedureContext = (app: ApiDeps, c: AppContext): ProcedureContext => ({
  actor: c.get("actor"),
  sessionToken: c.get("sessionToken"),
  cookie: sessionCookie(app, c),
  requestId: c.get("requestId"),
  deps: app.deps,
  accounts: app.accounts,
  uploads: app.uploads,
  isDraining: app.isDraining,
});
