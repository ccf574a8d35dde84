import type { UserRole } from "../media/model.js";

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

export type AccountDeps = {
  users: UserDirectory;
  sessions: Sessions;
  passwords: Passwords;
  serviceTokens: ServiceTokens;
};
