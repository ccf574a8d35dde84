import type { Context } from "hono";
import type { AccountDeps } from "../accounts/ports.js";
import type { Actor } from "../media/actor.js";
import type { Deps } from "../media/ports.js";

/** What a request carries from the middleware to its handler. */
export type AppEnv = {
  Variables: { requestId: string; actor: Actor; sessionToken: string | null };
};
export type AppContext = Context<AppEnv>;

export type Asset = { contentType: string; body: Uint8Array };
/** Files of a web page, by name. */
export type Assets = ReadonlyMap<string, Asset>;

export type AppDeps = {
  deps: Deps;
  accounts: AccountDeps;
  /** What is below `/console`. */
  assets: Assets;
  /** What `/docs` takes of its package. */
  apiPageAssets: Assets;
  /** Origins other than the server's own that browsers may call from. */
  corsOrigins: readonly string[];
  version: string;
  /** Calls a minute and caller; null for no limit. */
  rateLimitPerMinute: number | null;
  /** The network address a request came from. */
  addressOf(c: AppContext): string;
  /** Ends the connection of a request whose answer cannot be finished. */
  breakOff(c: AppContext): void;
  /** How long a request's body may make no progress. */
  bodyIdleMs: number;
  /** True once the server was told to stop: it is alive but not ready. */
  isDraining(): boolean;
};
