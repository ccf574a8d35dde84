import { eq } from "drizzle-orm";
import type { User, UserDirectory, UserUpsert } from "../src/accounts/ports.js";
import { createEntityDirectory } from "./entity-directory.js";
import { chooseByRef, matchesRef } from "./refs.js";
import type { Scope } from "./scope.js";

type UserRow = Scope["schema"]["users"]["$inferSelect"];

export function createUserDirectory(scope: Scope): UserDirectory {
  const { db, schema } = scope;
  const { users } = schema;

  return {
    async find(ref) {
      const row = chooseByRef(await db.select().from(users).where(matchesRef(users, ref)), ref);
      return row && toUser(row);
    },

    async credentials(email) {
      const address = email.toLowerCase();
      const rows = await db.select().from(users).where(eq(users.email, address));
      // MySQL ignores trailing spaces.
      const row = rows.find((candidate) => candidate.email === address);
      return row && { user: toUser(row), passwordHash: row.passwordHash };
    },

    upsert: (user, now) =>
      scope.atomically(async (inner) => {
        const { publicId } = user;
        // The entity first: its row is locked by the write, so two upserts of one user follow each other.
        const { id } = await createEntityDirectory(inner).upsert({ type: "user", publicId, ownerId: publicId }, now);
        return toUser(await upsertRow(inner, { id, user, now }));
      }),
  };
}

/** drizzle leaves out what is undefined, which is what absent means. */
const toColumns = ({ email, passwordHash, role, verified }: UserUpsert) => ({
  email: email?.toLowerCase() ?? email,
  passwordHash,
  role,
  verified,
});

async function upsertRow(
  { db, schema: { users } }: Scope,
  { id, user, now }: { id: number; user: UserUpsert; now: Date },
): Promise<UserRow> {
  const given = toColumns(user);
  const stored = await db.select().from(users).where(eq(users.id, id));
  if (stored.length > 0) {
    await db
      .update(users)
      .set({ ...given, updatedAt: now })
      .where(eq(users.id, id));
  } else {
    const { role = "user", verified = false, email = null, passwordHash = null } = given;
    const fresh = { role, verified, email, passwordHash, createdAt: now, updatedAt: now };
    await db.insert(users).values({ ...fresh, id, publicId: user.publicId });
  }
  const [row] = await db.select().from(users).where(eq(users.id, id));
  if (!row) throw new Error(`The user "${user.publicId}" is not there after its upsert.`);
  return row;
}

export const toUser = ({ id, publicId, email, role, verified, createdAt }: UserRow): User => ({
  id,
  publicId,
  email,
  role,
  verified,
  createdAt,
});
