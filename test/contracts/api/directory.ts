import { beforeAll, describe, expect, it } from "vitest";
import type { ApiStage } from "./stage.js";
import type { OutputOf } from "./transport.js";

const BUILDER = "BLD-PSALMSFINE-0420";

/** What the platform keeps here of its things, and who may do what with them. */
export function directoryContract(open: () => ApiStage): void {
  let api: ApiStage;
  let service: ApiStage["people"]["service"];
  beforeAll(() => {
    api = open();
    service = api.people.service;
  });

  describe("entities", () => {
    it("are made and changed: absent leaves, null clears", async () => {
      const publicId = api.newId("PRP");
      const at = { type: "property", publicId } as const;
      const made = await api.call(service, "entities.upsert", { ...at, parentId: BUILDER, name: "House" });
      const facts = { ...at, name: "House", ownerId: null, parentId: BUILDER, adminIds: [] };
      expect(made).toEqual({
        ...facts,
        id: made.id,
        createdAt: made.createdAt,
        updatedAt: made.updatedAt,
      });
      expect(await api.call(service, "entities.upsert", { ...at, name: null })).toMatchObject({ ...facts, name: null });
      for (const ref of [publicId, made.id, String(made.id)])
        expect(await api.call(api.people.stranger, "entities.get", { type: "property", publicId: ref })).toMatchObject({
          id: made.id,
          parentId: BUILDER,
        });
    });

    it("are refused with what is wrong, missing or taken", async () => {
      const refused = (input: object) => api.refusal(service, "entities.upsert", input);
      const publicId = await api.newEntity("builder");
      const { id } = await api.call(service, "entities.get", { type: "builder", publicId });
      expect(await refused({ type: "builder", publicId: api.newId("BLD"), id })).toEqual({
        code: "CONFLICT",
        reason: "The integer id belongs to another entity of this type.",
      });
      expect(await refused({ type: "builder", publicId, parentId: BUILDER })).toEqual({
        code: "VALIDATION",
        issues: [{ path: "parentId", message: "a builder has no parent" }],
      });
      expect(await refused({ type: "builder", publicId: "123" })).toEqual({
        code: "VALIDATION",
        issues: [{ path: "publicId", message: "must not be a number: it would be taken for an integer id" }],
      });
      const missing = { code: "ENTITY_NOT_FOUND", entityType: "builder", entityId: "BLD-NONE" };
      expect(await refused({ type: "property", publicId: api.newId("PRP"), parentId: "BLD-NONE" })).toEqual(missing);
      const nowhere = { type: "builder", publicId: "BLD-NONE" };
      expect(await api.refusal(service, "entities.get", nowhere)).toEqual(missing);
      expect(await api.refusal(service, "entities.delete", nowhere)).toEqual(missing);
      expect(await api.refusal(service, "entities.setMembers", { ...nowhere, adminIds: [] })).toEqual(missing);
    });

    it("are listed page by page to the end", async () => {
      const made = [
        await api.newEntity("sales_rep"),
        await api.newEntity("sales_rep"),
        await api.newEntity("sales_rep"),
      ];
      const listed: OutputOf<"entities.list">["items"] = [];
      let cursor: number | null = 0;
      while (cursor !== null) {
        const page: OutputOf<"entities.list"> = await api.call(service, "entities.list", {
          type: "sales_rep",
          limit: 2,
          cursor,
        });
        listed.push(...page.items);
        cursor = page.nextCursor;
      }
      expect(listed.map(({ publicId }) => publicId).slice(-3)).toEqual(made);
      expect(listed.map(({ id }) => id)).toEqual(listed.map(({ id }) => id).sort((a, b) => a - b));
      expect(await api.refusal(service, "entities.list", { type: "castle" })).toMatchObject({
        code: "VALIDATION",
        issues: [{ path: "type" }],
      });
    });

    it("have admins, who change as a whole", async () => {
      const publicId = await api.newEntity("community", { adminIds: ["USR-ADMIN"] });
      const at = { type: "community", publicId } as const;
      const set = (adminIds: string[]) => api.call(service, "entities.setMembers", { ...at, adminIds });
      expect((await set(["USR-STRANGER", "USR-OWNER"])).adminIds.sort()).toEqual(["USR-OWNER", "USR-STRANGER"]);
      expect(await set([])).toMatchObject({ ...at, adminIds: [] });
    });

    it("go with what hangs below them, and their media to the trash", async () => {
      const builder = await api.newEntity("builder", { ownerId: "USR-OWNER" });
      const gallery = await api.newGallery("a");
      const property = gallery.place.id;
      await api.call(service, "entities.upsert", { type: "property", publicId: property, parentId: builder });
      expect(await api.call(service, "entities.delete", { type: "builder", publicId: builder })).toEqual({
        message: "The entity was removed; its media are in the trash.",
        deletedId: builder,
      });
      const { id } = gallery.item("a");
      expect(await api.refusal(service, "media.get", { id })).toEqual({ code: "MEDIA_NOT_FOUND", mediaId: `${id}` });
      expect(await api.refusal(service, "entities.get", { type: "property", publicId: property })).toEqual({
        code: "ENTITY_NOT_FOUND",
        entityType: "property",
        entityId: property,
      });
    });
  });

  describe("permissions", () => {
    let at: { type: "property"; publicId: string };
    beforeAll(async () => {
      at = { type: "property", publicId: await api.newEntity("property", { parentId: BUILDER }) };
    });
    const check = (person: keyof ApiStage["people"], action: "upload" | "manage" | "view" | "moderate" = "upload") =>
      api.call(api.people[person], "permissions.check", { action, type: at.type, id: at.publicId });

    it("say whether and why", async () => {
      const held = "it is held by the owner of the parent builder or a user with an unexpired upload grant";
      const right = "upload";
      expect(await check("owner")).toEqual({
        allowed: true,
        right,
        reason: "the user is the owner of the parent builder",
      });
      expect(await check("stranger")).toEqual({ allowed: false, right, reason: held });
      expect(await check("nobody")).toEqual({ allowed: false, right, reason: "nobody is signed in" });
      expect(await check("service")).toEqual({ allowed: true, right, reason: "administrators may do everything" });
      expect(await check("nobody", "view")).toMatchObject({ allowed: true, right: "view" });
      expect(await check("moderator", "moderate")).toMatchObject({ allowed: true, right: "moderate" });
      expect(await api.refusal(service, "permissions.check", { action: "view", type: "post", id: "NONE" })).toEqual({
        code: "ENTITY_NOT_FOUND",
        entityType: "post",
        entityId: "NONE",
      });
    });

    it("are granted until a time, told, and taken back", async () => {
      const { owner, stranger } = api.people;
      const grant = { ...at, userId: "USR-STRANGER", right: "upload" } as const;
      const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
      const given = await api.call(owner, "permissions.grant", { ...grant, expiresAt });
      expect(given).toEqual({ userId: "USR-STRANGER", right: "upload", expiresAt, createdAt: given.createdAt });
      expect(await check("stranger")).toMatchObject({ reason: "the user is a user with an unexpired upload grant" });
      expect(await api.refusal(stranger, "permissions.grant", { ...grant, userId: "USR-X" })).toEqual({
        code: "FORBIDDEN",
        right: "grant",
        subject: `property ${at.publicId}`,
        reason: "a grant cannot be passed on",
      });
      const expired = "2020-01-01T01:00:00+01:00";
      expect(await api.call(owner, "permissions.grant", { ...grant, expiresAt: expired })).toMatchObject({
        expiresAt: "2020-01-01T00:00:00.000Z",
      });
      expect(await check("stranger")).toMatchObject({ allowed: false });
      expect((await api.call(owner, "permissions.list", at)).items).toMatchObject([{ userId: "USR-STRANGER" }]);
      const revoke = { ...at, userId: "USR-STRANGER" };
      expect(await api.call(owner, "permissions.revoke", revoke)).toEqual({ message: "The grant was taken back." });
      expect(await api.refusal(owner, "permissions.revoke", revoke)).toEqual({
        code: "NOT_FOUND",
        what: "grant for USR-STRANGER",
      });
      expect(await api.call(owner, "permissions.list", at)).toEqual({ items: [] });
    });

    it("are granted where the type takes grants, of a right there is", async () => {
      const builder = { type: "builder", publicId: BUILDER, userId: "USR-STRANGER", right: "upload" };
      const { owner } = api.people;
      const issues = [{ path: "type", message: "a builder takes no grants" }];
      expect(await api.refusal(owner, "permissions.grant", builder)).toEqual({ code: "VALIDATION", issues });
      expect(await api.refusal(owner, "permissions.list", builder)).toEqual({ code: "VALIDATION", issues });
      expect(await api.refusal(owner, "permissions.grant", { ...builder, right: "rule" })).toEqual({
        code: "VALIDATION",
        issues: [{ path: "right", message: 'Invalid input: expected "upload"' }],
      });
    });
  });
}
