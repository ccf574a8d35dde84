import type { UserRole } from "./model.js";

/** Who acts. `id` is the user's public id. A service acts with every right of an administrator. */
export type Actor =
  | { kind: "anonymous" }
  | { kind: "user"; id: string; role: UserRole; verified: boolean }
  | { kind: "service" };

/** How services are named beside users' public ids, none of which can begin like this. */
export const SERVICE_PRINCIPAL = "@service";

export const ANONYMOUS: Actor = { kind: "anonymous" };

export const isAdministrator = (actor: Actor): boolean =>
  actor.kind === "service" || (actor.kind === "user" && actor.role === "admin");

export const isModerator = (actor: Actor): boolean =>
  isAdministrator(actor) || (actor.kind === "user" && actor.role === "moderator");

/** Public id of the acting user; null for a service or a stranger. */
export const actorUserId = (actor: Actor): string | null => (actor.kind === "user" ? actor.id : null);
