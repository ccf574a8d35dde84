import { afterEach, describe, expect, it, vi } from "vitest";
import { createIdempotencyKey } from "../../client/idempotency-key.js";

const { crypto } = globalThis;

describe("a key of the client's own", () => {
  afterEach(() => vi.unstubAllGlobals());

  it.each<[string, unknown]>([
    ["everything", crypto],
    [
      "no TLS, hence no randomUUID",
      { getRandomValues: (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes) },
    ],
    ["no crypto", undefined],
  ])("is a random UUID where there is %s", (_, present) => {
    vi.stubGlobal("crypto", present);
    const keys = Array.from({ length: 200 }, createIdempotencyKey);
    const uuid = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;
    expect(keys.filter((key) => !uuid.test(key))).toEqual([]);
    expect(new Set(keys).size).toBe(200);
  });
});
