import { z } from "zod";
import { TOKEN_NAME } from "./accounts/named-tokens.js";
import type { NamedToken, TokenRegister } from "./accounts/ports.js";
import { readWords, UsageError } from "./command-words.js";
import type { Config } from "./config.js";
import { describeFailure, MediaError } from "./media/errors.js";
import { SCOPES, type Scope } from "./media/rights.js";
import { openTables } from "./open-resources.js";
import { newToken } from "./security/new-token.js";

/**
 * Makes a named token and writes it to standard output, alone on its line, the one time it is known; what there is to
 * say of it goes to standard error. Answers false where the name is taken. Throws UsageError.
 */
export async function createNamedToken(config: Config, words: readonly string[]): Promise<boolean> {
  const now = new Date();
  const asked = readToken(words, now);
  return withRegister(config, async (tokens) => {
    try {
      const token = newToken();
      const made = await tokens.add(token, asked, now);
      console.log(token);
      const until = made.expiresAt ? `lives until ${made.expiresAt.toISOString()}` : "lives until it is revoked";
      console.error(`"${made.name}" (${made.scopes.join(", ")}) ${until}. It is not shown again.`);
      return true;
    } catch (error) {
      if (!(error instanceof MediaError) || error.failure.code !== "CONFLICT") throw error;
      console.error(describeFailure(error.failure));
      return false;
    }
  });
}

/** Writes every named token there ever was as a table, or as JSON. Never a token itself: nobody has it. */
export async function listNamedTokens(config: Config, words: readonly string[]): Promise<boolean> {
  const { json } = readWords(words, { json: { type: "boolean", default: false } }).values;
  return withRegister(config, async (tokens) => {
    const now = new Date();
    const entries = (await tokens.list()).map((token) => ({ ...token, state: stateOf(token, now) }));
    console.log(json ? JSON.stringify(entries, null, 2) : toTable(entries));
    return true;
  });
}

/** Ends a token at once, in every process. Answers false where no living or expired token has the name. */
export async function revokeNamedToken(config: Config, words: readonly string[]): Promise<boolean> {
  const { positionals } = readWords(words, {}, { allowPositionals: true });
  const [name] = positionals;
  if (name === undefined || positionals.length > 1) throw new UsageError("tokens revoke takes one name");
  return withRegister(config, async (tokens) => {
    const isRevoked = await tokens.revoke(name, new Date());
    console.error(isRevoked ? `"${name}" is revoked.` : `There is no token "${name}" to revoke.`);
    return isRevoked;
  });
}

async function withRegister<T>(config: Config, work: (tokens: TokenRegister) => Promise<T>): Promise<T> {
  const { opened } = await openTables(config);
  try {
    return await work(opened.tokens);
  } finally {
    await opened.close();
  }
}

function readToken(words: readonly string[], now: Date): Pick<NamedToken, "name" | "scopes" | "expiresAt"> {
  const { name, scope, expires } = readWords(words, {
    name: { type: "string" },
    scope: { type: "string", multiple: true, default: [] },
    expires: { type: "string" },
  }).values;
  if (name === undefined || !TOKEN_NAME.test(name))
    throw new UsageError("--name must be 1 to 50 of a-z, 0-9, dot, dash and underscore, a letter or digit first");
  const unknown = scope.find((word) => !isScope(word));
  if (scope.length === 0 || unknown !== undefined)
    throw new UsageError(`--scope must be given, once or more, as one of: ${SCOPES.join(", ")}`);
  const expiresAt = expires === undefined ? null : readExpiry(expires, now);
  return { name, scopes: SCOPES.filter((known) => scope.includes(known)), expiresAt };
}

const isScope = (word: string): word is Scope => SCOPES.some((scope) => scope === word);

const LENGTHS_MS: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000 };

/** `90d`, `12h`, an ISO 8601 time, or a day, which is meant to its end in UTC. */
function readExpiry(word: string, now: Date): Date {
  const [, count, unit = ""] = /^(\d{1,5})([hd])$/.exec(word) ?? [];
  const day = z.iso.date().safeParse(word);
  const moment = z.iso.datetime({ offset: true }).safeParse(day.success ? `${word}T23:59:59.999Z` : word);
  const expiresAt = moment.success
    ? new Date(moment.data)
    : new Date(now.getTime() + Number(count) * (LENGTHS_MS[unit] ?? Number.NaN));
  if (Number.isNaN(expiresAt.getTime()))
    throw new UsageError("--expires must be a number of days or hours (90d, 12h), or an ISO 8601 date or time");
  if (expiresAt <= now) throw new UsageError(`--expires must lie in the future, not at ${expiresAt.toISOString()}`);
  return expiresAt;
}

type State = "living" | "expired" | "revoked";

function stateOf({ revokedAt, expiresAt }: NamedToken, now: Date): State {
  if (revokedAt) return "revoked";
  return expiresAt && expiresAt <= now ? "expired" : "living";
}

const HEAD = ["NAME", "SCOPES", "STATE", "CREATED", "EXPIRES", "LAST USE"];

function toTable(entries: readonly (NamedToken & { state: State })[]): string {
  const rows = entries.map(({ name, scopes, state, createdAt, expiresAt, lastUsedAt }) => [
    name,
    scopes.join(","),
    state,
    ...[createdAt, expiresAt, lastUsedAt].map((time) => time?.toISOString().slice(0, 16).concat("Z") ?? "never"),
  ]);
  const widths = HEAD.map((_, column) => Math.max(...[HEAD, ...rows].map((row) => row[column]?.length ?? 0)));
  const toLine = (row: readonly string[]) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ");
  return [HEAD, ...rows].map((row) => toLine(row).trimEnd()).join("\n");
}
