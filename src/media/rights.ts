import type { UserRole } from "./model.js";

/**
 * What may be held everywhere, whatever the ties to an entity. `oversee`: see every item and every report, the hidden
 * ones too. `upload` and `manage`: media of every entity. `moderate`: decide and flag. `administer`: all the rest, which
 * is users, sessions, entities, grants and what is removed for good.
 */
const RIGHTS = ["oversee", "upload", "manage", "moderate", "administer"] as const;
export type Right = (typeof RIGHTS)[number];

/** What a service token may be made for, the narrowest first. */
export const SCOPES = ["read", "upload", "moderate", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

/** The one place that says what a scope grants; a token with several holds what any of them grants. */
export const RIGHTS_OF_SCOPE = {
  read: ["oversee"],
  upload: ["upload", "manage"],
  moderate: ["oversee", "moderate"],
  admin: RIGHTS,
} as const satisfies Record<Scope, readonly Right[]>;

/** A scope is worth what the role of its name is worth, so that neither can drift from the other. */
export const RIGHTS_OF_ROLE = {
  user: [],
  moderator: RIGHTS_OF_SCOPE.moderate,
  admin: RIGHTS_OF_SCOPE.admin,
} as const satisfies Record<UserRole, readonly Right[]>;

/** The narrowest scope that grants a right. */
export const scopeGranting = (right: Right): Scope =>
  SCOPES.find((scope) => (RIGHTS_OF_SCOPE[scope] as readonly Right[]).includes(right)) ?? "admin";
