import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { MediaOut } from "../../src/media/model.js";
import { fillGallery, lettersOf, type TestGallery } from "../support/gallery.js";
import { quarters, scenery } from "../support/pictures.js";
import { makePlatform, type PlatformTokens } from "../support/platform.js";
import { startTestServer, type TestServer } from "../support/server.js";

type Failure = { code: string; issues: { path: string; message: string }[] };

describe("resolving duplicates", () => {
  let server: TestServer;
  let tokens: PlatformTokens;
  let picture: Buffer;
  let galleries = 0;

  beforeAll(async () => {
    server = await startTestServer();
    tokens = await makePlatform(server);
    picture = await quarters(120, 90).jpeg().toBuffer();
  });
  afterAll(() => server.stop());

  /** A builder's gallery of copies of one picture, with `x` of another at its end. */
  async function newGallery(letters: string): Promise<TestGallery & { id: string }> {
    const id = `BLD-DUPLICATES-${++galleries}`;
    await server.entity("builder", id, { ownerId: "USR-OWNER" });
    return { id, ...(await fillGallery(server, { type: "builder", id }, { letters, token: tokens.owner, picture })) };
  }

  const edit = (id: number, change: object) =>
    server.call<MediaOut>("PATCH", `/v1/media/${id}`, { token: tokens.owner, body: change });
  const resolve = (id: number | string, mediaIds: readonly (number | string)[], token: string = tokens.owner) =>
    server.call<MediaOut & Failure>("POST", `/v1/media/${id}/duplicates/resolve`, { token, body: { mediaIds } });
  const listed = async ({ path }: TestGallery) =>
    (await server.call<{ items: MediaOut[] }>("GET", `${path}?field=gallery`, { token: tokens.owner })).body.items;

  it("keeps one, at the foremost place of all, and the others are in the trash", async () => {
    const gallery = await newGallery("abcd");
    const kept = await resolve(gallery.item("c").id, [gallery.item("d").publicId, gallery.item("b").id]);
    expect([kept.status, kept.body.id]).toEqual([200, gallery.item("c").id]);
    expect(await gallery.order()).toBe("ac");
    for (const letter of "bd")
      expect((await server.call("GET", `/v1/media/${gallery.item(letter).id}`, { token: tokens.owner })).status).toBe(
        404,
      );
  });

  it("leaves the kept one where it is when it is the foremost", async () => {
    const gallery = await newGallery("abc");
    await resolve(gallery.item("a").id, gallery.ids("c"));
    expect(await gallery.order()).toBe("ab");
  });

  it("gives the kept one the tags of all, its own first, and the texts it lacks", async () => {
    const gallery = await newGallery("abc");
    await edit(gallery.item("a").id, { tags: ["one", "two"], caption: "of a" });
    await edit(gallery.item("b").id, { tags: ["two", "three"], altText: "of b", caption: "of b" });
    await edit(gallery.item("c").id, { tags: ["four"], caption: "its own" });
    const { body } = await resolve(gallery.item("c").id, gallery.ids("ba"));
    expect(body).toMatchObject({ tags: ["four", "one", "two", "three"], altText: "of b", caption: "its own" });
  });

  it("keeps no more tags than an item may have", async () => {
    const gallery = await newGallery("ab");
    const tagsOf = (letter: string) => Array.from({ length: 20 }, (_, n) => `${letter}${n}`);
    for (const letter of "ab") await edit(gallery.item(letter).id, { tags: tagsOf(letter) });
    const { body } = await resolve(gallery.item("b").id, gallery.ids("a"));
    expect(body.tags).toEqual([...tagsOf("b"), ...tagsOf("a").slice(0, 10)]);
  });

  it("makes the kept one primary where one of them was, and only then", async () => {
    const gallery = await newGallery("abc");
    await edit(gallery.item("b").id, { isPrimary: true });
    expect((await resolve(gallery.item("a").id, gallery.ids("b"))).body.isPrimary).toBe(true);
    const other = await newGallery("abc");
    await edit(other.item("c").id, { isPrimary: true });
    expect((await resolve(other.item("a").id, other.ids("b"))).body.isPrimary).toBe(false);
    expect((await listed(other)).map((item) => item.isPrimary)).toEqual([false, true]);
  });

  it("can be undone: what was removed comes back beside the kept one", async () => {
    const gallery = await newGallery("abc");
    await edit(gallery.item("a").id, { isPrimary: true, altText: "of a" });
    await resolve(gallery.item("c").id, gallery.ids("a"));
    expect(await gallery.order()).toBe("cb");
    const { body } = await server.call<MediaOut>("POST", `/v1/media/${gallery.item("a").id}/restore`, {
      token: tokens.owner,
    });
    expect(body).toMatchObject({ altText: "of a", isPrimary: false });
    expect(lettersOf(await listed(gallery))).toBe("cab");
  });

  it.each([
    ["an item of another gallery", async () => (await newGallery("a")).ids("a"), /^mediaIds\.0$/],
    ["nothing that is there", async () => [999_999], /^mediaIds\.0$/],
    ["the kept one itself", async (gallery: TestGallery) => gallery.ids("ba"), /^mediaIds\.1$/],
    ["one twice", async (gallery: TestGallery) => gallery.ids("bb"), /^mediaIds$/],
    ["none at all", async () => [], /^mediaIds$/],
  ])("is refused whole where it names %s", async (_, wrong, path) => {
    const gallery = await newGallery("abc");
    const { status, body } = await resolve(gallery.item("a").id, await wrong(gallery));
    expect([status, body.code, body.issues[0]?.path]).toEqual([400, "VALIDATION", expect.stringMatching(path)]);
    expect(await gallery.order()).toBe("abc");
  });

  it("is refused whole where one is no duplicate", async () => {
    const gallery = await newGallery("ab");
    const different = await scenery(300, 200, 7).jpeg().toBuffer();
    const form = [["file", [different, "x"]]] as const;
    const { media } = (await server.post(`/v1/media/builders/${gallery.id}/portfolio`, tokens.owner, form)).body;
    const { status, body } = await resolve(gallery.item("a").id, [gallery.item("b").id, media.id]);
    expect([status, body.issues]).toEqual([
      400,
      [{ path: "mediaIds.1", message: `${media.id} is no duplicate of ${gallery.item("a").publicId}` }],
    ]);
    expect(await gallery.order()).toBe("abx");
  });

  it("is for those who manage the entity", async () => {
    const gallery = await newGallery("ab");
    const { status, body } = await resolve(gallery.item("a").id, gallery.ids("b"), tokens.stranger);
    expect([status, body.code]).toEqual([403, "FORBIDDEN"]);
  });
});
