import { type Actor, actorUserId, holds, isAdministrator, principalOf } from "./actor.js";
import { ENTITY_TYPES, type EntityType, type Standing } from "./attachments.js";
import { MediaError } from "./errors.js";
import type { Media } from "./model.js";
import type { Audience, Entity, EntityDirectory, EntityTies, Ref } from "./ports.js";
import { type Right, scopeGranting } from "./rights.js";

/** What can be asked of `permissions.check`. `upload` and `manage` are held by the same people, see `attachments.ts`. */
export const ACTIONS = ["upload", "manage", "view", "moderate"] as const;
export type Action = (typeof ACTIONS)[number];

export type Decision = { allowed: boolean; right: Action; reason: string };

const HOLDS: Record<Standing, (ties: EntityTies) => boolean> = {
  owner: (t) => t.isOwner,
  admin: (t) => t.isAdmin,
  "parent-owner": (t) => t.isParentOwner,
  "parent-admin": (t) => t.isParentAdmin,
  grantee: (t) => t.hasGrant,
};

const NOUNS: Record<Standing, (entityType: EntityType) => string> = {
  owner: (type) => `the owner of the ${type}`,
  admin: (type) => `an admin of the ${type}`,
  "parent-owner": (type) => `the owner of the parent ${ENTITY_TYPES[type].parent}`,
  "parent-admin": (type) => `an admin of the parent ${ENTITY_TYPES[type].parent}`,
  grantee: () => "a user with an unexpired upload grant",
};

/**
 * The pure rule for writing: who holds the right everywhere, by role or scope; other users by the standings in the
 * entity type's row.
 */
export function decideWrite(actor: Actor, right: "upload" | "manage", type: EntityType, ties: EntityTies): Decision {
  if (isAdministrator(actor)) return { allowed: true, right, reason: "administrators may do everything" };
  if (actor.kind === "token") return { allowed: holds(actor, right), right, reason: reasonOfScopes(actor) };
  const writers: readonly Standing[] = ENTITY_TYPES[type].writers;
  const held = writers.find((standing) => HOLDS[standing](ties));
  if (held) return { allowed: true, right, reason: `the user is ${NOUNS[held](type)}` };
  return { allowed: false, right, reason: `it is held by ${writers.map((w) => NOUNS[w](type)).join(" or ")}` };
}

const NO_TIES: EntityTies = {
  isOwner: false,
  isAdmin: false,
  isParentOwner: false,
  isParentAdmin: false,
  hasGrant: false,
};

async function tiesOf(entities: EntityDirectory, actor: Actor, entity: Entity, now: Date): Promise<EntityTies> {
  return actor.kind === "user" ? entities.ties(entity, actor.id, now) : NO_TIES;
}

/** The name of the principal, or 401 before anything is looked up. */
export function requirePrincipal(actor: Actor): string {
  const principal = principalOf(actor);
  if (principal === null) throw new MediaError({ code: "UNAUTHENTICATED" });
  return principal;
}

/** Throws FORBIDDEN unless the actor sees everything: a moderator, an administrator, or a token that reads. */
export const requireOverseer = (actor: Actor): void =>
  requireRight(actor, "oversee", { named: "moderate", reason: "it is held by moderators and admins" });

/** Throws FORBIDDEN unless the actor decides as a moderator or an administrator does. */
export const requireModerator = (actor: Actor): void =>
  requireRight(actor, "moderate", { named: "moderate", reason: "it is held by moderators and admins" });

/** Throws FORBIDDEN unless the actor is an administrator or a service. */
export const requireAdministrator = (actor: Actor, named: string): void =>
  requireRight(actor, "administer", { named, reason: "it is held by admins and services" });

/** Any user may flag what he sees; a token only with the scope for it, so that one that reads changes nothing. */
export function requireFlagger(actor: Actor): void {
  requirePrincipal(actor);
  if (actor.kind === "token") requireModerator(actor);
}

function requireRight(actor: Actor, right: Right, { named, reason }: { named: string; reason: string }): void {
  requirePrincipal(actor);
  if (!holds(actor, right)) forbid(actor, right, { named, subject: null, reason });
}

