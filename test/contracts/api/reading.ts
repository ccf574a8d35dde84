import { beforeAll, describe, expect, it } from "vitest";
import type { MediaOut } from "../../../src/media/model.js";
import { lettersOf, type TestGallery } from "../../support/gallery.js";
import type { ApiStage } from "./stage.js";

/** What is seen of media, by whom, and how it is found. */
export function readingContract(open: () => ApiStage): void {
  describe("what is read", () => {
    let api: ApiStage;
    let gallery: TestGallery;
    let tag: string;

    beforeAll(async () => {
      api = open();
      tag = api.newId("tag");
      gallery = await api.newGallery("abcde", { tags: tag });
      const { owner } = api.people;
      await api.call(owner, "media.update", { id: gallery.item("b").id, tags: [tag, "brick"], altText: "A red wall" });
      await api.call(owner, "media.update", { id: gallery.item("d").id, isPublic: false });
    });

    const list = (query: object = {}, person = api.people.owner) =>
      api.call(person, "media.list", { type: "property", id: gallery.place.id, ...query });

    it("is a gallery, page by page to its end", async () => {
      const pages: string[] = [];
      for (let cursor: string | undefined, at = 0; at < 4; at++) {
        const page = await list({ limit: 2, ...(cursor === undefined ? {} : { cursor }) });
        expect(page.total).toBe(5);
        pages.push(lettersOf(page.items));
        if (page.nextCursor === null) break;
        cursor = page.nextCursor;
      }
      expect(pages).toEqual(["ab", "cd", "e"]);
    });

    it("is filtered by field, tag and status", async () => {
      const found = async (query: object) => lettersOf((await list(query)).items);
      expect(await found({ field: "gallery", tag: "brick" })).toBe("b");
      expect(await found({ status: "approved" })).toBe("abcde");
      expect(await found({ status: "pending" })).toBe("");
      expect(await list({ field: "avatar" })).toEqual({ items: [], total: 0, nextCursor: null });
    });

    it("leaves out what the caller may not see", async () => {
      for (const [person, letters] of [
        [api.people.nobody, "abce"],
        [api.people.stranger, "abce"],
        [api.people.moderator, "abcde"],
        [api.people.service, "abcde"],
      ] as const) {
        const { items, total } = await list({}, person);
        expect([lettersOf(items), total]).toEqual([letters, letters.length]);
      }
    });

    it("is one item by any of its ids, as the upload answered it", async () => {
      const item = gallery.item("a");
      const { nobody } = api.people;
      for (const id of [item.id, String(item.id), item.publicId])
        expect(await api.call(nobody, "media.get", { id })).toEqual(item);
      expect(await api.call(nobody, "media.getByPublicId", { publicId: item.publicId })).toEqual(item);
      expect((await list()).items[0]).toEqual(item);
    });

    it("is refused where there is nothing, and where there is nothing for the caller", async () => {
      const { nobody, owner } = api.people;
      const hidden = gallery.item("d").publicId;
      for (const mediaId of ["MED-NONE", "999999", "no/such %2F é", hidden]) {
        const failure = { code: "MEDIA_NOT_FOUND", mediaId };
        expect(await api.refusal(nobody, "media.get", { id: mediaId })).toEqual(failure);
        expect(await api.refusal(nobody, "media.getByPublicId", { publicId: mediaId })).toEqual(failure);
        expect(await api.refusal(nobody, "media.duplicates", { id: mediaId })).toEqual(failure);
      }
      const { originalUrl } = await api.call(owner, "media.get", { id: hidden });
      expect(originalUrl).toMatch(/\?expires=\d+&signature=/);
      const place = { type: "property", id: "PRP/NONE" };
      const failure = { code: "ENTITY_NOT_FOUND", entityType: "property", entityId: "PRP/NONE" };
      expect(await api.refusal(nobody, "media.list", place)).toEqual(failure);
    });

    it("is refused with what is wrong in the question", async () => {
      const { nobody } = api.people;
      const at = { type: "property", id: gallery.place.id };
      const issues = (path: string, message: string) => ({ code: "VALIDATION", issues: [{ path, message }] });
      const large = issues("limit", "Too big: expected number to be <=100");
      expect(await api.refusal(nobody, "media.list", { ...at, limit: 101 })).toEqual(large);
      expect(await api.refusal(nobody, "media.search", { limit: 101 })).toEqual(large);
      expect(await api.refusal(nobody, "media.search", { limit: "ten" })).toEqual(
        issues("limit", "Invalid input: expected number, received string"),
      );
      expect(await api.refusal(nobody, "media.list", { ...at, cursor: "x" })).toMatchObject({
        code: "VALIDATION",
        issues: [{ path: "cursor" }],
      });
      expect(await api.refusal(nobody, "media.list", { ...at, field: "pool", status: "lost" })).toMatchObject({
        code: "VALIDATION",
        issues: [{ path: "field" }, { path: "status" }],
      });
      expect(await api.refusal(nobody, "media.get", { id: "x".repeat(65) })).toEqual(
        issues("id", "Too big: expected string to have <=64 characters"),
      );
    });

    describe("by search", () => {
      const search = (query: object, person = api.people.owner) =>
        api.call(person, "media.search", { tag, limit: 100, ...query });
      const found = async (query: object) => lettersOf((await search(query)).items);

      it("is the newest first, page by page to the end", async () => {
        const first = await search({ limit: 3 });
        const second = await search({ limit: 3, cursor: first.nextCursor ?? "" });
        expect([lettersOf(first.items), lettersOf(second.items), second.nextCursor]).toEqual(["edc", "ba", null]);
      });

      it("is found by text, type, uploader and time, all at once or none", async () => {
        const soon = new Date(Date.now() + 3_600_000).toISOString();
        const everything = { type: "IMAGE", uploader: "USR-OWNER", from: "2020-01-01", to: soon };
        expect(await found({ ...everything, q: "red wall" })).toBe("b");
        expect(await found(everything)).toBe("edcba");
        for (const other of [{ q: "blue" }, { type: "VIDEO" }, { uploader: "USR-ADMIN" }, { from: soon }])
          expect(await found({ ...everything, ...other })).toBe("");
        expect(await found({ ...everything, to: "2020-01-01" })).toBe("");
      });

      it("holds what the caller may see", async () => {
        const { items, nextCursor } = await search({}, api.people.nobody);
        expect([lettersOf(items), nextCursor]).toEqual(["ecba", null]);
      });
    });

    it("knows the likes of an item, as far as the caller may see them", async () => {
      const likes = (letters: string) =>
        Array.from(letters).map((letter) => ({ publicId: gallery.item(letter).publicId, distance: 0, tier: "exact" }));
      const of = async (person = api.people.owner) =>
        (await api.call(person, "media.duplicates", { id: gallery.item("a").id })).items;
      expect(await of()).toHaveLength(4);
      expect(await of()).toEqual(expect.arrayContaining(likes("bcde")));
      expect(await of(api.people.nobody)).toHaveLength(3);
      expect(await of(api.people.nobody)).toEqual(expect.arrayContaining(likes("bce")));
    });

    it("is in groups of likes for those who manage it, the first to be kept", async () => {
      const input = { type: "property" as const, id: gallery.place.id };
      const { items, nextCursor } = await api.call(api.people.owner, "media.duplicatesOfEntity", input);
      expect(items.map(({ tier, distance, count, media }) => [tier, distance, count, lettersOf(media)])).toEqual([
        ["exact", 0, 5, "abcde"],
      ]);
      expect(nextCursor).toBeNull();
      expect(await api.refusal(api.people.stranger, "media.duplicatesOfEntity", input)).toMatchObject({
        code: "FORBIDDEN",
        right: "manage",
      });
    });

    it("is what is stored, read by the server itself", async () => {
      const other = await api.server.call<{ items: MediaOut[] }>("GET", `${gallery.path}?limit=100`);
      expect((await list({}, api.people.nobody)).items).toEqual(other.body.items);
    });
  });
}
