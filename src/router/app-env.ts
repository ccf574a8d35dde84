import type { Context } from "hono";
import type { AccountDeps } from "../accounts/ports.js";
import type { RateLimits } from "../accounts/rate-limits.js";
import type { Actor } from "../media/actor.js";
import type { Deps, ServiceDeps } from "../media/ports.js";
import type { Renditions } from "../media/renditions.js";
import type { Uploads } from "../procedures/trpc.js";

/** What a request carries from the middleware to its handler. */
export type AppEnv = {
  Variables: { requestId: string; actor: Actor; sessionToken: string | null };
};
export type AppContext = Context<AppEnv>;

export type Asset = { contentType: string; body: Uint8Array };
/** Files of a web page, by name. */
export type Assets = ReadonlyMap<string, Asset>;

/** What the routes need that every runtime has. */
export type ApiDeps = {
  deps: ServiceDeps;
  accounts: AccountDeps;
  uploads: Uploads;
  /** Origins other than the server's own that browsers may call from. */
  corsOrigins: readonly string[];
  version: string;
  /** Where calls are counted: in this process, or where several servers share the counts. */
  rateLimits: RateLimits;
  /** Base of a server that does what this runtime does not; null where none is known, absent where nothing is missing. */
  elsewhere?: string | null;
  /** Calls a minute and caller; null for no limit. */
  rateLimitPerMinute: number | null;
  /** The network address a request came from. */
  addressOf(c: AppContext): string;
  /** How long a request's body may make no progress. */
  bodyIdleMs: number;
  /** True once the server was told to stop: it is alive but not ready. */
  isDraining(): boolean;
};

/** And what is on Node alone: files that come in and go out through the process, its pages and its metrics. */
export type AppDeps = ApiDeps & {
  deps: Deps;
  /** Pictures made on demand. */
  renditions: Renditions;
  /** What is below `/console`. */
  assets: Assets;
  /** What `/docs` takes of its package. */
  apiPageAssets: Assets;
  /** Ends the connection of a request whose answer cannot be finished. */
  breakOff(c: AppContext): void;
  /** In Prometheus' text exposition format. */
  renderMetrics(): Promise<{ contentType: string; body: string }>;
};
