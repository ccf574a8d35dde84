import type { UrlSigner } from "../media/ports.js";

/** Part of every signed message, so that no other use of the secret yields a valid signature. */
const LABEL = "artitec-media/object-url/v1";
/** Longest time ahead that is believed; as S3's presigned URLs. */
const MAX_SECONDS_AHEAD = 7 * 24 * 60 * 60;
/** Base64url of 32 bytes in its one canonical spelling: the last two bits are zero. */
const SIGNATURE = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;
const EXPIRES = /^[1-9]\d{0,11}$/;

/**
 * HMAC-SHA256 over label, expiry and object key: `expires=<Unix seconds>&signature=<base64url>`. Through WebCrypto,
 * so that it also runs where there is no Node. Compares in constant time.
 */
export function createUrlSigner(secret: string): UrlSigner {
  if (secret === "") throw new TypeError("The signing secret is empty.");
  let imported: Promise<CryptoKey> | undefined;
  /** At first use: some edge runtimes refuse cryptography outside a request. */
  const signingKey = () => {
    imported ??= importKey(secret);
    return imported;
  };
  return {
    async sign(key, expiresAt) {
      const expires = String(Math.floor(expiresAt.getTime() / 1000));
      if (!EXPIRES.test(expires)) throw new RangeError("The expiry is no date after 1970.");
      const signature = await crypto.subtle.sign("HMAC", await signingKey(), messageOf(key, expires));
      return `expires=${expires}&signature=${toBase64Url(new Uint8Array(signature))}`;
    },
    async verify(key, { expires = "", signature = "" }, now) {
      if (!EXPIRES.test(expires) || !SIGNATURE.test(signature)) return false;
      const secondsLeft = Number(expires) - now.getTime() / 1000;
      if (!(secondsLeft > 0 && secondsLeft <= MAX_SECONDS_AHEAD)) return false;
      return crypto.subtle.verify("HMAC", await signingKey(), fromBase64Url(signature), messageOf(key, expires));
    },
  };
}

const importKey = (secret: string): Promise<CryptoKey> =>
  crypto.subtle.importKey("raw", new TextEncoder().encode(secret), { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
    "verify",
  ]);

/** The key comes last and the rest has no line break, so that no two pairs make the same message. */
const messageOf = (key: string, expires: string): Uint8Array<ArrayBuffer> =>
  new TextEncoder().encode(`${LABEL}\n${expires}\n${key}`);

const toBase64Url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

const fromBase64Url = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
