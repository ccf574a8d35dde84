import { MediaError } from "../media/errors.js";
import type { AccountDeps, Session, User, UserUpsert } from "./ports.js";

/** A hash of nothing anyone knows: verifying against it costs an unknown email the time of a known one. */
const UNKNOWN_PASSWORD = "the password of nobody";

/** Starts a session. Throws UNAUTHENTICATED without saying whether the email or the password was wrong. */
export async function signIn(
  deps: AccountDeps,
  { email, password }: { email: string; password: string },
): Promise<{ session: Session; user: User }> {
  const found = await deps.users.credentials(email.toLowerCase());
  const hash = found?.passwordHash ?? (await decoyHash(deps));
  const matches = await deps.passwords.verify(hash, password);
  if (!found?.passwordHash || !matches) throw new MediaError({ code: "UNAUTHENTICATED" });
  return { session: await deps.sessions.create(found.user.publicId), user: found.user };
}

const decoys = new WeakMap<AccountDeps["passwords"], Promise<string>>();

function decoyHash({ passwords }: AccountDeps): Promise<string> {
  const decoy = decoys.get(passwords) ?? passwords.hash(UNKNOWN_PASSWORD);
  decoys.set(passwords, decoy);
  return decoy;
}

/** A session for a user of the platform, asked for by the platform itself. Throws ENTITY_NOT_FOUND. */
export async function createSessionFor(deps: AccountDeps, userId: number | string): Promise<Session> {
  return deps.sessions.create((await findUser(deps, userId)).publicId);
}

export async function findUser(deps: AccountDeps, ref: number | string): Promise<User> {
  const user = await deps.users.find(ref);
  if (!user) throw new MediaError({ code: "ENTITY_NOT_FOUND", entityType: "user", entityId: String(ref) });
  return user;
}

export type UserChange = Omit<UserUpsert, "passwordHash"> & { password?: string | undefined };

/** Creates or updates a user. A new password ends every session the user has. */
export async function upsertUser(deps: AccountDeps, { password, ...change }: UserChange, now: Date): Promise<User> {
  const email = typeof change.email === "string" ? change.email.toLowerCase() : change.email;
  if (password === undefined) return deps.users.upsert({ ...change, email }, now);
  const user = await deps.users.upsert({ ...change, email, passwordHash: await deps.passwords.hash(password) }, now);
  await deps.sessions.revokeAll(user.publicId);
  return user;
}
