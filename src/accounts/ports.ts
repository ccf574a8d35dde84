import type { UserRole } from "../media/model.js";
import type { Scope } from "../media/rights.js";

export type User = {
  id: number;
  publicId: string;
  email: string | null;
  role: UserRole;
  /** Items of verified users need no moderator before they show. */
  verified: boolean;
  createdAt: Date;
};

export type Session = { token: string; userId: string; expiresAt: Date };

/** Sessions behind a port: one file knows the library. Tokens are hashed at rest. */
export type Sessions = {
  /** `userId` is the user's public id. */
  create(userId: string): Promise<Session>;
  /** Null for an unknown or expired token. `extended` when the expiry slid and a cookie should be set anew. */
  validate(token: string): Promise<{ session: Session; user: User; extended: boolean } | null>;
  revoke(token: string): Promise<void>;
  revokeAll(userId: string): Promise<void>;
  /** Removes expired sessions. */
  sweep(): Promise<void>;
};

export type UserUpsert = {
  publicId: string;
  /** Absent leaves, null clears. */
  email?: string | null | undefined;
  passwordHash?: string | undefined;
  role?: UserRole | undefined;
  verified?: boolean | undefined;
};

export type UserDirectory = {
  find(ref: number | string): Promise<User | undefined>;
  /** By email, lower-cased. `passwordHash` is null where none was set. */
  credentials(email: string): Promise<{ user: User; passwordHash: string | null } | undefined>;
  /** Also makes the `user` entity, owned by the user. Throws MediaError CONFLICT where the email is another's. */
  upsert(user: UserUpsert, now: Date): Promise<User>;
};

/** Password hashing, slow by intent. */
export type Passwords = {
  hash(password: string): Promise<string>;
  verify(hash: string, password: string): Promise<boolean>;
};

/** Constant-time comparison with the configured service token. */
export type ServiceTokens = { isValid(token: string): Promise<boolean> };

/** A named token as it is on record; the token itself is known to its holder alone. */
export type NamedToken = {
  /** Unique among the tokens that live; at most 50 characters. */
  name: string;
  /** At least one. */
  scopes: readonly Scope[];
  createdAt: Date;
  /** From then on it is nobody's; null for never. */
  expiresAt: Date | null;
  /** To the minute; null before the first use. */
  lastUsedAt: Date | null;
  revokedAt: Date | null;
};

/** Named service tokens. What goes in is the token, what is written is its SHA-256. */
export type TokenRegister = {
  /** Throws MediaError CONFLICT where a living token has the name; one that has expired gives it up. */
  add(token: string, entry: Pick<NamedToken, "name" | "scopes" | "expiresAt">, now: Date): Promise<NamedToken>;
  /** The living token, or undefined for one that is unknown, expired or revoked. */
  find(token: string, now: Date): Promise<NamedToken | undefined>;
  /** Keeps the minute of a use; writes nothing where that or a later one is kept. */
  noteUse(token: string, now: Date): Promise<void>;
  /** By name, then by age; those that are gone included. */
  list(): Promise<NamedToken[]>;
  /** False where no token of this name is left to revoke; one that has only expired is. */
  revoke(name: string, now: Date): Promise<boolean>;
};

export type AccountDeps = {
  users: UserDirectory;
  sessions: Sessions;
  passwords: Passwords;
  serviceTokens: ServiceTokens;
  tokens: TokenRegister;
};
