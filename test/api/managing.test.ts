import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { MediaOut } from "../../src/media/model.js";
import { ERROR_MAP } from "../../src/procedures/error-map.js";
import { appRouter } from "../../src/procedures/index.js";
import type { ProcedureMeta } from "../../src/procedures/trpc.js";
import { fillGallery, lettersOf, type TestGallery } from "../support/gallery.js";
import { quarters, scenery } from "../support/pictures.js";
import { makePlatform, type PlatformTokens } from "../support/platform.js";
import { type Answer, SERVICE_TOKEN, startTestServer, type TestServer } from "../support/server.js";

type Failure = { code: string; issues?: { path: string }[]; right?: string };
type PerItem = {
  deleted: (number | string)[];
  deletedCount: number;
  approved: (number | string)[];
  approvedCount: number;
  failed: { id: number | string; code: string; message: string }[];
  failedCount: number;
  message: string;
};

describe("managing media", () => {
  let server: TestServer;
  let tokens: PlatformTokens;
  let picture: Buffer;
  let entities = 0;

  beforeAll(async () => {
    server = await startTestServer();
    tokens = await makePlatform(server);
    picture = await quarters(120, 90).jpeg().toBuffer();
  });
  afterAll(() => server.stop());

  /** A new builder of the owner's with an item for each letter. */
  async function newGallery(letters: string, form: readonly (readonly [string, string])[] = []): Promise<TestGallery> {
    const id = `BLD-${++entities}`;
    await server.entity("builder", id, { ownerId: "USR-OWNER" });
    return fillGallery(server, { type: "builder", id }, { letters, token: tokens.owner, picture, form });
  }

  const get = (ref: number | string, token: string | undefined = tokens.owner) =>
    server.call<MediaOut & Failure>("GET", `/v1/media/${ref}`, { token });
  const remove = (ref: number | string, token: string | undefined = tokens.owner, query = "") =>
    server.call<{ message: string; deletedId: number } & Failure>("DELETE", `/v1/media/${ref}${query}`, { token });
  const restore = (ref: number | string, token: string | undefined = tokens.owner) =>
    server.call<MediaOut & Failure>("POST", `/v1/media/${ref}/restore`, { token });
  const post = <T = MediaOut & Failure>(path: string, body: unknown, token: string | undefined = tokens.owner) =>
    server.call<T>("POST", path, { token, body });
  const trpc = (name: string, input: unknown, token: string | undefined) =>
    server.call<{ result: { data: unknown }; error: { data: Failure } }>("POST", `/trpc/${name}`, {
      token,
      body: input,
    });

  /** The same change over both transports, answered alike. */
  const UPDATES = {
    REST: (ref: number | string, edit: object, token: string | undefined = tokens.owner) =>
      server.call<MediaOut & Failure>("PATCH", `/v1/media/${ref}`, { token, body: edit }),
    tRPC: async (ref: number | string, edit: object, token: string | undefined = tokens.owner) => {
      const { status, headers, body } = await trpc("media.update", { ...edit, id: ref }, token);
      return { status, headers, body: body.result?.data ?? body.error?.data } as Answer<MediaOut & Failure>;
    },
  };

  describe.each(["REST", "tRPC"] as const)("update over %s", (transport) => {
    const update = UPDATES[transport];
    let gallery: TestGallery;

    beforeAll(async () => {
      gallery = await newGallery("abc", [
        ["tags", "old"],
        ["is_public", "true"],
      ]);
    });

    it("changes what is given, leaves what is absent, and null clears", async () => {
      const said = { altText: "A house", caption: "At dusk", tags: ["dusk", "brick"], focalPoint: { x: 0.25, y: 1 } };
      const before = gallery.item("a");
      const first = await update(before.id, said);
      expect(first).toMatchObject({ status: 200, body: { ...before, ...said, updatedAt: expect.any(String) } });
      expect((await update(before.publicId, { caption: "At dawn" })).body).toMatchObject({
        ...said,
        caption: "At dawn",
      });
      const cleared = await update(before.id, { altText: null, caption: null, tags: null, focalPoint: null });
      expect(cleared.body).toMatchObject({ altText: null, caption: null, tags: [], focalPoint: null });
      expect((await get(before.id)).body).toEqual(cleared.body);
    });

    it("changes nothing where nothing is given", async () => {
      const before = (await get(gallery.item("a").id)).body;
      expect(await update(before.id, {})).toMatchObject({ status: 200, body: before });
    });

    it("says when it changed and what it is called stays", async () => {
      const before = (await get(gallery.item("c").id)).body;
      const { body } = await update(before.id, { altText: "later" });
      expect(Date.parse(body.updatedAt)).toBeGreaterThan(Date.parse(before.updatedAt));
      expect(body).toEqual({ ...before, altText: "later", updatedAt: body.updatedAt });
    });

    it("counts doubled tags once, in their order, trimmed", async () => {
      expect((await update(gallery.item("a").id, { tags: ["b", " a ", "b", "a"] })).body.tags).toEqual(["b", "a"]);
    });

    it("hides an item from strangers and shows it again", async () => {
      const { id } = gallery.item("b");
      expect((await update(id, { isPublic: false })).body.originalUrl).toContain("signature=");
      expect((await get(id, tokens.stranger)).status).toBe(404);
      expect((await fetch(gallery.item("b").originalUrl)).status).toBe(404);
      await update(id, { isPublic: true });
      expect((await get(id, tokens.stranger)).status).toBe(200);
    });

    it("moves the mark of the primary item", async () => {
      await update(gallery.item("a").id, { isPrimary: true });
      expect((await update(gallery.item("b").id, { isPrimary: true })).body.isPrimary).toBe(true);
      expect((await get(gallery.item("a").id)).body.isPrimary).toBe(false);
      await update(gallery.item("b").id, { isPrimary: true });
      expect((await get(gallery.item("b").id)).body.isPrimary).toBe(true);
      expect((await update(gallery.item("b").id, { isPrimary: false })).body.isPrimary).toBe(false);
    });

    it("takes texts and tags as long as the limits, of any alphabet", async () => {
      const edit = {
        altText: "ü".repeat(500),
        caption: "家".repeat(5000),
        tags: Array.from({ length: 30 }, (_, n) => `${n}`.padStart(50, "é")),
      };
      expect(await update(gallery.item("a").id, edit)).toMatchObject({ status: 200, body: edit });
    });

    it.each([
      ["altText", { altText: "x".repeat(501) }],
      ["caption", { caption: "x".repeat(5001) }],
      ["tags", { tags: Array.from({ length: 31 }, String) }],
      ["tags.0", { tags: ["x".repeat(51)] }],
      ["tags.1", { tags: ["x", " "] }],
      ["tags", { tags: "a,b" }],
      ["focalPoint.x", { focalPoint: { x: -0.01, y: 0 } }],
      ["focalPoint.y", { focalPoint: { x: 0, y: 1.01 } }],
      ["focalPoint.y", { focalPoint: { x: 0.5 } }],
      ["isPublic", { isPublic: null }],
      ["isPrimary", { isPrimary: "yes" }],
      ["", { moderationStatus: "approved" }],
      ["", { isApproved: true }],
      ["", { altText: "fine", sortOrder: 3 }],
      ["", { uploadedBy: "USR-STRANGER" }],
      ["", { deletedAt: null }],
    ])("refuses %s of %j and changes nothing", async (path, edit) => {
      const before = (await get(gallery.item("c").id)).body;
      expect(await update(before.id, edit)).toMatchObject({
        status: 400,
        body: { code: "VALIDATION", issues: [{ path }] },
      });
      expect((await get(before.id)).body).toEqual(before);
    });

    it("of nothing is no media", async () => {
      expect(await update("MED-NONE", { altText: "x" })).toMatchObject({
        status: 404,
        body: { code: "MEDIA_NOT_FOUND" },
      });
    });
  });

  describe("reorder", () => {
    const reorder = ({ path, place }: TestGallery, mediaIds: unknown, token?: string) =>
      post<{ items: MediaOut[] } & Failure>(`${path}/reorder`, { field: place.field, mediaIds }, token);

    it("takes integer ids, public ids and both mixed, and answers the new order", async () => {
      const gallery = await newGallery("abcd");
      const publicId = (letter: string) => gallery.item(letter).publicId;
      for (const [letters, ids] of [
        ["dcba", gallery.ids("dcba")],
        ["bdac", Array.from("bdac").map(publicId)],
        ["cabd", [gallery.item("c").id, publicId("a"), String(gallery.item("b").id), publicId("d")]],
      ] as const) {
        const answer = await reorder(gallery, ids);
        expect([answer.status, lettersOf(answer.body.items)]).toEqual([200, letters]);
        expect(await gallery.order()).toBe(letters);
      }
    });

    it("over tRPC is the same", async () => {
      const gallery = await newGallery("abc");
      const { status, body } = await trpc(
        "media.reorder",
        { ...gallery.place, mediaIds: gallery.ids("cab") },
        tokens.owner,
      );
      const { items } = body.result.data as { items: MediaOut[] };
      expect([status, lettersOf(items), await gallery.order()]).toEqual([200, "cab", "cab"]);
    });

    it("is refused whole where an id is missing, doubled, foreign, trashed, unknown or of another field", async () => {
      const gallery = await newGallery("abcd");
      const other = await newGallery("x");
      const cover = await fillGallery(
        server,
        { ...gallery.place, field: "cover" },
        { letters: "k", token: tokens.owner, picture: await quarters(120, 120).png().toBuffer() },
      );
      await remove(gallery.item("d").id);
      const [a, b, c, d] = gallery.ids("abcd");
      for (const wrong of [
        [b, a],
        [c, b, a, a],
        [c, b, b],
        [c, b, a, gallery.item("a").publicId],
        [c, b, a, other.item("x").id],
        [c, b, other.item("x").id],
        [c, b, a, cover.item("k").id],
        [c, b, a, d],
        [c, b, a, 999_999],
        [c, b, "MED-NONE"],
        [],
      ])
        expect(await reorder(gallery, wrong), JSON.stringify(wrong)).toMatchObject({
          status: 400,
          body: { code: "VALIDATION" },
        });
      for (const wrong of [undefined, null, "abc", [null], [0], [-1], [1.5], [""], [{}], ["x".repeat(65)]])
        expect(await reorder(gallery, wrong), JSON.stringify(wrong)).toMatchObject({
          status: 400,
          body: { code: "VALIDATION" },
        });
      expect(await gallery.order()).toBe("abc");
    });

    it("of a slot takes its one item, of an empty gallery nothing", async () => {
      const id = `BLD-${++entities}`;
      await server.entity("builder", id, { ownerId: "USR-OWNER" });
      const empty = { field: "gallery", mediaIds: [] };
      const path = `/v1/media/entity/builder/${id}/reorder`;
      expect(await post(path, empty)).toMatchObject({ status: 200, body: { items: [] } });
      const slot = await fillGallery(
        server,
        { type: "builder", id, field: "avatar" },
        { letters: "k", token: tokens.owner, picture: await quarters(120, 120).png().toBuffer() },
      );
      expect(await post(path, { field: "avatar", mediaIds: slot.ids("k") })).toMatchObject({
        status: 200,
        body: { items: [{ originalFilename: "k" }] },
      });
      expect(await post(path, { field: "avatar", mediaIds: [] })).toMatchObject({ status: 400 });
    });

    it("of a field or an entity that is not there is refused", async () => {
      const gallery = await newGallery("a");
      const mediaIds = gallery.ids("a");
      const at = (path: string, field: string) => post(`/v1/media/entity/${path}/reorder`, { field, mediaIds });
      expect(await at("property/PROP-1", "cover")).toMatchObject({
        status: 400,
        body: { issues: [{ path: "field" }] },
      });
      expect(await at("property/PROP-1", "pool")).toMatchObject({ status: 400, body: { issues: [{ path: "field" }] } });
      expect(await at("builder/NONE", "gallery")).toMatchObject({ status: 404, body: { code: "ENTITY_NOT_FOUND" } });
      expect(await at("castle/CST-1", "gallery")).toMatchObject({ status: 400, body: { issues: [{ path: "type" }] } });
    });
  });

  describe("move", () => {
    const move = (ref: number | string, target: object, token?: string) => post(`/v1/media/${ref}/move`, target, token);

    it("goes before or after another, by either id, over both transports", async () => {
      const gallery = await newGallery("abcd");
      const { id: d, publicId } = gallery.item("d");
      expect(await move(d, { before: gallery.item("a").publicId })).toMatchObject({ status: 200, body: { id: d } });
      expect(await gallery.order()).toBe("dabc");
      await move(publicId, { after: gallery.item("b").id });
      expect(await gallery.order()).toBe("abdc");
      await trpc("media.move", { id: d, after: gallery.item("c").id }, tokens.owner);
      expect(await gallery.order()).toBe("abcd");
    });

    it("is refused beside itself, in another gallery, beside what is gone, with both sides or none", async () => {
      const gallery = await newGallery("abc");
      const other = await newGallery("x");
      const [a = 0, b, c = 0] = gallery.ids("abc");
      await remove(c);
      for (const target of [
        { before: a },
        { after: gallery.item("a").publicId },
        { before: other.item("x").id },
        { after: c },
        { after: 999_999 },
        { before: b, after: b },
        {},
        { beside: b },
        { before: null },
      ])
        expect(await move(a, target), JSON.stringify(target)).toMatchObject({
          status: 400,
          body: { code: "VALIDATION" },
        });
      expect(await move(c, { before: a })).toMatchObject({ status: 404, body: { code: "MEDIA_NOT_FOUND" } });
      expect(await gallery.order()).toBe("ab");
    });
  });

  describe("the primary item", () => {
    const setPrimary = (id: number, token: string | undefined = tokens.owner) =>
      trpc("media.setPrimary", { id }, token);
    const primaries = async ({ path, place }: TestGallery) => {
      const page = await server.call<{ items: MediaOut[] }>("GET", `${path}?field=${place.field}`, {
        token: tokens.owner,
      });
      return lettersOf(page.body.items.filter((media) => media.isPrimary));
    };

    it("is one at most, whoever was it before", async () => {
      const gallery = await newGallery("abc");
      expect(await primaries(gallery)).toBe("");
      for (const letter of "abbca") {
        expect(await setPrimary(gallery.item(letter).id)).toMatchObject({
          status: 200,
          body: { result: { data: { isPrimary: true } } },
        });
        expect(await primaries(gallery)).toBe(letter);
      }
    });

    it("is not taken back by one that comes out of the trash, but kept by one nobody followed", async () => {
      const gallery = await newGallery("ab");
      await setPrimary(gallery.item("a").id);
      await remove(gallery.item("a").id);
      expect((await restore(gallery.item("a").id)).body.isPrimary).toBe(true);
      await remove(gallery.item("a").id);
      await setPrimary(gallery.item("b").id);
      expect((await restore(gallery.item("a").id)).body.isPrimary).toBe(false);
      expect(await primaries(gallery)).toBe("b");
    });

    it("of one field leaves that of another alone", async () => {
      const [one, other] = [await newGallery("a"), await newGallery("b")];
      await setPrimary(one.item("a").id);
      await setPrimary(other.item("b").id);
      expect([await primaries(one), await primaries(other)]).toEqual(["a", "b"]);
    });
  });

  describe("the trash", () => {
    it("takes an item out of list, get and its addresses at once", async () => {
      const gallery = await newGallery("abc");
      const { id, publicId, originalUrl, variants } = gallery.item("b");
      expect((await fetch(originalUrl)).status).toBe(200);
      expect(await remove(publicId)).toMatchObject({
        status: 200,
        body: { deletedId: id, message: expect.any(String) },
      });
      expect(await gallery.order()).toBe("ac");
      for (const ref of [id, publicId])
        expect(await get(ref, SERVICE_TOKEN)).toMatchObject({ status: 404, body: { code: "MEDIA_NOT_FOUND" } });
      for (const url of [originalUrl, ...variants.map((variant) => variant.url)])
        expect((await fetch(url)).status).toBe(404);
      expect(await remove(id)).toMatchObject({ status: 404, body: { code: "MEDIA_NOT_FOUND" } });
      expect(await UPDATES.REST(id, { altText: "x" })).toMatchObject({ status: 404 });
    });

    it("keeps the bytes and gives them back with everything else", async () => {
      const gallery = await newGallery("abc");
      const before = (await get(gallery.item("b").id)).body;
      await remove(before.id);
      const { status, body } = await restore(before.publicId);
      expect([status, body]).toEqual([200, { ...before, updatedAt: body.updatedAt }]);
      expect(await gallery.order()).toBe("abc");
      expect((await fetch(before.originalUrl)).status).toBe(200);
      expect(await restore(before.id)).toMatchObject({ status: 404, body: { code: "MEDIA_NOT_FOUND" } });
    });

    it("swaps what a slot holds", async () => {
      const id = `BLD-${++entities}`;
      await server.entity("builder", id, { ownerId: "USR-OWNER" });
      const upload = async () => {
        const parts = [["file", [await quarters(120, 120).png().toBuffer(), "k.png"]]] as const;
        return (await server.post(`/v1/media/builders/${id}/logo`, tokens.owner, parts)).body.media;
      };
      const [first, second] = [await upload(), await upload()];
      const current = async () => {
        const path = `/v1/media/entity/builder/${id}?field=avatar`;
        return (await server.call<{ items: MediaOut[] }>("GET", path)).body.items.map((media) => media.id);
      };
      expect(await current()).toEqual([second.id]);
      expect((await restore(first.id)).status).toBe(200);
      expect(await current()).toEqual([first.id]);
      expect((await get(second.id)).status).toBe(404);
      expect((await restore(second.id)).status).toBe(200);
      expect(await current()).toEqual([second.id]);
    });

    it("tells strangers nothing, and gives nothing back once its entity is gone", async () => {
      const gallery = await newGallery("ab");
      const { id } = gallery.item("a");
      await remove(id);
      for (const token of [tokens.stranger, tokens.moderator])
        expect(await restore(id, token)).toMatchObject({ status: 404, body: { code: "MEDIA_NOT_FOUND" } });
      expect(await restore(999_999)).toMatchObject({ status: 404, body: { code: "MEDIA_NOT_FOUND" } });
      await server.service("DELETE", `/v1/entities/builder/${gallery.place.id}`);
      for (const ref of gallery.ids("ab"))
        for (const token of [tokens.owner, SERVICE_TOKEN])
          expect(await restore(ref, token)).toMatchObject({ status: 404, body: { code: "MEDIA_NOT_FOUND" } });
    });
  });

  describe("deleting for good", () => {
    it("is not for owners", async () => {
      const gallery = await newGallery("a");
      const { id } = gallery.item("a");
      expect(await remove(id, tokens.owner, "?permanent=true")).toMatchObject({
        status: 403,
        body: { code: "FORBIDDEN", right: "delete-for-ever" },
      });
      expect((await remove(id, tokens.moderator, "?permanent=true")).status).toBe(403);
      expect((await remove(id, tokens.owner, "?permanent=maybe")).status).toBe(400);
      expect((await get(id)).status).toBe(200);
    });

    it.each(["current", "trashed"])("leaves neither row nor object of a %s item", async (state) => {
      const large = await scenery(340, 260).resize(1700, 1300).jpeg().toBuffer();
      const before = (await server.files()).stored;
      const id = `BLD-${++entities}`;
      await server.entity("builder", id, { ownerId: "USR-OWNER" });
      const parts = [["file", [large, "large.jpg"]]] as const;
      const { media } = (await server.post(`/v1/media/builders/${id}/portfolio`, tokens.owner, parts)).body;
      const added = (await server.files()).stored.filter((file) => !before.includes(file));
      expect(added).toHaveLength(5);
      if (state === "trashed") await remove(media.id);
      expect(await remove(media.publicId, tokens.admin, "?permanent=true")).toMatchObject({
        status: 200,
        body: { deletedId: media.id },
      });
      expect((await server.files()).stored).toEqual(before);
      expect((await get(media.id, tokens.admin)).status).toBe(404);
      expect((await restore(media.id, tokens.admin)).status).toBe(404);
      expect((await remove(media.id, tokens.admin, "?permanent=true")).status).toBe(404);
    });

    it("false means the trash", async () => {
      const gallery = await newGallery("a");
      expect((await remove(gallery.item("a").id, tokens.admin, "?permanent=false")).status).toBe(200);
      expect((await restore(gallery.item("a").id)).status).toBe(200);
    });
  });

  describe("batch delete", () => {
    const batchDelete = (body: unknown, token?: string) =>
      post<PerItem & Failure>("/v1/media/batch/delete", body, token);

    it("does each item for itself and says what became of each, as it was named", async () => {
      const gallery = await newGallery("abc");
      await server.entity("builder", "BLD-FOREIGN", { ownerId: "USR-STRANGER" });
      const place = { type: "builder", id: "BLD-FOREIGN" };
      const foreign = await fillGallery(server, place, { letters: "xy", token: tokens.stranger, picture });
      const [a = 0, , x = 0] = [...gallery.ids("ab"), ...foreign.ids("x")];
      const b = gallery.item("b").publicId;
      const { status, body } = await batchDelete({ mediaIds: [a, x, 999_999, b, a, "MED-NONE"] });
      expect([status, body]).toEqual([
        200,
        {
          deleted: [a, b],
          deletedCount: 2,
          failed: [
            { id: x, code: "FORBIDDEN", message: expect.stringContaining("manage") },
            { id: 999_999, code: "MEDIA_NOT_FOUND", message: expect.any(String) },
            { id: a, code: "MEDIA_NOT_FOUND", message: expect.any(String) },
            { id: "MED-NONE", code: "MEDIA_NOT_FOUND", message: expect.any(String) },
          ],
          failedCount: 4,
          message: "2 of 6 items are in the trash.",
        },
      ]);
      expect([await gallery.order(), await foreign.order()]).toEqual(["c", "xy"]);
    });

    it("takes a bare array, and over tRPC the object", async () => {
      const gallery = await newGallery("ab");
      expect((await batchDelete(gallery.ids("a"))).body).toMatchObject({ deletedCount: 1, failedCount: 0 });
      const { body } = await trpc("media.batchDelete", { mediaIds: gallery.ids("b") }, tokens.owner);
      expect(body.result.data).toMatchObject({ deleted: gallery.ids("b") });
      expect(await gallery.order()).toBe("");
    });

    it("takes one to a hundred", async () => {
      const gallery = await newGallery("a");
      const many = (count: number) => [
        ...gallery.ids("a"),
        ...Array.from({ length: count - 1 }, (_, n) => 900_000 + n),
      ];
      for (const wrong of [[], many(101), { mediaIds: many(101) }, { mediaIds: [] }, {}, "a", null, [{}]])
        expect(await batchDelete(wrong)).toMatchObject({ status: 400, body: { code: "VALIDATION" } });
      expect(await gallery.order()).toBe("a");
      expect((await batchDelete(many(100))).body).toMatchObject({ deletedCount: 1, failedCount: 99 });
    });
  });

  describe("batch approve", () => {
    const batchApprove = (body: unknown, token?: string) =>
      post<PerItem & Failure>("/v1/media/batch/approve", body, token);

    async function pendingPost(token: string, letters: string): Promise<TestGallery> {
      const id = `PST-NEW-${++entities}`;
      await server.entity("post", id, { ownerId: "USR-OWNER" });
      return fillGallery(server, { type: "post", id }, { letters, token, picture });
    }

    it("does each item for itself and says what became of each", async () => {
      const mine = await pendingPost(tokens.admin, "m");
      const pending = await pendingPost(tokens.owner, "abc");
      const [a = 0, b = 0] = pending.ids("ab");
      const m = mine.item("m").publicId;
      const { status, body } = await batchApprove({ mediaIds: [a, m, 999_999, b, a] }, tokens.admin);
      expect([status, body]).toEqual([
        200,
        {
          approved: [a, b],
          approvedCount: 2,
          failed: [
            { id: m, code: "FORBIDDEN", message: expect.any(String) },
            { id: 999_999, code: "MEDIA_NOT_FOUND", message: expect.any(String) },
            { id: a, code: "CONFLICT", message: expect.any(String) },
          ],
          failedCount: 3,
          message: "2 of 5 items were approved.",
        },
      ]);
      expect((await get(a, tokens.stranger)).body).toMatchObject({ moderationStatus: "approved", isApproved: true });
      expect((await get(pending.item("c").id, tokens.stranger)).status).toBe(404);
      expect((await batchApprove(pending.ids("c"), tokens.moderator)).body).toMatchObject({ approvedCount: 1 });
    });

    it("is the moderators', and takes one to a hundred", async () => {
      const pending = await pendingPost(tokens.owner, "a");
      expect(await batchApprove(pending.ids("a"), tokens.owner)).toMatchObject({
        status: 403,
        body: { right: "moderate" },
      });
      const many = Array.from({ length: 101 }, (_, n) => n + 1);
      for (const wrong of [[], many])
        expect(await batchApprove(wrong, tokens.moderator)).toMatchObject({
          status: 400,
          body: { code: "VALIDATION" },
        });
      expect((await get(pending.item("a").id)).body.moderationStatus).toBe("pending");
    });
  });

  describe("who may", () => {
    /** Every procedure that changes media for those who manage it, in an order in which each can follow the ones before; `c` is in the trash. */
    const MANAGING: Record<string, (gallery: TestGallery) => object> = {
      update: (gallery) => ({ id: gallery.item("a").id, altText: "changed" }),
      setPrimary: (gallery) => ({ id: gallery.item("a").publicId }),
      reorder: (gallery) => ({ ...gallery.place, mediaIds: gallery.ids("bad") }),
      move: (gallery) => ({ id: gallery.item("a").id, before: gallery.item("b").id }),
      delete: (gallery) => ({ id: gallery.item("b").id }),
      restore: (gallery) => ({ id: gallery.item("c").id }),
      resolveDuplicates: (gallery) => ({ id: gallery.item("a").id, mediaIds: gallery.ids("d") }),
      batchDelete: (gallery) => ({ mediaIds: gallery.ids("a") }),
    };

    const newPropertyGallery = async (isPublic: boolean) => {
      const id = `PROP-NEW-${++entities}`;
      await server.entity("property", id, { parentId: "BLD-PSALMSFINE-0420" });
      const soon = new Date(Date.now() + 3_600_000).toISOString();
      for (const [user, expiresAt] of [
        ["USR-GRANTEE", soon],
        ["USR-EXPIRED", "2020-01-01T00:00:00Z"],
      ])
        await server.service("PUT", `/v1/entities/property/${id}/grants/${user}`, { right: "upload", expiresAt });
      const form = [["is_public", String(isPublic)]] as const;
      const gallery = await fillGallery(
        server,
        { type: "property", id },
        { letters: "abcd", token: tokens.owner, picture, form },
      );
      await remove(gallery.item("c").id);
      return gallery;
    };

    const tokenOf = (principal: string): string | undefined =>
      ({ ...tokens, service: SERVICE_TOKEN, forged: "no such token" })[principal];

    it("is stated for every procedure that changes media", () => {
      const procedures = Object.entries(
        appRouter._def.procedures as unknown as Record<string, { _def: { meta: ProcedureMeta; type: string } }>,
      );
      const managing = procedures.filter(
        ([
          name,
          {
            _def: { meta, type },
          },
        ]) => name.startsWith("media.") && meta.audience === "manager" && type === "mutation",
      );
      expect(managing.map(([name]) => name.slice("media.".length)).sort()).toEqual(Object.keys(MANAGING).sort());
    });

    it.each(["owner", "grantee", "admin", "service"])("%s may do all of it", async (principal) => {
      const gallery = await newPropertyGallery(true);
      for (const [name, input] of Object.entries(MANAGING)) {
        const answer = await trpc(`media.${name}`, input(gallery), tokenOf(principal));
        expect(answer, name).toMatchObject({ status: 200 });
      }
      expect(await gallery.order()).toBe("c");
    });

    describe.each([true, false])("of what is public: %s", (isPublic) => {
      let gallery: TestGallery;
      let before: unknown;
      const state = () => server.call("GET", gallery.path, { token: tokens.owner });

      beforeAll(async () => {
        gallery = await newPropertyGallery(isPublic);
        before = (await state()).body;
      });

      const REFUSED = ["anonymous", "forged", "stranger", "communityAdmin", "expiredGrantee", "moderator"];
      const cases = REFUSED.flatMap((principal) => Object.keys(MANAGING).map((name) => [principal, name] as const));

      const refusalOf = (principal: string, name: string) => {
        if (principal === "anonymous" || principal === "forged") return "UNAUTHENTICATED";
        const seesItem = isPublic || principal === "moderator";
        return name === "reorder" || (seesItem && name !== "restore") ? "FORBIDDEN" : "MEDIA_NOT_FOUND";
      };

      it.each(cases)("%s may not %s", async (principal, name) => {
        const code = refusalOf(principal, name);
        const { status, body } = await trpc(`media.${name}`, MANAGING[name]?.(gallery), tokenOf(principal));
        // A token nobody issued is refused before any procedure is looked at.
        const failure = principal === "forged" ? body : body.error?.data;
        if (name === "batchDelete" && code !== "UNAUTHENTICATED")
          expect([status, body.result.data]).toMatchObject([200, { deletedCount: 0, failed: [{ code }] }]);
        else expect([status, failure]).toMatchObject([ERROR_MAP[code].status, { code }]);
        expect(stripUrls((await state()).body)).toEqual(stripUrls(before));
      });
    });

    /** Signed addresses end at another second each time. */
    const stripUrls = (body: unknown) => JSON.stringify(body).replace(/\?expires=\d+&signature=[^"]+/g, "");
  });
});
