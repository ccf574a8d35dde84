import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { isNamedToken, recogniseToken, TOKEN_NAME } from "../../src/accounts/named-tokens.js";
import type { TokenRegister } from "../../src/accounts/ports.js";
import { newToken } from "../../src/security/new-token.js";
import { openMigrated, type TestDatabase } from "../support/database.js";
import { createRecordingLog } from "../support/recording-log.js";
import { createSqliteDatabase } from "../support/sqlite.js";

const MADE = new Date("2026-05-04T03:02:01Z");

describe("a named token", () => {
  let open: TestDatabase;
  let asked: string[];
  let log: ReturnType<typeof createRecordingLog>;
  const clock = { time: MADE, now: () => clock.time };

  beforeAll(async () => {
    open = await openMigrated(await createSqliteDatabase());
  });
  afterAll(() => open.close());
  beforeEach(() => {
    asked = [];
    log = createRecordingLog();
    clock.time = MADE;
  });

  /** The register of the database; `noteUse` is what a test says instead. */
  const register = (noteUse?: TokenRegister["noteUse"]): Pick<TokenRegister, "find" | "noteUse"> => ({
    find: (token, now) => {
      asked.push("find");
      return open.tokens.find(token, now);
    },
    noteUse: (token, now) => {
      asked.push("noteUse");
      return (noteUse ?? open.tokens.noteUse)(token, now);
    },
  });
  const recognise = (token: string, tokens = register()) => recogniseToken({ tokens, clock, log }, token);
  async function make(name: string): Promise<string> {
    const token = newToken();
    await open.tokens.add(token, { name, scopes: ["read", "upload"], expiresAt: null }, MADE);
    return token;
  }

  it("stands for its name and scopes", async () => {
    const token = await make("importer");
    expect(await recognise(token)).toEqual({ kind: "token", name: "importer", scopes: ["read", "upload"] });
  });

  it("is like no other, and known by its looks", () => {
    const made = Array.from({ length: 100 }, newToken);
    expect(new Set(made).size).toBe(100);
    for (const token of made) expect(token).toMatch(/^ams_[\w-]{43}$/);
    expect(made.every(isNamedToken)).toBe(true);
    expect(["", "AMS_x", "x ams_", "abcdefghijklmnopqrstuvwxyz0123456789abcd"].some(isNamedToken)).toBe(false);
  });

  it("costs one write a minute", async () => {
    const token = await make("busy");
    const writes = async (time: string) => {
      clock.time = new Date(`2026-05-04T${time}Z`);
      await recognise(token);
      return asked.splice(0).filter((call) => call === "noteUse").length;
    };
    expect(await writes("03:02:01.000")).toBe(1);
    expect(await writes("03:02:01.001")).toBe(0);
    expect(await writes("03:02:59.999")).toBe(0);
    expect(await writes("03:03:00.000")).toBe(1);
    expect(await writes("03:03:59.000")).toBe(0);
  });

  it("is good for the call although its use could not be noted, and the log says why", async () => {
    const token = await make("unlucky");
    const err = new Error("the database is read only");
    const actor = await recognise(
      token,
      register(() => Promise.reject(err)),
    );
    expect(actor).toMatchObject({ name: "unlucky" });
    expect(log.lines).toEqual([
      { level: "warn", fields: { err, token: "unlucky" }, message: expect.stringContaining("could not be noted") },
    ]);
  });

  it("is nobody's when it is unknown, and nothing is asked about what cannot be one", async () => {
    expect([await recognise(newToken()), asked.splice(0)]).toEqual([null, ["find"]]);
    for (const odd of ["", "ams_", `${newToken()}x`, newToken().slice(0, -1), newToken().toUpperCase(), " ".repeat(47)])
      expect([await recognise(odd), asked], odd).toEqual([null, []]);
  });

  it.each([
    ["importer", true],
    ["a", true],
    ["nightly-import_2.eu", true],
    ["n".repeat(50), true],
    ["n".repeat(51), false],
    ["", false],
    ["-importer", false],
    ["Importer", false],
    ["im porter", false],
    ["importer\n", false],
    ["importér", false],
    ["@service", false],
  ])("may be called %j: %s", (name, isName) => {
    expect(TOKEN_NAME.test(name)).toBe(isName);
  });
});
