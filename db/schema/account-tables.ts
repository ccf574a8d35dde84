import { TEXT_LIMITS, USER_ROLES } from "../../src/media/model.js";
import type { Kit } from "../kit.sqlite.js";

/** Users and their sessions. A user's id is the integer id of the `user` entity of the same public id. */
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
  return { users, sessions };
}
