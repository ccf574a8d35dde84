import { and, asc, eq, isNull, lt, lte, or } from "drizzle-orm";
import type { NamedToken, TokenRegister } from "../src/accounts/ports.js";
import { SCOPES } from "../src/media/rights.js";
import type { Scope } from "./scope.js";
import { sha256Of } from "./sha-256.js";

type TokenRow = Scope["schema"]["serviceTokens"]["$inferSelect"];

const MINUTE_MS = 60_000;

export function createTokenRegister(scope: Scope): TokenRegister {
  const { db, schema, dialect } = scope;
  const { serviceTokens } = schema;

  return {
    async add(token, { name, scopes, expiresAt }, now) {
      const digest = await sha256Of(token);
      const entry = { name, scopes: [...scopes], createdAt: now, expiresAt, lastUsedAt: null, revokedAt: null };
      await scope.atomically(async (inner) => {
        const hasExpired = and(eq(serviceTokens.livingName, name), lte(serviceTokens.expiresAt, now));
        await inner.db.update(serviceTokens).set({ livingName: null }).where(hasExpired);
        await inner.db.insert(serviceTokens).values({ ...entry, livingName: name, digest });
      });
      return entry;
    },

    async find(token, now) {
      const rows = await db
        .select()
        .from(serviceTokens)
        .where(eq(serviceTokens.digest, await sha256Of(token)));
      return rows.filter((row) => isLiving(row, now)).map(toNamedToken)[0];
    },

    async noteUse(token, now) {
      const minute = new Date(Math.floor(now.getTime() / MINUTE_MS) * MINUTE_MS);
      const isEarlier = or(isNull(serviceTokens.lastUsedAt), lt(serviceTokens.lastUsedAt, minute));
      await db
        .update(serviceTokens)
        .set({ lastUsedAt: minute })
        .where(and(eq(serviceTokens.digest, await sha256Of(token)), isEarlier));
    },

    async list() {
      const rows = await db.select().from(serviceTokens).orderBy(asc(serviceTokens.name), asc(serviceTokens.id));
      return rows.map(toNamedToken);
    },

    async revoke(name, now) {
      const revoked = await db
        .update(serviceTokens)
        .set({ livingName: null, revokedAt: now })
        .where(eq(serviceTokens.livingName, name));
      return dialect.affected(revoked) === 1;
    },
  };
}

const isLiving = ({ revokedAt, expiresAt }: TokenRow, now: Date): boolean =>
  revokedAt === null && (expiresAt === null || expiresAt > now);

/** A scope of a later release grants nothing in this one. */
const toNamedToken = ({ name, scopes, createdAt, expiresAt, lastUsedAt, revokedAt }: TokenRow): NamedToken => ({
  name,
  scopes: scopes.filter((scope) => SCOPES.includes(scope)),
  createdAt,
  expiresAt,
  lastUsedAt,
  revokedAt,
});
