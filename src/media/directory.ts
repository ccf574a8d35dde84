import { type Decision, decideWrite, explain, findEntity, forbid, requirePrincipal } from "./access.js";
import { type Actor, isAdministrator } from "./actor.js";
import { ENTITY_TYPES, type EntityType, type Standing } from "./attachments.js";
import { MediaError, validationFailed } from "./errors.js";
import type { Deps, Entity, EntityUpsert, Grant, Ref, Stores } from "./ports.js";

type DirectoryDeps = Pick<Deps, "database" | "clock">;
type At = { type: EntityType; ref: Ref };

export type EntityChange = Omit<EntityUpsert, "parent"> & { parentId?: string | null | undefined };

/** Creates or updates an entity of the platform. Throws VALIDATION for a parent where the type has none. */
export async function upsertEntity(deps: DirectoryDeps, { parentId, ...change }: EntityChange): Promise<Entity> {
  const parent = parentReference(change.type, parentId);
  return deps.database.transact(({ entities }) => entities.upsert({ ...change, parent }, deps.clock.now()));
}

function parentReference(type: EntityType, parentId: string | null | undefined): EntityUpsert["parent"] {
  if (parentId === undefined || parentId === null) return parentId;
  const parentType: EntityType | null = ENTITY_TYPES[type].parent;
  if (parentType) return { type: parentType, publicId: parentId };
  const issues = [{ path: "parentId", message: `a ${type} has no parent` }];
  throw new MediaError({ code: "VALIDATION", issues });
}

/** Removes an entity, what hangs below it, and sends all their media to the trash, in one transaction. */
export async function deleteEntity(deps: DirectoryDeps, at: At): Promise<Entity> {
  const now = deps.clock.now();
  return deps.database.transact(async (stores) => {
    const entity = await findEntity(stores.entities, at);
    await deleteTree(stores, entity, now);
    return entity;
  });
}

async function deleteTree(stores: Stores, entity: Entity, now: Date): Promise<void> {
  await stores.entities.lock(entity);
  for (const child of await stores.entities.children(entity)) await deleteTree(stores, child, now);
  for (const media of await stores.media.currentOfEntity(entity))
    await stores.media.update(media.id, { deletedAt: now }, now);
  await stores.entities.delete(entity, now);
}

/** Lets a user upload to one entity, until `expiresAt`. Only those who hold the right otherwise may pass it on. */
export async function grantUpload(
  deps: DirectoryDeps,
  actor: Actor,
  asked: At & { userId: string; expiresAt: Date | null },
): Promise<Grant> {
  const { entities } = deps.database;
  const entity = await findGrantable(deps, actor, asked);
  return entities.grant(
    entity,
    { userId: asked.userId, right: "upload", expiresAt: asked.expiresAt },
    deps.clock.now(),
  );
}

/** Takes a grant back. Throws NOT_FOUND where there was none. */
export async function revokeUpload(deps: DirectoryDeps, actor: Actor, asked: At & { userId: string }): Promise<void> {
  const entity = await findGrantable(deps, actor, asked);
  if (!(await deps.database.entities.revoke(entity, asked.userId)))
    throw new MediaError({ code: "NOT_FOUND", what: `grant for ${asked.userId}` });
}

/** All grants of an entity, expired ones included. */
export async function listGrants(deps: DirectoryDeps, actor: Actor, at: At): Promise<Grant[]> {
  return deps.database.entities.grants(await findGrantable(deps, actor, at));
}

async function findGrantable(deps: DirectoryDeps, actor: Actor, at: At): Promise<Entity> {
  requirePrincipal(actor);
  const { entities } = deps.database;
  const entity = await findEntity(entities, at);
  await requireGranting(deps, actor, entity);
  const writers: readonly Standing[] = ENTITY_TYPES[at.type].writers;
  if (writers.includes("grantee")) return entity;
  throw validationFailed("type", `a ${at.type} takes no grants`);
}

/** A token that manages media gives no rights away: they would outlive it. */
async function requireGranting(deps: DirectoryDeps, actor: Actor, entity: Entity): Promise<void> {
  if (await mayGrant(deps, actor, entity)) return;
  const subject = `${entity.type} ${entity.publicId}`;
  forbid(actor, "administer", { named: "grant", subject, reason: "a grant cannot be passed on" });
}

async function mayGrant({ database, clock }: DirectoryDeps, actor: Actor, entity: Entity): Promise<boolean> {
  if (actor.kind !== "user") return isAdministrator(actor);
  const ties = await database.entities.ties(entity, actor.id, clock.now());
  return decideWrite(actor, "manage", entity.type, { ...ties, hasGrant: false }).allowed;
}

/** Whether the actor may do this, and why. */
export async function checkPermission(
  deps: DirectoryDeps,
  actor: Actor,
  asked: At & { action: Decision["right"] },
): Promise<Decision> {
  const entity = await findEntity(deps.database.entities, asked);
  return explain(deps.database.entities, actor, { entity, action: asked.action }, deps.clock.now());
}
