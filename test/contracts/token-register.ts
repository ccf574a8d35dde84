import { describe, expect, it } from "vitest";
import type { NamedToken, TokenRegister } from "../../src/accounts/ports.js";
import { NOW } from "../support/media-rows.js";

const conflict = { failure: { code: "CONFLICT", reason: "A living token has this name." } };
const later = (ms: number) => new Date(NOW.getTime() + ms);
const HOUR_MS = 3_600_000;

/** What every TokenRegister does. `dump` answers every value of every table, as other tools read them. */
export function tokenRegisterContract(open: () => { tokens: TokenRegister; dump(): Promise<string> }): void {
  const tokens = () => open().tokens;
  const add = (token: string, entry: Partial<NamedToken> & { name: string }, now = NOW) =>
    tokens().add(token, { scopes: ["upload"], expiresAt: null, ...entry }, now);
  const named = async (name: string) => (await tokens().list()).filter((entry) => entry.name === name);

  it("finds a token that was added, by every letter of it", async () => {
    const entry = { name: "whole", scopes: ["read", "moderate"], expiresAt: later(HOUR_MS) } as const;
    const added = { ...entry, createdAt: NOW, lastUsedAt: null, revokedAt: null };
    expect(await tokens().add("ams_whole", entry, NOW)).toEqual(added);
    expect(await tokens().find("ams_whole", NOW)).toEqual(added);
    for (const other of ["", "ams_whol", "ams_whole ", "AMS_WHOLE", "ams_whole\0", "whole"])
      expect(await tokens().find(other, NOW), JSON.stringify(other)).toBeUndefined();
  });

  it("keeps nothing a token could be made of", async () => {
    await add("ams_secret-of-nobody-else", { name: "secret" });
    const dump = await open().dump();
    expect(dump).toContain("secret");
    expect(dump).not.toContain("secret-of-nobody-else");
  });

  it("tells tokens apart that were given to two names", async () => {
    await Promise.all([add("ams_one", { name: "one", scopes: ["read"] }), add("ams_two", { name: "two" })]);
    expect(await tokens().find("ams_one", NOW)).toMatchObject({ name: "one", scopes: ["read"] });
    expect(await tokens().find("ams_two", NOW)).toMatchObject({ name: "two", scopes: ["upload"] });
  });

  describe("a name", () => {
    it("belongs to one living token, whoever comes at once", async () => {
      const all = await Promise.allSettled([1, 2, 3, 4].map((n) => add(`ams_race-${n}`, { name: "race" })));
      expect(all.filter((each) => each.status === "fulfilled")).toHaveLength(1);
      await expect(add("ams_race-5", { name: "race" })).rejects.toMatchObject(conflict);
      expect(await tokens().find("ams_race-5", NOW)).toBeUndefined();
      expect(await named("race")).toHaveLength(1);
    });

    it("is free again once its token is revoked, which stays on record", async () => {
      await add("ams_again-1", { name: "again" });
      expect(await tokens().revoke("again", later(1))).toBe(true);
      await add("ams_again-2", { name: "again" }, later(2));
      expect(await named("again")).toMatchObject([
        { createdAt: NOW, revokedAt: later(1) },
        { createdAt: later(2), revokedAt: null },
      ]);
      expect(await tokens().find("ams_again-1", later(2))).toBeUndefined();
      expect(await tokens().find("ams_again-2", later(2))).toBeDefined();
    });

    it("is free again once its token has expired, and not a moment before", async () => {
      await add("ams_lapse-1", { name: "lapse", expiresAt: later(HOUR_MS) });
      await expect(add("ams_lapse-2", { name: "lapse" }, later(HOUR_MS - 1))).rejects.toMatchObject(conflict);
      await add("ams_lapse-3", { name: "lapse" }, later(HOUR_MS));
      expect(await tokens().revoke("lapse", later(HOUR_MS))).toBe(true);
      expect((await named("lapse")).map((entry) => entry.revokedAt)).toEqual([null, later(HOUR_MS)]);
    });
  });

  it("lives until it expires, to the millisecond", async () => {
    await add("ams_short", { name: "short", expiresAt: later(1000) });
    expect(await tokens().find("ams_short", later(999))).toBeDefined();
    expect(await tokens().find("ams_short", later(1000))).toBeUndefined();
  });

  it("ends when it is revoked, once, also after it has expired", async () => {
    await add("ams_ended", { name: "ended", expiresAt: later(1000) });
    expect(await tokens().revoke("ended", later(2000))).toBe(true);
    expect(await tokens().find("ams_ended", NOW)).toBeUndefined();
    for (const name of ["ended", "nobody", "ENDED", "ended ", ""])
      expect(await tokens().revoke(name, later(3000)), name).toBe(false);
    expect(await named("ended")).toMatchObject([{ revokedAt: later(2000) }]);
  });

  it("keeps the minute of its last use, and no earlier one", async () => {
    await add("ams_used", { name: "used" });
    const lastUse = async () => (await tokens().find("ams_used", NOW))?.lastUsedAt?.toISOString();
    expect(await lastUse()).toBeUndefined();
    const at = (time: string) => new Date(`2026-03-04T${time}Z`);
    for (const [time, kept] of [
      ["05:06:07.008", "05:06:00.000"],
      ["05:06:59.999", "05:06:00.000"],
      ["05:07:00.000", "05:07:00.000"],
      ["05:05:30.000", "05:07:00.000"],
    ] as const) {
      await tokens().noteUse("ams_used", at(time));
      expect(await lastUse()).toBe(`2026-03-04T${kept}Z`);
    }
    await tokens().noteUse("ams_nobody's", NOW);
    expect(await named("two").then(([two]) => two?.lastUsedAt)).toBeNull();
  });

  it("lists by name, then by age", async () => {
    const names = (await tokens().list()).map((entry) => entry.name);
    expect(names).toEqual([...names].sort());
    expect(names).toEqual(expect.arrayContaining(["again", "ended", "whole"]));
  });
}
