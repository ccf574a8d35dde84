import { describe, expect, it } from "vitest";
import type { Database, Entity, EntityTies } from "../../src/media/ports.js";
import { LATER, NOW, newEntity } from "../support/media-rows.js";

const conflict = { failure: { code: "CONFLICT" } };
const NONE: EntityTies = {
  isOwner: false,
  isAdmin: false,
  isParentOwner: false,
  isParentAdmin: false,
  hasGrant: false,
};

/** What every EntityDirectory does. `database` answers a database with all its tables. */
export function entityDirectoryContract(database: () => Database): void {
  const entities = () => database().entities;
  const add: (
    ...args: Parameters<typeof newEntity> extends [unknown, ...infer Rest] ? Rest : never
  ) => Promise<Entity> = (...args) => newEntity(database(), ...args);

  describe("upsert", () => {
    it("creates with the next integer of the type, and answers what find answers", async () => {
      const first = await add("builder", { ownerId: "USR-1", name: "Häuser 🏗" });
      const second = await add("builder");
      expect(second.id).toBe(first.id + 1);
      expect(first).toEqual({
        id: first.id,
        type: "builder",
        publicId: first.publicId,
        name: "Häuser 🏗",
        ownerId: "USR-1",
        parent: null,
        createdAt: NOW,
        updatedAt: NOW,
      });
      expect(await entities().find("builder", first.id)).toEqual(first);
    });

    it("keeps the integer ids of the types apart, and takes one that is asked for", async () => {
      const post = await add("post", { id: 4711 });
      const rep = await add("sales_rep", { id: 4711 });
      expect([post.id, rep.id, (await add("post")).id]).toEqual([4711, 4711, 4712]);
    });

    it("leaves what is absent, clears what is null", async () => {
      const builder = await add("builder");
      const parent = { type: "builder", publicId: builder.publicId } as const;
      const { publicId, id } = await add("property", { ownerId: "USR-1", name: "n", parent });
      const kept = await entities().upsert({ type: "property", publicId }, LATER);
      expect(kept).toMatchObject({ id, ownerId: "USR-1", name: "n", parent: { ...parent, id: builder.id } });
      expect(kept).toMatchObject({ createdAt: NOW, updatedAt: LATER });
      const cleared = await entities().upsert(
        { type: "property", publicId, ownerId: null, name: null, parent: null },
        LATER,
      );
      expect(cleared).toMatchObject({ id, ownerId: null, name: null, parent: null });
    });

    it("refuses another integer id than the stored one, or one that is taken", async () => {
      const { publicId, id } = await add("builder");
      await expect(entities().upsert({ type: "builder", publicId, id: id + 1000 }, NOW)).rejects.toMatchObject(
        conflict,
      );
      await expect(entities().upsert({ type: "builder", publicId: "BLD-thief", id }, NOW)).rejects.toMatchObject(
        conflict,
      );
      expect(await entities().find("builder", "BLD-thief")).toBeUndefined();
      expect((await entities().upsert({ type: "builder", publicId, id }, NOW)).id).toBe(id);
    });

    it("refuses a parent that is not there or was deleted, and writes nothing", async () => {
      const missing = { failure: { code: "ENTITY_NOT_FOUND", entityType: "builder" } };
      const gone = await add("builder");
      await entities().delete(gone, NOW);
      for (const parentId of ["BLD-nowhere", gone.publicId]) {
        const parent = { type: "builder", publicId: parentId } as const;
        await expect(entities().upsert({ type: "property", publicId: "PRP-x", parent }, NOW)).rejects.toMatchObject(
          missing,
        );
      }
      expect(await entities().find("property", "PRP-x")).toBeUndefined();
    });

    it("revives what was deleted, under the same integer id", async () => {
      const entity = await add("post", { ownerId: "USR-1" });
      await entities().delete(entity, NOW);
      const revived = await entities().upsert({ type: "post", publicId: entity.publicId }, LATER);
      expect(revived).toEqual({ ...entity, updatedAt: LATER });
    });

    it("replaces the whole set of administrators, or leaves it", async () => {
      const { publicId, ...entity } = await add("community", { adminIds: ["USR-b", "USR-a", "USR-b"] });
      const admins = () => entities().adminIds({ ...entity, publicId });
      expect(await admins()).toEqual(["USR-a", "USR-b"]);
      await entities().upsert({ type: "community", publicId }, LATER);
      expect(await admins()).toEqual(["USR-a", "USR-b"]);
      await entities().upsert({ type: "community", publicId, adminIds: ["USR-c"] }, LATER);
      expect(await admins()).toEqual(["USR-c"]);
      await entities().upsert({ type: "community", publicId, adminIds: [] }, LATER);
      expect(await admins()).toEqual([]);
    });

    it("gives entities that are made at once an integer each, and one entity made at once one row", async () => {
      const many = await Promise.all(Array.from({ length: 12 }, () => add("amenity")));
      expect(new Set(many.map((entity) => entity.id)).size).toBe(12);
      const same = await Promise.all(Array.from({ length: 6 }, () => add("amenity", { publicId: "AMN-same" })));
      expect(new Set(same.map((entity) => entity.id)).size).toBe(1);
    });

    it("joins the transaction it is called in", async () => {
      const undone = database().transact(async (stores) => {
        await stores.entities.upsert({ type: "post", publicId: "PST-undone" }, NOW);
        expect(await stores.entities.find("post", "PST-undone")).toBeDefined();
        throw new RangeError("undo");
      });
      await expect(undone).rejects.toThrow(RangeError);
      expect(await entities().find("post", "PST-undone")).toBeUndefined();
    });
  });

  describe("find, list, children", () => {
    it("takes either id, exactly, and never what was deleted", async () => {
      const entity = await add("builder", { publicId: "BLD-PSALMSFINE-0420" });
      for (const ref of [entity.id, String(entity.id), entity.publicId])
        expect(await entities().find("builder", ref), String(ref)).toEqual(entity);
      for (const ref of ["bld-psalmsfine-0420", "BLD-PSALMSFINE-0420 ", "", 987_654_321])
        expect(await entities().find("builder", ref), String(ref)).toBeUndefined();
      expect(await entities().find("post", entity.publicId)).toBeUndefined();
      await entities().delete(entity, LATER);
      expect(await entities().find("builder", entity.id)).toBeUndefined();
    });

    it("pages by integer id", async () => {
      const all = [await add("user"), await add("user"), await add("user")];
      const [first] = all;
      const before = (first?.id ?? 0) - 1;
      const page = await entities().list({ type: "user", limit: 2, after: before });
      expect(page).toEqual({ items: all.slice(0, 2), nextAfter: all[1]?.id });
      const rest = await entities().list({ type: "user", limit: 2, after: page.nextAfter });
      expect(rest).toEqual({ items: all.slice(2), nextAfter: null });
      expect((await entities().list({ type: "user", limit: 1, after: null })).items).toHaveLength(1);
    });

    it("knows the children that are there", async () => {
      const community = await add("community");
      const parent = { type: "community", publicId: community.publicId } as const;
      const pool = await add("amenity", { parent });
      const gone = await add("amenity", { parent });
      await entities().delete(gone, NOW);
      expect(await entities().children(community)).toEqual([pool]);
      expect(await entities().children(pool)).toEqual([]);
      expect(pool.parent).toEqual({ ...parent, id: community.id });
    });
  });

  const ties = (entity: Entity, userId: string, now = NOW) => entities().ties(entity, userId, now);

  describe("ties", () => {
    it("tells owner and administrator from strangers", async () => {
      const entity = await add("community", { ownerId: "USR-owner", adminIds: ["USR-admin", "USR-two"] });
      expect(await ties(entity, "USR-owner")).toEqual({ ...NONE, isOwner: true });
      expect(await ties(entity, "USR-admin")).toEqual({ ...NONE, isAdmin: true });
      expect(await ties(entity, "USR-stranger")).toEqual(NONE);
      expect(await ties(entity, "usr-admin")).toEqual(NONE);
    });

    it("looks one parent up", async () => {
      const grandparent = await add("builder", { ownerId: "USR-grand" });
      const parentOf = ({ type, publicId }: Entity) => ({ type, publicId });
      const owners = { ownerId: "USR-owner", adminIds: ["USR-admin"] };
      const parent = await add("community", { ...owners, parent: parentOf(grandparent) });
      const entity = await add("amenity", { parent: parentOf(parent) });
      expect(await ties(entity, "USR-owner")).toEqual({ ...NONE, isParentOwner: true });
      expect(await ties(entity, "USR-admin")).toEqual({ ...NONE, isParentAdmin: true });
      expect(await ties(entity, "USR-grand")).toEqual(NONE);
      await entities().delete(parent, NOW);
      expect(await ties(entity, "USR-owner")).toEqual(NONE);
      expect(await ties(entity, "USR-admin")).toEqual(NONE);
    });

    it("honours a grant until it expires or is revoked", async () => {
      const entity = await add("property");
      const grant = await entities().grant(entity, { userId: "USR-g", right: "upload", expiresAt: LATER }, NOW);
      expect(grant).toEqual({ userId: "USR-g", right: "upload", expiresAt: LATER, createdAt: NOW });
      expect(await ties(entity, "USR-g")).toEqual({ ...NONE, hasGrant: true });
      expect(await ties(entity, "USR-g", LATER)).toEqual(NONE);
      await entities().grant(entity, { userId: "USR-g", right: "upload", expiresAt: null }, NOW);
      expect(await ties(entity, "USR-g", LATER)).toEqual({ ...NONE, hasGrant: true });
      expect(await entities().revoke(entity, "USR-g")).toBe(true);
      expect(await entities().revoke(entity, "USR-g")).toBe(false);
      expect(await ties(entity, "USR-g")).toEqual(NONE);
    });

    it("ties nobody to a deleted entity", async () => {
      const entity = await add("builder", { ownerId: "USR-owner" });
      await entities().delete(entity, NOW);
      expect(await ties(entity, "USR-owner")).toEqual(NONE);
    });
  });

  describe("tied", () => {
    const tied = async (userId: string, { now = NOW, limit = 100 } = {}) => {
      const found = await entities().tied(userId, now, limit);
      return found.map(({ entity, ties }) => [
        entity.type,
        entity.id,
        Object.keys(ties).filter((tie) => ties[tie as keyof EntityTies]),
      ]);
    };
    const under = ({ type, publicId }: Entity) => ({ parent: { type, publicId } });

    it("answers nothing for strangers, whoever they are", async () => {
      await add("builder", { ownerId: "USR-tied-owner", adminIds: ["USR-tied-admin"] });
      for (const stranger of ["USR-tied-nobody", "usr-tied-owner", "USR-tied-owner ", "", "%"])
        expect(await tied(stranger), stranger).toEqual([]);
    });

    it("finds what the user owns, administers and may upload to, and the children of the first two", async () => {
      const me = "USR-tied-all";
      const owned = await add("builder", { ownerId: me });
      const child = await add("property", under(owned));
      const administered = await add("community", { adminIds: ["USR-other", me] });
      const amenity = await add("amenity", under(administered));
      const granted = await add("property");
      await entities().grant(granted, { userId: me, right: "upload", expiresAt: LATER }, NOW);
      await add("amenity", under(granted));
      await add("builder", { ownerId: "USR-other" });
      expect(await tied(me)).toEqual([
        ["builder", owned.id, ["isOwner"]],
        ["property", child.id, ["isParentOwner"]],
        ["community", administered.id, ["isAdmin"]],
        ["amenity", amenity.id, ["isParentAdmin"]],
        ["property", granted.id, ["hasGrant"]],
      ]);
    });

    it("says of every entity what ties says of it, also where there are several", async () => {
      const me = "USR-tied-same";
      const parent = await add("builder", { ownerId: me, adminIds: [me] });
      const child = await add("property", { ...under(parent), ownerId: me, adminIds: [me] });
      await entities().grant(child, { userId: me, right: "upload", expiresAt: null }, NOW);
      const found = await entities().tied(me, NOW, 10);
      expect(found).toEqual([
        { entity: { type: "builder", id: parent.id }, ties: await ties(parent, me) },
        { entity: { type: "property", id: child.id }, ties: await ties(child, me) },
      ]);
      expect(Object.values(found[1]?.ties ?? {})).toEqual([true, true, true, true, true]);
    });

    it("leaves out expired grants, and what was deleted with all below it", async () => {
      const me = "USR-tied-gone";
      const granted = await add("property");
      await entities().grant(granted, { userId: me, right: "upload", expiresAt: LATER }, NOW);
      expect(await tied(me)).toHaveLength(1);
      expect(await tied(me, { now: LATER })).toEqual([]);
      await entities().delete(granted, NOW);
      const owned = await add("builder", { ownerId: me });
      await add("property", under(owned));
      expect(await tied(me)).toHaveLength(2);
      await entities().delete(owned, NOW);
      expect(await tied(me)).toEqual([]);
    });

    it("goes no further than children", async () => {
      const me = "USR-tied-grand";
      const owned = await add("builder", { ownerId: me });
      const child = await add("property", under(owned));
      await add("amenity", under(child));
      expect((await tied(me)).map(([type]) => type)).toEqual(["builder", "property"]);
    });

    it("stops at the limit", async () => {
      const me = "USR-tied-many";
      const all = [];
      for (let n = 0; n < 5; n++) all.push(await add("post", { ownerId: me }));
      expect((await tied(me, { limit: 3 })).map(([, id]) => id)).toEqual(all.slice(0, 3).map((entity) => entity.id));
    });
  });

  it("lists grants in the order they were given, one a user", async () => {
    const entity = await add("property");
    expect(await entities().grants(entity)).toEqual([]);
    await entities().grant(entity, { userId: "USR-b", right: "upload", expiresAt: null }, NOW);
    await entities().grant(entity, { userId: "USR-a", right: "upload", expiresAt: null }, NOW);
    await entities().grant(entity, { userId: "USR-b", right: "upload", expiresAt: LATER }, LATER);
    expect((await entities().grants(entity)).map((grant) => [grant.userId, grant.expiresAt])).toEqual([
      ["USR-a", null],
      ["USR-b", LATER],
    ]);
  });

  it("refuses a grant on what is not there", async () => {
    const entity = await add("property");
    await entities().delete(entity, NOW);
    const given = entities().grant(entity, { userId: "USR-a", right: "upload", expiresAt: null }, NOW);
    await expect(given).rejects.toMatchObject({ failure: { code: "ENTITY_NOT_FOUND" } });
  });

  describe("lock", () => {
    it("tells whether the entity is there", async () => {
      const entity = await add("builder");
      expect(await database().transact((stores) => stores.entities.lock(entity))).toBe(true);
      await entities().delete(entity, NOW);
      expect(await database().transact((stores) => stores.entities.lock(entity))).toBe(false);
    });

    it("has no meaning outside a transaction", async () => {
      await expect(entities().lock(await add("builder"))).rejects.toThrow(TypeError);
    });

    it("makes transactions on one entity follow each other, each seeing what the one before wrote", async () => {
      const entity = await add("builder", { name: "" });
      const appendLetter = (letter: string) =>
        database().transact(async (stores) => {
          // Reading first is what would freeze a repeatable read in the past.
          await stores.entities.find("builder", entity.id);
          await stores.entities.lock(entity);
          const current = await stores.entities.find("builder", entity.id);
          const name = `${current?.name ?? ""}${letter}`;
          await stores.entities.upsert({ type: "builder", publicId: entity.publicId, name }, NOW);
        });
      await Promise.all("abcdefgh".split("").map(appendLetter));
      const { name } = (await entities().find("builder", entity.id)) ?? { name: null };
      expect((name ?? "").split("").sort().join("")).toBe("abcdefgh");
    });
  });
}
