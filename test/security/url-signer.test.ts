import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createUrlSigner } from "../../src/security/url-signer.js";

const SECRET = "a secret of the installation";
const KEY = "users/avatars/USR-1/2026-11/avatar-20261122101112-0123456789abcdef.jpg";
const NOW = new Date("2026-11-22T10:00:00.500Z");
const inSeconds = (seconds: number): Date => new Date(NOW.getTime() + seconds * 1000);

const signer = createUrlSigner(SECRET);
const partsOf = (query: string): { expires: string; signature: string } => {
  const { expires, signature } = Object.fromEntries(new URLSearchParams(query));
  return { expires: expires!, signature: signature! };
};
const signed = async (key = KEY, expiresAt = inSeconds(900)) => partsOf(await signer.sign(key, expiresAt));

describe("a signed address", () => {
  it("is valid until it expires", async () => {
    const query = await signed();
    expect(await signer.verify(KEY, query, NOW)).toBe(true);
    expect(await signer.verify(KEY, query, inSeconds(899))).toBe(true);
  });

  it("names its expiry in whole seconds, and needs no escaping", async () => {
    const query = await signer.sign(KEY, inSeconds(900));
    expect(query).toMatch(/^expires=1795342500&signature=[A-Za-z0-9_-]{43}$/);
    expect(new URL(`https://media.example/files/${KEY}?${query}`).search).toBe(`?${query}`);
  });

  it("is the HMAC-SHA256 of label, expiry and key", async () => {
    const { expires, signature } = await signed();
    const message = `artitec-media/object-url/v1\n${expires}\n${KEY}`;
    expect(signature).toBe(createHmac("sha256", SECRET).update(message).digest("base64url"));
  });

  it("is the same for the same key and time, and verified by another process with the secret", async () => {
    expect(await signed()).toEqual(await signed());
    expect(await createUrlSigner(SECRET).verify(KEY, await signed(), NOW)).toBe(true);
  });

  it("fits keys with any letters", async () => {
    for (const key of ["users/ü ö/日本.jpg", "a+b&c=d?e%2F.jpg", "🏡"])
      expect(await signer.verify(key, await signed(key), NOW)).toBe(true);
  });

  it("fits many at once from the first use on", async () => {
    const fresh = createUrlSigner(SECRET);
    const queries = await Promise.all(Array.from({ length: 50 }, (_, i) => fresh.sign(`key-${i}`, inSeconds(60))));
    const answers = await Promise.all(queries.map((query, i) => fresh.verify(`key-${i}`, partsOf(query), NOW)));
    expect(answers.every(Boolean)).toBe(true);
  });
});

describe("a signature is refused", () => {
  it("once it has expired, to the second", async () => {
    const query = await signed();
    for (const seconds of [899.5, 900, 901, 1e6])
      expect(await signer.verify(KEY, query, inSeconds(seconds))).toBe(false);
  });

  it("when it reaches further ahead than seven days, though well signed", async () => {
    const sevenDays = 7 * 24 * 3600;
    expect(await signer.verify(KEY, await signed(KEY, inSeconds(sevenDays)), NOW)).toBe(true);
    expect(await signer.verify(KEY, await signed(KEY, inSeconds(sevenDays + 1)), NOW)).toBe(false);
    expect(await signer.verify(KEY, await signed(KEY, new Date("2099-01-01T00:00:00Z")), NOW)).toBe(false);
  });

  it("for another key, even one that differs by a letter, a case or a variant", async () => {
    const query = await signed();
    for (const other of ["", `${KEY}.jpg`, KEY.slice(1), KEY.toUpperCase(), KEY.replace(".jpg", "_thumb.jpg")])
      expect(await signer.verify(other, query, NOW)).toBe(false);
  });

  it("with another's expiry or signature", async () => {
    const [mine, other] = [await signed(KEY, inSeconds(60)), await signed("other", inSeconds(120))];
    expect(await signer.verify(KEY, { ...mine, expires: other.expires }, NOW)).toBe(false);
    expect(await signer.verify(KEY, { ...mine, signature: other.signature }, NOW)).toBe(false);
    expect(await signer.verify(KEY, other, NOW)).toBe(false);
  });

  it("when line breaks move text between expiry and key", async () => {
    const { expires, signature } = await signed(`x\n${KEY}`);
    expect(await signer.verify(KEY, { expires: `${expires}\nx`, signature }, NOW)).toBe(false);
  });

  it("with another secret", async () => {
    expect(await createUrlSigner("another secret").verify(KEY, await signed(), NOW)).toBe(false);
    expect(await createUrlSigner(`${SECRET} `).verify(KEY, await signed(), NOW)).toBe(false);
  });

  it("with any single bit turned", async () => {
    const { expires, signature } = await signed();
    const bytes = Buffer.from(signature, "base64url");
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const forged = Buffer.from(bytes);
      forged[bit >> 3]! ^= 1 << (bit & 7);
      expect(await signer.verify(KEY, { expires, signature: forged.toString("base64url") }, NOW)).toBe(false);
    }
  });

  it("when half of it is missing", async () => {
    const { expires, signature } = await signed();
    for (const query of [{}, { expires }, { signature }, { expires, signature: "" }, { expires: "", signature }])
      expect(await signer.verify(KEY, query, NOW)).toBe(false);
    expect(await signer.verify(KEY, { expires: undefined, signature: undefined }, NOW)).toBe(false);
  });

  it("when the expiry is spelled in another way", async () => {
    const { expires, signature } = await signed();
    const spellings = [` ${expires}`, `${expires} `, `+${expires}`, `0${expires}`, `${expires}.0`, `${expires}\n`];
    for (const spelling of [...spellings, `-${expires}`, "1e10", "0x6b02d0a4", "NaN", "Infinity", "9".repeat(400)])
      expect(await signer.verify(KEY, { expires: spelling, signature }, NOW)).toBe(false);
  });

  it("when it is spelled in another way or is none", async () => {
    const { expires, signature } = await signed();
    const last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const sameBytes = signature.slice(0, -1) + last[last.indexOf(signature.at(-1)!) + 1];
    expect(Buffer.from(sameBytes, "base64url")).toEqual(Buffer.from(signature, "base64url"));
    const spellings = [sameBytes, `${signature}=`, ` ${signature}`, `${signature}\n`, signature.slice(0, 42)];
    for (const spelling of [...spellings, `${signature}AAAA`, "A".repeat(43), "?".repeat(43), "é".repeat(43)])
      expect(await signer.verify(KEY, { expires, signature: spelling }, NOW)).toBe(false);
  });
});

describe("the signer", () => {
  it("refuses to work without a secret", () => {
    expect(() => createUrlSigner("")).toThrow(TypeError);
  });

  it("does not sign a time that is none", async () => {
    for (const time of [new Date(Number.NaN), new Date(0), new Date(-1)])
      await expect(signer.sign(KEY, time)).rejects.toBeInstanceOf(RangeError);
  });
});
