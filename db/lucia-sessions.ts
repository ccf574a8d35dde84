import { eq, lte } from "drizzle-orm";
import { type Adapter, Lucia, TimeSpan } from "lucia";
import type { Session, Sessions, User } from "../src/accounts/ports.js";
import { MediaError } from "../src/media/errors.js";
import { isForeignKeyViolation } from "./driver-errors.js";
import type { Scope } from "./scope.js";
import { sha256Of } from "./sha-256.js";
import { toUser } from "./user-directory.js";

declare module "lucia" {
  interface Register {
    Lucia: Lucia<Record<never, never>, { account: User }>;
    DatabaseUserAttributes: { account: User };
  }
}

/** A session ends so long after its last use; it slides when half of that is over. */
const EXPIRES_IN_DAYS = 30;

/**
 * The one file that knows Lucia, whose author no longer develops it. The token is Lucia's session id; the table holds
 * its SHA-256.
 */
export function createLuciaSessions(scope: Pick<Scope, "db" | "schema">): Sessions {
  const lucia = new Lucia(createAdapter(scope), {
    sessionExpiresIn: new TimeSpan(EXPIRES_IN_DAYS, "d"),
    getUserAttributes: ({ account }) => ({ account }),
  });
  return {
    create: async (userId) => toSession(await lucia.createSession(userId, {})),
    async validate(token) {
      const { session, user } = await lucia.validateSession(token);
      return session && { session: toSession(session), user: user.account, extended: session.fresh };
    },
    revoke: (token) => lucia.invalidateSession(token),
    revokeAll: (userId) => lucia.invalidateUserSessions(userId),
    sweep: () => lucia.deleteExpiredSessions(),
  };
}

const toSession = ({ id, userId, expiresAt }: { id: string; userId: string; expiresAt: Date }): Session => ({
  token: id,
  userId,
  expiresAt,
});

/** Ids that come in and go out are tokens; what is written is their hash. */
function createAdapter({ db, schema: { sessions, users } }: Pick<Scope, "db" | "schema">): Adapter {
  const isSession = async (token: string) => eq(sessions.id, await sha256Of(token));
  return {
    async getSessionAndUser(token) {
      const [row] = await db
        .select({ session: sessions, user: users })
        .from(sessions)
        .innerJoin(users, eq(users.publicId, sessions.userId))
        .where(await isSession(token));
      if (!row) return [null, null];
      const { userId, expiresAt } = row.session;
      return [
        { id: token, userId, expiresAt, attributes: {} },
        { id: userId, attributes: { account: toUser(row.user) } },
      ];
    },
    async setSession({ id, userId, expiresAt }) {
      try {
        await db.insert(sessions).values({ id: await sha256Of(id), userId, expiresAt });
      } catch (cause) {
        if (!isForeignKeyViolation(cause)) throw cause;
        throw new MediaError({ code: "NOT_FOUND", what: `user "${userId}"` }, { cause });
      }
    },
    async updateSessionExpiration(token, expiresAt) {
      await db
        .update(sessions)
        .set({ expiresAt })
        .where(await isSession(token));
    },
    async deleteSession(token) {
      await db.delete(sessions).where(await isSession(token));
    },
    async deleteUserSessions(userId) {
      await db.delete(sessions).where(eq(sessions.userId, userId));
    },
    async deleteExpiredSessions() {
      await db.delete(sessions).where(lte(sessions.expiresAt, new Date()));
    },
    async getUserSessions() {
      throw new Error("Sessions can't be listed: the table does not hold their tokens.");
    },
  };
}
