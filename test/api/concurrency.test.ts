import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { MediaOut } from "../../src/media/model.js";
import { fillGallery, lettersOf, type TestGallery } from "../support/gallery.js";
import { scenery } from "../support/pictures.js";
import { makePlatform, type PlatformTokens } from "../support/platform.js";
import { startTestServer, type TestServer } from "../support/server.js";

const LETTERS = "abcdefghijkl";

/** The nth of many different orders: turned by n, and every second one backwards. */
function orderOf(n: number): string {
  const turned = LETTERS.slice(n % 12) + LETTERS.slice(0, n % 12);
  return n % 2 === 0 ? turned : Array.from(turned).reverse().join("");
}

const times = <T>(count: number, work: (n: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, n) => work(n)));

const statusesOf = (answers: readonly { status: number }[]): number[] =>
  answers.map(({ status }) => status).sort((a, b) => a - b);

describe("many at once", { timeout: 120_000 }, () => {
  let server: TestServer;
  let tokens: PlatformTokens;
  let picture: Buffer;
  let entities = 0;

  beforeAll(async () => {
    server = await startTestServer();
    tokens = await makePlatform(server);
    picture = await scenery(120, 100).jpeg().toBuffer();
  });
  afterAll(() => server.stop());

  const newBuilder = async () => {
    const id = `BLD-${++entities}`;
    await server.entity("builder", id, { ownerId: "USR-OWNER" });
    return id;
  };
  const newGallery = async () =>
    fillGallery(
      server,
      { type: "builder", id: await newBuilder() },
      { letters: LETTERS, token: tokens.owner, picture },
    );

  const stored = async (id: string) => (await server.files()).stored.filter((file) => file.includes(`/${id}/`));

  async function reorder({ path, ids }: TestGallery, letters: string): Promise<void> {
    const body = { field: "gallery", mediaIds: ids(letters) };
    const answer = await server.call<{ items: MediaOut[] }>("POST", `${path}/reorder`, { token: tokens.owner, body });
    // Each is answered its own order, whatever came before and after.
    expect([answer.status, lettersOf(answer.body.items ?? [])]).toEqual([200, letters]);
  }

  async function move(gallery: TestGallery, letter: string, side: "before" | "after", other: string): Promise<void> {
    const body = { [side]: gallery.item(other).id };
    const path = `/v1/media/${gallery.item(letter).id}/move`;
    expect(await server.call("POST", path, { token: tokens.owner, body })).toMatchObject({
      status: 200,
      body: { originalFilename: letter },
    });
  }

  it("200 reorders of one gallery end in an order that one of them asked for", async () => {
    const gallery = await newGallery();
    await times(200, (n) => reorder(gallery, orderOf(n)));
    expect(Array.from({ length: 24 }, (_, n) => orderOf(n))).toContain(await gallery.order());
  });

  it("200 reorders and moves of one item end in an order asked for, the item in its place or where a move put it", async () => {
    const gallery = await newGallery();
    await times(200, (n) =>
      n % 2 === 0 ? reorder(gallery, orderOf(n / 2)) : move(gallery, "a", n % 4 === 1 ? "before" : "after", "f"),
    );
    const reachable = Array.from({ length: 24 }, (_, n) => orderOf(n)).flatMap((order) => {
      const rest = order.replace("a", "");
      return [order, rest.replace("f", "af"), rest.replace("f", "fa")];
    });
    expect(reachable).toContain(await gallery.order());
  });

  it("200 reorders and moves of any item lose and double none", async () => {
    const gallery = await newGallery();
    await times(200, (n) => {
      const order = orderOf(n);
      if (n % 3 === 0) return reorder(gallery, order);
      return move(gallery, order.charAt(0), n % 2 === 0 ? "before" : "after", order.charAt(1 + (n % 11)));
    });
    expect(
      Array.from(await gallery.order())
        .sort()
        .join(""),
    ).toBe(LETTERS);
    await reorder(gallery, LETTERS);
    expect(await gallery.order()).toBe(LETTERS);
  });

  it("moves of one item beside every other end where one of them put it", async () => {
    const gallery = await newGallery();
    await times(44, (n) => move(gallery, "a", n % 2 === 0 ? "before" : "after", n < 22 ? "f" : "k"));
    expect(["bcdeafghijkl", "bcdefaghijkl", "bcdefghijakl", "bcdefghijkal"]).toContain(await gallery.order());
  });

  it("many that want to be the primary item leave one", async () => {
    const gallery = await newGallery();
    await times(36, async (n) => {
      const body = { isPrimary: true };
      const path = `/v1/media/${gallery.item(LETTERS.charAt(n % 12)).id}`;
      expect(await server.call("PATCH", path, { token: tokens.owner, body })).toMatchObject({
        status: 200,
        body: { isPrimary: true },
      });
    });
    const page = await server.call<{ items: MediaOut[] }>("GET", gallery.path);
    expect(page.body.items.filter((media) => media.isPrimary)).toHaveLength(1);
  });

  it("of many that delete one item, one did, and of many that restore it, one did", async () => {
    const gallery = await newGallery();
    const { id } = gallery.item("c");
    const token = tokens.owner;
    const deleted = await times(10, () => server.call("DELETE", `/v1/media/${id}`, { token }));
    expect(statusesOf(deleted)).toEqual([200, ...Array.from({ length: 9 }, () => 404)]);
    const restored = await times(10, () => server.call("POST", `/v1/media/${id}/restore`, { token }));
    expect(statusesOf(restored)).toEqual([200, ...Array.from({ length: 9 }, () => 404)]);
    expect(await gallery.order()).toBe(LETTERS);
  });

  it("50 uploads into one slot leave exactly one current item and 49 in the trash", async () => {
    const id = await newBuilder();
    const answers = await times(50, (n) =>
      server.post(`/v1/media/builders/${id}/cover`, tokens.owner, [["file", [picture, `${n}.jpg`]]]),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 201));
    const page = await server.call<{ items: MediaOut[] }>("GET", `/v1/media/entity/builder/${id}`);
    const [current, ...more] = page.body.items;
    expect(more).toEqual([]);
    const others = answers.map(({ body }) => body.media.id).filter((other) => other !== current?.id);
    expect(others).toHaveLength(49);
    for (const other of others) {
      expect((await server.call("GET", `/v1/media/${other}`, { token: tokens.owner })).status).toBe(404);
      // Only what is in the trash comes out of it, and sends the one before it there.
      expect((await server.call("POST", `/v1/media/${other}/restore`, { token: tokens.owner })).status).toBe(200);
    }
  });

  it("50 restores into one slot leave one current item", async () => {
    const id = await newBuilder();
    const path = `/v1/media/builders/${id}/cover`;
    const uploads = await times(8, () => server.post(path, tokens.owner, [["file", [picture, "k.jpg"]]]));
    await times(48, (n) =>
      server.call("POST", `/v1/media/${uploads[n % 8]?.body.media.id}/restore`, { token: tokens.owner }),
    );
    const page = await server.call<{ items: MediaOut[] }>("GET", `/v1/media/entity/builder/${id}`);
    expect(page.body.items).toHaveLength(1);
  });

  it("20 uploads with one key make one item and are answered alike", async () => {
    const id = await newBuilder();
    const answers = await times(20, () =>
      server.post(`/v1/media/builders/${id}/portfolio`, tokens.owner, [["file", [picture, "a.jpg"]]], {
        "idempotency-key": "one-for-twenty",
      }),
    );
    expect(statusesOf(answers)).toEqual([...Array.from({ length: 19 }, () => 200), 201]);
    expect(answers.filter(({ headers }) => headers.has("idempotent-replay"))).toHaveLength(19);
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    const page = await server.call<{ items: MediaOut[] }>("GET", `/v1/media/entity/builder/${id}`);
    expect(page.body.items).toHaveLength(1);
    const { media } = answers[0]?.body ?? {};
    expect((await stored(id)).length).toBe(1 + (media?.variants.length ?? 0));
  });

  it("20 uploads of one picture that reuse what is there make one item", async () => {
    const id = await newBuilder();
    const answers = await times(20, () =>
      server.post(`/v1/media/builders/${id}/portfolio`, tokens.owner, [
        ["on_duplicate", "reuse"],
        ["file", [picture, "a.jpg"]],
      ]),
    );
    expect(statusesOf(answers)).toEqual([...Array.from({ length: 19 }, () => 200), 201]);
    expect(new Set(answers.map(({ body }) => body.media.id)).size).toBe(1);
    expect((await stored(id)).length).toBe(1 + (answers[0]?.body.media.variants.length ?? 0));
  });
});
