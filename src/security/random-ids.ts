import type { RandomIds } from "../media/ports.js";

/** Crockford's base32: no I, L, O, U, so that nothing is misread. 32 symbols, so five bits of a byte choose evenly. */
const SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/** 16 symbols of 5 bits are 80 bits. */
const LENGTH = 16;

/** From WebCrypto's generator. `mediaId`: `MED-` and 16 symbols; `keyPart`: 16 symbols, lower case. 80 bits each. */
export function createRandomIds(): RandomIds {
  return {
    mediaId: () => `MED-${randomSymbols()}`,
    keyPart: () => randomSymbols().toLowerCase(),
  };
}

const randomSymbols = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(LENGTH)), (byte) => SYMBOLS.charAt(byte & 31)).join("");
