import { beforeAll, describe, expect, it } from "vitest";
import { lettersOf, type TestGallery } from "../../support/gallery.js";
import type { ApiStage } from "./stage.js";
import type { ProcedureName } from "./transport.js";

/** What people do with the items of what is theirs. */
export function managingContract(open: () => ApiStage, lacks: readonly ProcedureName[]): void {
  let api: ApiStage;
  let owner: ApiStage["people"]["owner"];
  beforeAll(() => {
    api = open();
    owner = api.people.owner;
  });

  const invalid = (path: string, message: unknown = expect.any(String)) => ({
    code: "VALIDATION",
    issues: [{ path, message }],
  });
  const gone = (mediaId: number | string) => ({ code: "MEDIA_NOT_FOUND", mediaId: String(mediaId) });

  /** By someone whose the gallery is not: the right is named, and who holds it. */
  const forbidden = ({ place }: TestGallery) => ({
    code: "FORBIDDEN",
    right: "manage",
    subject: `property ${place.id}`,
    reason: "it is held by the owner of the parent builder or a user with an unexpired upload grant",
  });

  describe("an update", () => {
    let gallery: TestGallery;
    beforeAll(async () => {
      gallery = await api.newGallery("ab", { tags: "old" });
    });
    const update = (edit: object, letter = "a") =>
      api.call(owner, "media.update", { id: gallery.item(letter).publicId, ...edit });

    it("changes what is given, leaves what is absent, and null clears", async () => {
      const said = { altText: "Ein Häuschen 🏡", caption: "At dusk", focalPoint: { x: 0.25, y: 1 } };
      const first = await update(said);
      expect(first).toEqual({ ...gallery.item("a"), ...said, updatedAt: first.updatedAt });
      expect(await update({ tags: ["dusk", "brick"] })).toMatchObject({ ...said, tags: ["dusk", "brick"] });
      const cleared = await update({ altText: null, caption: null, tags: null, focalPoint: null });
      expect(cleared).toMatchObject({ altText: null, caption: null, tags: [], focalPoint: null });
      expect(await api.call(owner, "media.get", { id: gallery.item("a").id })).toEqual(cleared);
    });

    it("of nothing changes nothing", async () => {
      expect(await update({}, "b")).toEqual(gallery.item("b"));
    });

    it("is refused with every objection, and then nothing is changed", async () => {
      const at = { id: gallery.item("b").id };
      const refused = (edit: object) => api.refusal(owner, "media.update", { ...at, ...edit });
      expect(await refused({ altText: "x".repeat(501), focalPoint: { x: 2, y: 0 } })).toEqual({
        code: "VALIDATION",
        issues: [
          { path: "altText", message: "Too big: expected string to have <=500 characters" },
          { path: "focalPoint.x", message: "Too big: expected number to be <=1" },
        ],
      });
      expect(await refused({ moderationStatus: "approved" })).toEqual(
        invalid("", 'Unrecognized key: "moderationStatus"'),
      );
      expect(await refused({ isPublic: null })).toEqual(
        invalid("isPublic", "Invalid input: expected boolean, received null"),
      );
      expect(await api.call(owner, "media.get", at)).toEqual(gallery.item("b"));
    });

    it("is for those who manage, of what is there", async () => {
      const { id } = gallery.item("b");
      expect(await api.refusal(api.people.stranger, "media.update", { id })).toEqual(forbidden(gallery));
      expect(await api.refusal(owner, "media.update", { id: "MED-NONE", altText: "x" })).toEqual(gone("MED-NONE"));
    });

    it.skipIf(lacks.includes("media.setPrimary"))("is also the mark of the primary item", async () => {
      const { id } = gallery.item("b");
      expect(await api.call(owner, "media.setPrimary", { id })).toMatchObject({ id, isPrimary: true });
      expect(await update({ isPrimary: true })).toMatchObject({ isPrimary: true });
      expect(await api.call(owner, "media.get", { id })).toMatchObject({ isPrimary: false });
      expect(await api.refusal(api.people.stranger, "media.setPrimary", { id })).toEqual(forbidden(gallery));
    });
  });

  describe("the order", () => {
    let gallery: TestGallery;
    beforeAll(async () => {
      gallery = await api.newGallery("abcd");
    });
    const at = () => ({ type: "property" as const, id: gallery.place.id, field: "gallery" as const });

    it("is given whole, by either id", async () => {
      const [d, c, b] = gallery.ids("dcb");
      const mediaIds = [d ?? 0, String(c), gallery.item("a").publicId, b ?? 0];
      expect(lettersOf((await api.call(owner, "media.reorder", { ...at(), mediaIds })).items)).toBe("dcab");
      expect(await gallery.order()).toBe("dcab");
      await api.call(owner, "media.reorder", { ...at(), mediaIds: gallery.ids("abcd") });
    });

    it("is refused whole where an item is left out, doubled or of elsewhere", async () => {
      const [a, b, c, d] = gallery.ids("abcd");
      for (const [mediaIds, path, message] of [
        [[d, c, b], "mediaIds", `leaves out ${gallery.item("a").publicId}`],
        [[d, c, b, a, a], "mediaIds", "names an item more than once"],
        [[d, c, "MED-NONE", a], "mediaIds.2", "MED-NONE is no item of this gallery"],
        [[d, c, 0], "mediaIds.2", "Too small: expected number to be >0"],
      ] as const)
        expect(await api.refusal(owner, "media.reorder", { ...at(), mediaIds })).toEqual(invalid(path, message));
      expect(await api.refusal(owner, "media.reorder", { ...at(), field: "cover", mediaIds: [] })).toEqual(
        invalid("field", "a property has no cover"),
      );
      const mediaIds = gallery.ids("dcba");
      expect(await api.refusal(api.people.stranger, "media.reorder", { ...at(), mediaIds })).toEqual(
        forbidden(gallery),
      );
      expect(await gallery.order()).toBe("abcd");
    });

    it("changes by one item that moves before or after another", async () => {
      const { id, publicId } = gallery.item("d");
      await api.call(owner, "media.move", { id, before: gallery.item("a").publicId });
      expect(await gallery.order()).toBe("dabc");
      expect(await api.call(owner, "media.move", { id: publicId, after: gallery.item("b").id })).toMatchObject({ id });
      expect(await gallery.order()).toBe("abdc");
      await api.call(owner, "media.move", { id, after: gallery.item("c").id });
    });

    it("stays where a move says both sides, none, itself or what is not beside it", async () => {
      const [id = 0, b] = gallery.ids("ab");
      const refused = (target: object) => api.refusal(owner, "media.move", { id, ...target });
      const neither = invalid("", "give either before or after");
      expect(await refused({})).toEqual(neither);
      expect(await refused({ before: b, after: b })).toEqual(neither);
      expect(await refused({ after: id })).toEqual(invalid("after", "an item cannot be moved beside itself"));
      expect(await refused({ before: "MED-NONE" })).toEqual(
        invalid("before", "MED-NONE is no item of the same gallery"),
      );
      expect(await api.refusal(api.people.stranger, "media.move", { id, after: b })).toEqual(forbidden(gallery));
      expect(await gallery.order()).toBe("abcd");
    });
  });

  describe("the trash", () => {
    let gallery: TestGallery;
    beforeAll(async () => {
      gallery = await api.newGallery("abcd");
    });

    it("takes an item and gives it back to its place", async () => {
      const { id, publicId } = gallery.item("b");
      const answer = { message: "The item is in the trash.", deletedId: id };
      expect(await api.call(owner, "media.delete", { id: publicId })).toEqual(answer);
      expect(await gallery.order()).toBe("acd");
      expect(await api.refusal(owner, "media.get", { id })).toEqual(gone(id));
      expect(await api.refusal(owner, "media.delete", { id })).toEqual(gone(id));
      const restored = await api.call(owner, "media.restore", { id });
      expect(restored).toEqual({ ...gallery.item("b"), updatedAt: restored.updatedAt });
      expect(await gallery.order()).toBe("abcd");
      expect(await api.refusal(owner, "media.restore", { id: publicId })).toEqual(gone(publicId));
    });

    it("tells strangers nothing", async () => {
      const { id } = gallery.item("a");
      expect(await api.refusal(api.people.stranger, "media.delete", { id })).toEqual(forbidden(gallery));
      expect(await api.refusal(api.people.stranger, "media.restore", { id })).toEqual(gone(id));
    });

    it("is passed over by administrators alone", async () => {
      const { id } = gallery.item("d");
      expect(await api.refusal(owner, "media.delete", { id, permanent: true })).toEqual({
        code: "FORBIDDEN",
        right: "delete-for-ever",
        subject: null,
        reason: "it is held by admins and services",
      });
      const answer = { message: "The item was removed for good.", deletedId: id };
      expect(await api.call(api.people.admin, "media.delete", { id, permanent: true })).toEqual(answer);
      expect(await api.refusal(api.people.admin, "media.restore", { id })).toEqual(gone(id));
    });

    it("takes many, each for itself", async () => {
      const [a = 0] = gallery.ids("a");
      const b = gallery.item("b").publicId;
      expect(await api.call(owner, "media.batchDelete", { mediaIds: [a, "MED-NONE", b, a] })).toEqual({
        deleted: [a, b],
        deletedCount: 2,
        failed: ["MED-NONE", a].map((id) => ({
          id,
          code: "MEDIA_NOT_FOUND",
          message: `There is no media item "${id}".`,
        })),
        failedCount: 2,
        message: "2 of 4 items are in the trash.",
      });
      expect(await gallery.order()).toBe("c");
      expect(await api.refusal(owner, "media.batchDelete", { mediaIds: [] })).toEqual(
        invalid("mediaIds", "Too small: expected array to have >=1 items"),
      );
    });

    it("takes the likes of an item that is kept", async () => {
      const likes = await api.newGallery("abc", { tags: "one" });
      const kept = likes.item("c");
      const refused = (mediaIds: unknown[]) => api.refusal(owner, "media.resolveDuplicates", { id: kept.id, mediaIds });
      expect(await refused(["MED-NONE"])).toEqual(invalid("mediaIds.0", "MED-NONE is no item of this gallery"));
      expect(await refused([kept.publicId])).toEqual(invalid("mediaIds.0", "names the item that is to be kept"));
      const input = { id: kept.publicId, mediaIds: [likes.item("a").id] };
      expect(await api.call(owner, "media.resolveDuplicates", input)).toMatchObject({ id: kept.id, tags: ["one"] });
      expect(await likes.order()).toBe("cb");
    });
  });
}
