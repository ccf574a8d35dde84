import { TEXT_LIMITS, USER_ROLES } from "../../src/media/model.js";
import type { Scope } from "../../src/media/rights.js";
import type { Kit } from "../kit.sqlite.js";

/**
 * Users, their sessions, and the named tokens of services. A user's id is the integer id of the `user` entity of the
 * same public id.
 */
export function accountTables(k: Kit) {
  const users = k.table(
    "users",
    {
      id: k.integer("id").primaryKey(),
      publicId: k.key("public_id", TEXT_LIMITS.publicId).notNull(),
      /** Lower-case. */
      email: k.key("email", 254),
      passwordHash: k.asciiKey("password_hash", 255),
      role: k.oneOf("role", USER_ROLES).notNull(),
      verified: k.boolean("verified").notNull(),
      createdAt: k.time("created_at").notNull(),
      updatedAt: k.time("updated_at").notNull(),
    },
    (t) => [k.uniqueIndex("users_public_id_unique").on(t.publicId), k.uniqueIndex("users_email_unique").on(t.email)],
  );
  const sessions = k.table(
    "sessions",
    {
      /** SHA-256 of the token, hex: a leaked table opens no session. */
      id: k.asciiKey("id", 64).primaryKey(),
      userId: k
        .key("user_id", TEXT_LIMITS.publicId)
        .notNull()
        .references(() => users.publicId, { onDelete: "cascade" }),
      expiresAt: k.time("expires_at").notNull(),
    },
    (t) => [k.index("sessions_user_id_index").on(t.userId), k.index("sessions_expires_at_index").on(t.expiresAt)],
  );
  const serviceTokens = k.table(
    "service_tokens",
    {
      id: k.serial("id"),
      name: k.asciiKey("name", TEXT_LIMITS.publicId).notNull(),
      /** The name, as long as it may not be given again: NULL once revoked, or expired and replaced. */
      livingName: k.asciiKey("living_name", TEXT_LIMITS.publicId),
      /** SHA-256 of the token, hex: a leaked table opens nothing. */
      digest: k.asciiKey("digest", 64).notNull(),
      scopes: k.json<Scope[]>("scopes").notNull(),
      createdAt: k.time("created_at").notNull(),
      expiresAt: k.time("expires_at"),
      /** To the minute. */
      lastUsedAt: k.time("last_used_at"),
      revokedAt: k.time("revoked_at"),
    },
    (t) => [
      k.uniqueIndex("service_tokens_living_name_unique").on(t.livingName),
      k.uniqueIndex("service_tokens_digest_unique").on(t.digest),
    ],
  );
  return { users, sessions, serviceTokens };
}
