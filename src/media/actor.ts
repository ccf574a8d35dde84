import type { UserRole } from "./model.js";
import { RIGHTS_OF_ROLE, RIGHTS_OF_SCOPE, type Right, type Scope } from "./rights.js";

/**
 * Who acts. `id` is the user's public id. A service acts with every right of an administrator; a token, one of the named
 * ones, with what its scopes grant and nothing beyond.
 */
export type Actor =
  | { kind: "anonymous" }
  | { kind: "user"; id: string; role: UserRole; verified: boolean }
  | { kind: "token"; name: string; scopes: readonly Scope[] }
  | { kind: "service" };

/** How services are named beside users' public ids, none of which can begin like this. */
export const SERVICE_PRINCIPAL = "@service";

export const ANONYMOUS: Actor = { kind: "anonymous" };

/** Whether the actor holds a right everywhere. Ties to an entity may give more there. */
export function holds(actor: Actor, right: Right): boolean {
  return rightsOf(actor).includes(right);
}

function rightsOf(actor: Actor): readonly Right[] {
  if (actor.kind === "anonymous") return [];
  if (actor.kind === "user") return RIGHTS_OF_ROLE[actor.role];
  return actor.kind === "token" ? actor.scopes.flatMap((scope) => RIGHTS_OF_SCOPE[scope]) : RIGHTS_OF_SCOPE.admin;
}

export const isAdministrator = (actor: Actor): boolean => holds(actor, "administer");

/** Public id of the acting user; null for a service or a stranger. */
export const actorUserId = (actor: Actor): string | null => (actor.kind === "user" ? actor.id : null);

/** What calls of one actor are counted and remembered by, at most 64 characters; null for a stranger. */
export function principalOf(actor: Actor): string | null {
  if (actor.kind === "token") return `${SERVICE_PRINCIPAL}:${actor.name}`;
  return actor.kind === "service" ? SERVICE_PRINCIPAL : actorUserId(actor);
}