/**
 * Throws FORBIDDEN. A user is told the right that is missing, by the name it has for people, and who holds it; a token
 * the narrowest scope that would do, and those it has.
 */
export function forbid(
  actor: Actor,
  right: Right,
  { named, subject, reason }: { named: string; subject: string | null; reason: string },
): never {
  if (actor.kind !== "token") throw new MediaError({ code: "FORBIDDEN", right: named, subject, reason });
  const scope = `scope:${scopeGranting(right)}`;
  throw new MediaError({ code: "FORBIDDEN", right: scope, subject, reason: reasonOfScopes(actor) });
}

const reasonOfScopes = ({ scopes }: Extract<Actor, { kind: "token" }>): string =>
  `the token's scopes are ${scopes.join(", ")}`;

/** The entity, or ENTITY_NOT_FOUND; with `parent`, also when it belongs to another. */
export async function findEntity(
  entities: EntityDirectory,
  at: { type: EntityType; ref: Ref; parent?: { type: EntityType; ref: Ref } | undefined },
): Promise<Entity> {
  const entity = await entities.find(at.type, at.ref);
  if (!entity) throw new MediaError({ code: "ENTITY_NOT_FOUND", entityType: at.type, entityId: String(at.ref) });
  if (at.parent) {
    const parent = await findEntity(entities, at.parent);
    if (entity.parent?.type !== parent.type || entity.parent.id !== parent.id)
      throw new MediaError({ code: "ENTITY_NOT_FOUND", entityType: at.type, entityId: String(at.ref) });
  }
  return entity;
}

/** Throws UNAUTHENTICATED, or FORBIDDEN naming the missing right. */
export async function authoriseWrite(
  entities: EntityDirectory,
  actor: Actor,
  asked: { entity: Entity; right: "upload" | "manage" },
  now: Date,
): Promise<void> {
  requirePrincipal(actor);
  const { entity, right } = asked;
  const decision = decideWrite(actor, right, entity.type, await tiesOf(entities, actor, entity, now));
  if (!decision.allowed)
    forbid(actor, right, { named: right, subject: `${entity.type} ${entity.publicId}`, reason: decision.reason });
}

/** Answers why, for `permissions.check`; never throws for a missing right. */
export async function explain(
  entities: EntityDirectory,
  actor: Actor,
  asked: { entity: Entity; action: Action },
  now: Date,
): Promise<Decision> {
  const { entity, action } = asked;
  if (action === "view") return { allowed: true, right: action, reason: "everyone sees public and approved items" };
  if (action === "moderate") {
    const reason = actor.kind === "token" ? reasonOfScopes(actor) : "it is held by moderators and admins";
    return { allowed: holds(actor, "moderate"), right: action, reason };
  }
  if (actor.kind === "anonymous") return { allowed: false, right: action, reason: "nobody is signed in" };
  return decideWrite(actor, action, entity.type, await tiesOf(entities, actor, entity, now));
}

/** Whose eyes look at an entity's items: overseers and those who may manage it see everything. */
export async function audienceOf(
  entities: EntityDirectory,
  actor: Actor,
  entity: Entity,
  now: Date,
): Promise<Audience> {
  const seesAll =
    holds(actor, "oversee") ||
    decideWrite(actor, "manage", entity.type, await tiesOf(entities, actor, entity, now)).allowed;
  return seesAll ? { sees: "everything" } : { sees: "public", andOwn: actorUserId(actor) };
}

/** What everyone sees: public, approved, ready and not in the trash. */
export const isPublished = (media: Media): boolean =>
  media.isPublic &&
  media.moderationStatus === "approved" &&
  media.processingStatus === "ready" &&
  media.deletedAt === null;

/** The rule for one row; the repository's SQL says the same of many. */
export function isVisible(media: Media, audience: Audience): boolean {
  if (media.deletedAt !== null) return false;
  if (audience.sees === "everything" || isPublished(media)) return true;
  return audience.andOwn !== null && media.uploadedBy === audience.andOwn;
}
