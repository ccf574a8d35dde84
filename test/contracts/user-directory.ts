import { describe, expect, it } from "vitest";
import type { UserDirectory } from "../../src/accounts/ports.js";
import type { Database } from "../../src/media/ports.js";
import { LATER, NOW } from "../support/media-rows.js";

const conflict = { failure: { code: "CONFLICT" } };

/** What every UserDirectory does, together with the entities of the same database. */
export function userDirectoryContract(open: () => { users: UserDirectory; database: Database }): void {
  const users = () => open().users;
  const entities = () => open().database.entities;

  it("makes a user, with the least rights where nothing is said", async () => {
    const user = await users().upsert({ publicId: "USR-new" }, NOW);
    expect(user).toEqual({
      id: user.id,
      publicId: "USR-new",
      email: null,
      role: "user",
      verified: false,
      createdAt: NOW,
    });
    for (const ref of ["USR-new", user.id, String(user.id)]) expect(await users().find(ref)).toEqual(user);
  });

  it("makes the user's entity too, under the same integer id and owned by the user", async () => {
    const user = await users().upsert({ publicId: "USR-entity" }, NOW);
    const entity = await entities().find("user", "USR-entity");
    expect(entity).toMatchObject({ id: user.id, ownerId: "USR-entity" });
  });

  it("takes over the integer id of an entity that was there first", async () => {
    const entity = await entities().upsert({ type: "user", publicId: "USR-first", id: 7001 }, NOW);
    expect((await users().upsert({ publicId: "USR-first" }, NOW)).id).toBe(entity.id);
  });

  it("leaves what is absent, clears what is null", async () => {
    const given = { email: "keep@example.org", passwordHash: "hash", role: "moderator", verified: true } as const;
    const user = await users().upsert({ publicId: "USR-keep", ...given }, NOW);
    expect(await users().upsert({ publicId: "USR-keep" }, LATER)).toEqual(user);
    expect(await users().credentials("keep@example.org")).toEqual({ user, passwordHash: "hash" });
    const changed = await users().upsert({ publicId: "USR-keep", email: null, role: "user", verified: false }, LATER);
    expect(changed).toEqual({ ...user, email: null, role: "user", verified: false });
    expect(await users().credentials("keep@example.org")).toBeUndefined();
  });

  it("knows nobody it was not told of", async () => {
    for (const ref of [0, 987_654_321, "", "USR-nobody"]) expect(await users().find(ref)).toBeUndefined();
    expect(await users().credentials("nobody@example.org")).toBeUndefined();
    expect(await users().credentials("")).toBeUndefined();
  });

  it("tells public ids apart exactly", async () => {
    await users().upsert({ publicId: "USR-Case" }, NOW);
    expect(await users().find("usr-case")).toBeUndefined();
    expect(await users().find("USR-Case ")).toBeUndefined();
  });

  describe("e-mail addresses", () => {
    it("are the same in any letter case", async () => {
      const user = await users().upsert({ publicId: "USR-mail", email: "Jörg.Mail@Example.org" }, NOW);
      expect(user.email).toBe("jörg.mail@example.org");
      expect(await users().credentials("JÖRG.MAIL@EXAMPLE.ORG")).toEqual({ user, passwordHash: null });
      expect(await users().credentials("jorg.mail@example.org")).toBeUndefined();
      expect(await users().credentials("jörg.mail@example.org ")).toBeUndefined();
    });

    it("belong to one user", async () => {
      await users().upsert({ publicId: "USR-holder", email: "one@example.org" }, NOW);
      const thief = users().upsert({ publicId: "USR-thief", email: "ONE@example.org" }, NOW);
      await expect(thief).rejects.toMatchObject(conflict);
      expect(await users().find("USR-thief")).toBeUndefined();
      expect(await entities().find("user", "USR-thief")).toBeUndefined();
    });

    it("may be missing for many", async () => {
      await users().upsert({ publicId: "USR-none-1", email: null }, NOW);
      await expect(users().upsert({ publicId: "USR-none-2", email: null }, NOW)).resolves.toBeDefined();
    });
  });

  it("makes one user of many upserts at once", async () => {
    const made = await Promise.all(Array.from({ length: 8 }, () => users().upsert({ publicId: "USR-once" }, NOW)));
    expect(new Set(made.map((user) => user.id)).size).toBe(1);
  });
}
