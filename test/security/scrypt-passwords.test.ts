import { randomBytes, scryptSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createScryptPasswords } from "../../src/security/scrypt-passwords.js";

const passwords = createScryptPasswords();
const SALT = Buffer.from("0123456789abcdef").toString("base64url");

/** A hash as another version of the software, with other parameters, would have stored it. */
const storedWith = (password: string, N: number, r: number, p: number): string => {
  const hash = scryptSync(password, "0123456789abcdef", 32, { N, r, p, maxmem: 256 * N * r });
  return `scrypt$${N}$${r}$${p}$${SALT}$${hash.toString("base64url")}`;
};

describe("a password's hash", () => {
  it("is verified by its password and by no other", async () => {
    const hash = await passwords.hash("correct horse battery staple");
    expect(await passwords.verify(hash, "correct horse battery staple")).toBe(true);
    for (const wrong of ["correct horse battery stapl", "Correct horse battery staple", "", " ", hash])
      expect(await passwords.verify(hash, wrong)).toBe(false);
  });

  it("is salted: one password, two hashes, both valid", async () => {
    const [first, second] = [await passwords.hash("same"), await passwords.hash("same")];
    expect(first).not.toBe(second);
    expect(await passwords.verify(first, "same")).toBe(true);
    expect(await passwords.verify(second, "same")).toBe(true);
  });

  it("says how it was made, at OWASP's cost or above", async () => {
    const [algorithm, N, r, p, salt, hash] = (await passwords.hash("secret")).split("$");
    expect(algorithm).toBe("scrypt");
    expect(Buffer.from(salt!, "base64url")).toHaveLength(16);
    expect(Buffer.from(hash!, "base64url")).toHaveLength(32);
    // The sheet's rows: memory (N) against work (p), at r = 8.
    const leastWork = new Map([
      [2 ** 17, 1],
      [2 ** 16, 2],
      [2 ** 15, 3],
      [2 ** 14, 5],
      [2 ** 13, 10],
    ]);
    expect(Number(r)).toBe(8);
    expect(Number(p)).toBeGreaterThanOrEqual(leastWork.get(Number(N)) ?? Number.POSITIVE_INFINITY);
  });

  it("does not hold the password", async () => {
    expect(await passwords.hash("tell-tale")).not.toContain("tell-tale");
  });

  it("agrees on letters that keyboards compose differently", async () => {
    const hash = await passwords.hash("caf\u00e9 \ufb01n");
    expect(await passwords.verify(hash, "cafe\u0301 fin")).toBe(true);
    expect(await passwords.verify(hash, "cafe fin")).toBe(false);
  });

  it("takes empty and very long passwords as they are", async () => {
    const long = "x".repeat(10_000);
    const hash = await passwords.hash(long);
    expect(await passwords.verify(hash, long)).toBe(true);
    expect(await passwords.verify(hash, `${long}y`)).toBe(false);
    expect(await passwords.verify(await passwords.hash(""), "")).toBe(true);
  });

  it("stays valid when the parameters change", async () => {
    for (const stored of [storedWith("old", 2 ** 14, 8, 1), storedWith("old", 2 ** 10, 4, 2)]) {
      expect(await passwords.verify(stored, "old")).toBe(true);
      expect(await passwords.verify(stored, "new")).toBe(false);
    }
  });

  it("is verified for many at once", async () => {
    const stored = storedWith("old", 2 ** 10, 8, 1);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => passwords.verify(stored, i % 2 ? "old" : "x")),
    );
    expect(answers.filter(Boolean)).toHaveLength(10);
  });
});

describe("a malformed hash", () => {
  const HASH = randomBytes(32).toString("base64url");

  it.each([
    ["empty", ""],
    ["no hash at all", "password"],
    ["another algorithm", `bcrypt$16384$8$1$${SALT}$${HASH}`],
    ["too few parts", `scrypt$16384$8$1$${SALT}`],
    ["too many parts", `scrypt$16384$8$1$${SALT}$${HASH}$`],
    ["no salt", `scrypt$16384$8$1$$${HASH}`],
    ["no bytes of hash, which would fit every password", `scrypt$16384$8$1$${SALT}$`],
    ["a hash too short to trust", `scrypt$16384$8$1$${SALT}$AAAA`],
    ["a hash of another spelling", `scrypt$16384$8$1$${SALT}$${HASH.slice(0, -1)}=`],
    ["a line behind it", `scrypt$16384$8$1$${SALT}$${HASH}\n`],
    ["letters for numbers", `scrypt$many$8$1$${SALT}$${HASH}`],
    ["a negative cost", `scrypt$-16384$8$1$${SALT}$${HASH}`],
    ["a cost that is no power of two", `scrypt$16383$8$1$${SALT}$${HASH}`],
    ["a cost of one", `scrypt$1$8$1$${SALT}$${HASH}`],
    ["a cost of zero", `scrypt$0$8$1$${SALT}$${HASH}`],
    ["no block size", `scrypt$16384$0$1$${SALT}$${HASH}`],
    ["no parallelisation", `scrypt$16384$8$0$${SALT}$${HASH}`],
    ["a cost of gigabytes", `scrypt$8388608$8$1$${SALT}$${HASH}`],
    ["a block size of gigabytes", `scrypt$131072$999$1$${SALT}$${HASH}`],
    ["hours of work in little memory", `scrypt$131072$8$999$${SALT}$${HASH}`],
  ])("is not valid: %s", async (_, stored) => {
    expect(await passwords.verify(stored, "password")).toBe(false);
    expect(await passwords.verify(stored, "")).toBe(false);
  });

  it("differs from a wrong password by nothing the caller sees", async () => {
    expect(await passwords.verify(storedWith("right", 2 ** 10, 8, 1), "wrong")).toBe(false);
  });
});
