import { randomBytes } from "node:crypto";
import { TOKEN_PREFIX } from "../accounts/named-tokens.js";

/** A token nobody can guess: 256 random bits, as base64url behind the prefix. */
export const newToken = (): string => `${TOKEN_PREFIX}${randomBytes(32).toString("base64url")}`;
