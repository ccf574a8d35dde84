import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from "node:crypto";
import pLimit from "p-limit";
import type { Passwords } from "../accounts/ports.js";

type Parameters = { N: number; r: number; p: number };

/**
 * One of the equally strong settings of OWASP's Password Storage Cheat Sheet (scrypt; N = 2^17, r = 8, p = 1 costs
 * 128 MiB a password, this one 32 MiB), so that a burst of logins does not take the pictures' memory.
 */
const CURRENT: Parameters = { N: 2 ** 15, r: 8, p: 3 };
const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** Bounds for parameters from a stored hash, so that a forged row can neither eat the memory nor block a thread. */
const MAX_MEMORY_BYTES = 128 * 1024 * 1024;
const MAX_WORK = 2 ** 22;
/** Work runs on libuv's four threads, which files need too. */
const AT_ONCE = 2;

/** `scrypt$N$r$p$salt$hash`, the last two base64url: 16..64 bytes each. */
const ENCODED = /^scrypt\$(\d{1,8})\$(\d{1,3})\$(\d{1,3})\$([\w-]{22,86})\$([\w-]{22,86})$/;

/**
 * scrypt (RFC 7914) over the password in Unicode NFKC, so that keyboards which compose letters differently agree.
 * `verify` answers false for a malformed hash, and reads the parameters from it: older hashes stay valid.
 */
export function createScryptPasswords(): Passwords {
  const limit = pLimit(AT_ONCE);
  return {
    async hash(password) {
      const salt = randomBytes(SALT_BYTES);
      const hash = await limit(() => derive(password, salt, HASH_BYTES, CURRENT));
      const { N, r, p } = CURRENT;
      return ["scrypt", N, r, p, salt.toString("base64url"), hash.toString("base64url")].join("$");
    },
    async verify(encoded, password) {
      const stored = parse(encoded);
      if (!stored) return false;
      const { salt, hash, parameters } = stored;
      return timingSafeEqual(await limit(() => derive(password, salt, hash.byteLength, parameters)), hash);
    },
  };
}

function parse(encoded: string): { parameters: Parameters; salt: Buffer; hash: Buffer } | null {
  const [, N, r, p, salt, hash] = ENCODED.exec(encoded) ?? [];
  if (!salt || !hash) return null;
  const parameters = { N: Number(N), r: Number(r), p: Number(p) };
  if (!isBearable(parameters)) return null;
  return { parameters, salt: Buffer.from(salt, "base64url"), hash: Buffer.from(hash, "base64url") };
}

/** N must be a power of two above 1; `memoryOf` and N·r·p stay within their bounds. */
const isBearable = ({ N, r, p }: Parameters): boolean =>
  N > 1 &&
  Number.isInteger(Math.log2(N)) &&
  r >= 1 &&
  p >= 1 &&
  128 * N * r <= MAX_MEMORY_BYTES &&
  N * r * p <= MAX_WORK;

/** What OpenSSL asks for before it starts, in bytes: the table and the working blocks. */
const memoryOf = ({ N, r, p }: Parameters): number => 128 * r * (N + p + 2);

function derive(password: string, salt: Buffer, bytes: number, parameters: Parameters): Promise<Buffer> {
  const options: ScryptOptions = { ...parameters, maxmem: memoryOf(parameters) };
  return new Promise((resolve, reject) => {
    scrypt(password.normalize("NFKC"), salt, bytes, options, (error, key) => (error ? reject(error) : resolve(key)));
  });
}
