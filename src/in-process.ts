import { compose } from "./compose.js";
import type { Config } from "./config.js";
import type { Actor } from "./media/actor.js";
import { type Caller, createCallerFor } from "./procedures/in-process.js";

/** What a tool on the server's machine works with instead of HTTP. */
export type InProcess = {
  /**
   * The procedures as this actor may call them: `{ kind: "service" }` may everything, `{ kind: "token", name, scopes }`
   * what its scopes grant.
   */
  as(actor: Actor): Caller;
  close(): Promise<void>;
};

/**
 * Opens the database and the stores of a configuration for a tool of its own process, beside running servers or without
 * one. Migrates the database, and looks after what dead processes left as a server does. Multipart uploads are not
 * procedures: they stay with HTTP.
 */
export async function openInProcess(config: Config): Promise<InProcess> {
  const { app, startUpkeep, close } = await compose(config, {
    baseUrl: config.BASE_URL ?? `http://localhost:${config.PORT}`,
    isDraining: () => false,
    addressOf: () => "in-process",
    breakOff: () => undefined,
  });
  await startUpkeep();
  return { as: (actor) => createCallerFor(app, actor), close };
}
