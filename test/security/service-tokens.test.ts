import { describe, expect, it } from "vitest";
import { createServiceTokens } from "../../src/security/service-tokens.js";

describe("the service token", () => {
  const tokens = createServiceTokens("the-service-token-é");

  it("is valid letter by letter", async () => {
    expect(await tokens.isValid("the-service-token-é")).toBe(true);
  });

  it.each([
    "",
    " ",
    "the-service-token",
    "the-service-token-",
    "the-service-token-e",
    "the-service-token-e\u0301",
    "the-service-token-é ",
    " the-service-token-é",
    "THE-SERVICE-TOKEN-É",
    "the-service-token-é\0",
    "the-service-token-éthe-service-token-é",
    "x".repeat(100_000),
  ])("is not %j", async (candidate) => {
    expect(await tokens.isValid(candidate)).toBe(false);
  });

  it("is nothing at all where none is configured", async () => {
    for (const none of [createServiceTokens(null), createServiceTokens("")])
      for (const candidate of ["", "null", "undefined", "the-service-token-é"])
        expect(await none.isValid(candidate)).toBe(false);
  });

  it("is told apart however few bits the digests differ by", async () => {
    const candidates = Array.from({ length: 500 }, (_, i) => `token-${i}`);
    for (const candidate of candidates) {
      const own = createServiceTokens(candidate);
      expect(await own.isValid(candidate)).toBe(true);
      expect(await own.isValid(`${candidate}0`)).toBe(false);
    }
  });
});
