import { initTRPC } from "@trpc/server";
import type { ZodType } from "zod";
import type { AccountDeps, Session } from "../accounts/ports.js";
import { requireAdministrator, requireModerator, requireOverseer, requirePrincipal } from "../media/access.js";
import type { Actor } from "../media/actor.js";
import { describeFailure, MediaError } from "../media/errors.js";
import type { ServiceDeps } from "../media/ports.js";
import type { Uploaded } from "../media/upload-request.js";
import { ERROR_MAP, toFailure, toTrpcError } from "./error-map.js";

/** The browser behind a call, for the two procedures that set or clear the session cookie. */
export type SessionCookie = { set(session: Session): void; clear(): void };

/** What needs pixels, and with them a machine of its own: not every place that answers calls has one. */
export type Uploads = {
  /** As `completeDirectUpload`. */
  complete(actor: Actor, uploadId: string): Promise<Uploaded>;
};

/** What a procedure may use: ports only, so that no server type reaches the client package. */
export type ProcedureContext = {
  actor: Actor;
  /** The session token the call came with; null for services and strangers. */
  sessionToken: string | null;
  cookie: SessionCookie;
  requestId: string;
  deps: ServiceDeps;
  accounts: AccountDeps;
  uploads: Uploads;
  /** True once what serves the call was told to stop: what lasts ends itself. */
  isDraining(): boolean;
};

/**
 * Who may call at all. `public`: everyone, the domain filters what is seen. `signed-in`: any principal. `manager`: a
 * principal; the domain asks for the right on the entity. `overseer`: moderators, and tokens that read. `moderator` and
 * `service` (which includes admins) as named.
 */
export type CallAudience = "public" | "signed-in" | "manager" | "overseer" | "moderator" | "service";

/** An address of plain HTTP for the same procedure. Names in braces are inputs; the rest come from query or body. */
export type RestRoute = {
  method: "GET" | "PUT" | "POST" | "PATCH" | "DELETE";
  path: `/v1/${string}`;
  /** The input a bare JSON array stands for. */
  arrayInput?: string;
};

export type ProcedureMeta = {
  audience: CallAudience;
  summary: string;
  rest?: readonly RestRoute[];
  /** What each event of a subscription carries; tRPC keeps schemas of answers alone. */
  events?: ZodType;
};

/** Proxies cut connections that are silent for a minute, some sooner. */
const HEARTBEAT_MS = 15_000;
/** A client that hears nothing for so long connects anew. */
const RECONNECT_MS = 45_000;
/** The longest a stream lasts; its client comes back with what it saw last. */
const STREAM_MS = 10 * 60_000;

const t = initTRPC
  .context<ProcedureContext>()
  .meta<ProcedureMeta>()
  .create({
    sse: {
      ping: { enabled: true, intervalMs: HEARTBEAT_MS },
      maxDurationMs: STREAM_MS,
      client: { reconnectAfterInactivityMs: RECONNECT_MS },
    },
    errorFormatter: ({ shape, error, ctx, path }) => {
      const failure = toFailure(error);
      const { code, ...details } = failure;
      return {
        code: shape.code,
        message: describeFailure(failure),
        data: { ...details, code, httpStatus: ERROR_MAP[code].status, path, requestId: ctx?.requestId ?? null },
      };
    },
  });

export const { router, createCallerFactory } = t;

const ADMIT: Record<CallAudience, (actor: Actor) => void> = {
  public: () => undefined,
  "signed-in": requirePrincipal,
  manager: requirePrincipal,
  overseer: requireOverseer,
  moderator: requireModerator,
  service: (actor) => requireAdministrator(actor, "administer"),
};

/** Turns domain failures into tRPC's own errors, so that batches and HTTP carry the right status. */
const mapFailures = t.middleware(async ({ next }) => {
  const result = await next();
  if (!result.ok && result.error.cause instanceof MediaError) throw toTrpcError(result.error.cause);
  return result;
});

const admit = t.middleware(({ ctx, meta, next }) => {
  if (!meta) throw new Error("A procedure states its audience.");
  ADMIT[meta.audience](ctx.actor);
  return next();
});

/** Every procedure starts here and states who may call it and where it stands in plain HTTP. */
export const procedure = (meta: ProcedureMeta) => t.procedure.meta(meta).use(mapFailures).use(admit);
