import { describe, expect, it } from "vitest";
import {
  audienceOf,
  decideWrite,
  requireAdministrator,
  requireFlagger,
  requireModerator,
  requireOverseer,
} from "../../src/media/access.js";
import { type Actor, principalOf } from "../../src/media/actor.js";
import { ENTITY_TYPE_NAMES } from "../../src/media/attachments.js";
import { MediaError } from "../../src/media/errors.js";
import { TEXT_LIMITS, USER_ROLES } from "../../src/media/model.js";
import type { Entity, EntityDirectory, EntityTies } from "../../src/media/ports.js";
import { RIGHTS_OF_ROLE, RIGHTS_OF_SCOPE, SCOPES, type Scope } from "../../src/media/rights.js";

const token = (...scopes: Scope[]): Actor => ({ kind: "token", name: "importer", scopes });
/** All ties there are: what a token may must not depend on them. */
const TIES: EntityTies = { isOwner: true, isAdmin: true, isParentOwner: true, isParentAdmin: true, hasGrant: true };
const BUILDER = { type: "builder", id: 1, publicId: "BLD-1" } as Entity;
const entities = { ties: () => Promise.resolve(TIES) } as unknown as EntityDirectory;

/** The kinds of action, each as its rule in `access.ts`; throws or answers what is refused. */
const ACTIONS = {
  "see what is hidden": async (actor: Actor) => {
    const audience = await audienceOf(entities, actor, BUILDER, new Date());
    if (audience.sees !== "everything") throw new Error("hidden");
  },
  "read reports": requireOverseer,
  upload: (actor: Actor) => refuseUnless(decideWrite(actor, "upload", "builder", TIES).allowed),
  manage: (actor: Actor) => refuseUnless(decideWrite(actor, "manage", "builder", TIES).allowed),
  flag: requireFlagger,
  moderate: requireModerator,
  administer: (actor: Actor) => requireAdministrator(actor, "repair"),
} satisfies Record<string, (actor: Actor) => unknown>;
type Action = keyof typeof ACTIONS;

function refuseUnless(allowed: boolean): void {
  if (!allowed) throw new Error("refused");
}

const ALL = Object.keys(ACTIONS) as Action[];
const MAY: Record<Scope, readonly Action[]> = {
  read: ["see what is hidden", "read reports"],
  upload: ["see what is hidden", "upload", "manage"],
  moderate: ["see what is hidden", "read reports", "flag", "moderate"],
  admin: ALL,
};

async function failureOf(act: () => unknown): Promise<unknown> {
  try {
    await act();
    return null;
  } catch (error) {
    return error instanceof MediaError ? error.failure : error;
  }
}

describe("a token", () => {
  const cases = SCOPES.flatMap((scope) => ALL.map((action) => ({ scope, action, may: MAY[scope].includes(action) })));

  it.each(cases)("of scope $scope may $action: $may", async ({ scope, action, may }) => {
    expect((await failureOf(() => ACTIONS[action](token(scope)))) === null).toBe(may);
  });

  it.each(ALL)("without scopes may not %s", async (action) => {
    expect(await failureOf(() => ACTIONS[action](token()))).not.toBeNull();
  });

  it("of several scopes may what any of them grants, and no more", async () => {
    for (const action of ALL)
      expect([action, (await failureOf(() => ACTIONS[action](token("read", "upload")))) === null]).toEqual([
        action,
        MAY.read.includes(action) || MAY.upload.includes(action),
      ]);
  });

  it.each(ENTITY_TYPE_NAMES)("writes to every %s by its scope alone", (type) => {
    const nobody = { isOwner: false, isAdmin: false, isParentOwner: false, isParentAdmin: false, hasGrant: false };
    expect(decideWrite(token("upload"), "upload", type, nobody).allowed).toBe(true);
    expect(decideWrite(token("read", "moderate"), "manage", type, TIES)).toEqual({
      allowed: false,
      right: "manage",
      reason: "the token's scopes are read, moderate",
    });
  });

  it.each([
    [requireOverseer, token("upload"), "scope:read"],
    [requireModerator, token("read"), "scope:moderate"],
    [requireFlagger, token("upload"), "scope:moderate"],
    [(actor: Actor) => requireAdministrator(actor, "repair"), token("moderate"), "scope:admin"],
  ] as const)("is told the narrowest scope that would do: %#", async (rule, actor, right) => {
    const scopes = actor.kind === "token" && actor.scopes.join(", ");
    const reason = `the token's scopes are ${scopes}`;
    expect(await failureOf(() => rule(actor))).toEqual({ code: "FORBIDDEN", right, subject: null, reason });
  });

  it("goes by its name, which fits where a user's public id does", () => {
    expect(principalOf(token("read"))).toBe("@service:importer");
    const longest: Actor = { kind: "token", name: "n".repeat(50), scopes: [] };
    expect(principalOf(longest)?.length).toBeLessThanOrEqual(TEXT_LIMITS.publicId);
    expect(principalOf({ kind: "service" })).toBe("@service");
    expect(principalOf({ kind: "user", id: "USR-1", role: "admin", verified: true })).toBe("USR-1");
    expect(principalOf({ kind: "anonymous" })).toBeNull();
  });
});

describe("the tables of rights", () => {
  it("give the scopes of moderators and administrators what the roles have, and users nothing", () => {
    expect(USER_ROLES.map((role) => RIGHTS_OF_ROLE[role])).toEqual(
      USER_ROLES.map((role) => ({ user: [], moderator: RIGHTS_OF_SCOPE.moderate, admin: RIGHTS_OF_SCOPE.admin })[role]),
    );
  });

  it("give an administrator everything any scope grants", () => {
    for (const scope of SCOPES)
      expect(RIGHTS_OF_SCOPE.admin).toEqual(expect.arrayContaining([...RIGHTS_OF_SCOPE[scope]]));
  });
});
