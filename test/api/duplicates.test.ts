import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { MediaOut } from "../../src/media/model.js";
import { fillGallery, type TestGallery } from "../support/gallery.js";
import { quarters, scenery } from "../support/pictures.js";
import { makePlatform, type PlatformTokens } from "../support/platform.js";
import { SERVICE_TOKEN, startTestServer, type TestServer } from "../support/server.js";

type Failure = { code: string; right?: string };
type Group = { tier: string; distance: number; count: number; media: MediaOut[] };
type Groups = Failure & { items: Group[]; nextCursor: string | null };
type Found = Failure & { items: { publicId: string; distance: number; tier: string }[] };

describe("duplicates", () => {
  let server: TestServer;
  let tokens: PlatformTokens;
  let first: TestGallery;
  let second: TestGallery;
  const PATH = "/v1/media/entity/builder/BLD-1/duplicates";

  beforeAll(async () => {
    server = await startTestServer();
    tokens = await makePlatform(server);
    const picture = await quarters(120, 100).jpeg().toBuffer();
    const fill = async (id: string, letters: string) => {
      await server.entity("builder", id, { ownerId: "USR-OWNER" });
      return fillGallery(server, { type: "builder", id }, { letters, token: tokens.owner, picture });
    };
    first = await fill("BLD-1", "abc");
    second = await fill("BLD-2", "d");
    await upload("portfolio", "e", await quarters(120, 100).jpeg({ quality: 60 }).toBuffer());
    await upload("portfolio", "f", await scenery(300, 200, 7).jpeg().toBuffer());
    // Of another field: that is not to be resolved with the gallery.
    await upload("cover", "g", picture);
  });
  afterAll(() => server.stop());

  async function upload(field: string, name: string, bytes: Uint8Array): Promise<void> {
    const form = [["file", [bytes, name]]] as const;
    expect((await server.post(`/v1/media/builders/BLD-1/${field}`, tokens.owner, form)).status).toBe(201);
  }
  const groups = (query = "", token: string | undefined = tokens.owner) =>
    server.call<Groups>("GET", `${PATH}${query}`, { token });
  const shown = ({ items }: Groups) =>
    items.map(({ tier, count, media }) => [tier, count, media.map((item) => item.originalFilename).join("")]);
  const duplicates = (letter: string, query = "", token: string | undefined = tokens.owner) =>
    server.call<Found>("GET", `/v1/media/${first.item(letter).id}/duplicates${query}`, { token });

  it("of an entity come in groups, each with the one to keep first, tier by tier", async () => {
    const { status, body } = await groups();
    expect([status, shown(body), body.nextCursor]).toEqual([
      200,
      [
        ["exact", 3, "abc"],
        ["same", 2, "ae"],
      ],
      null,
    ]);
    expect(body.items[0]?.media[1]).toEqual(first.item("b"));
  });

  it("of an entity are asked for by field and tier", async () => {
    expect(shown((await groups("?tier=same")).body)).toEqual([["same", 2, "ae"]]);
    expect(shown((await groups("?tier=similar")).body)).toEqual([]);
    expect(shown((await groups("?field=cover")).body)).toEqual([]);
    expect(shown((await groups("?field=gallery&tier=exact")).body)).toEqual([["exact", 3, "abc"]]);
  });

  it("of an entity come in pages", async () => {
    const page = (await groups("?limit=1")).body;
    expect(shown(page)).toEqual([["exact", 3, "abc"]]);
    const next = (await groups(`?limit=1&cursor=${encodeURIComponent(page.nextCursor ?? "")}`)).body;
    expect([shown(next), next.nextCursor]).toEqual([[["same", 2, "ae"]], null]);
    expect((await groups("?cursor=nonsense")).status).toBe(400);
  });

  it("of an entity are for those who manage it", async () => {
    expect((await groups("", tokens.admin)).body).toEqual((await groups()).body);
    for (const [token, status, code] of [
      [undefined, 401, "UNAUTHENTICATED"],
      [tokens.stranger, 403, "FORBIDDEN"],
      [tokens.moderator, 403, "FORBIDDEN"],
    ] as const) {
      const answer = await server.call<Groups>("GET", PATH, { token });
      expect([answer.status, answer.body.code]).toEqual([status, code]);
    }
    const nowhere = await server.call<Groups>("GET", PATH.replace("BLD-1", "BLD-404"), { token: tokens.owner });
    expect([nowhere.status, nowhere.body.code]).toEqual([404, "ENTITY_NOT_FOUND"]);
  });

  it("of an item are looked for in its entity, or everywhere by moderators, admins and services", async () => {
    const here = (await duplicates("a")).body.items.map(({ tier }) => tier);
    expect(here).toEqual(["exact", "exact", "exact", "same"]);
    expect((await duplicates("a", "?scope=entity", tokens.stranger)).body.items).toHaveLength(4);
    for (const token of [tokens.moderator, tokens.admin, SERVICE_TOKEN]) {
      const { status, body } = await duplicates("a", "?scope=everywhere", token);
      expect([status, body.items.length]).toEqual([200, 5]);
      expect(body.items).toContainEqual({ publicId: second.item("d").publicId, distance: 0, tier: "exact" });
      expect(body.items.map(({ publicId }) => publicId)).not.toContain(first.item("a").publicId);
    }
  });

  it("are not looked for everywhere by anyone else", async () => {
    for (const token of [tokens.owner, tokens.stranger])
      expect(await duplicates("a", "?scope=everywhere", token)).toMatchObject({
        status: 403,
        body: { code: "FORBIDDEN", right: "moderate" },
      });
    const path = `/v1/media/${first.item("a").id}/duplicates?scope=everywhere`;
    expect((await server.call("GET", path)).status).toBe(401);
    expect((await duplicates("a", "?scope=elsewhere")).status).toBe(400);
  });

  it("feed what resolves them, and are none after that", async () => {
    for (const { items } = (await groups()).body; items.length > 0; items.shift()) {
      const [kept, ...others] = items[0]?.media ?? [];
      const body = { mediaIds: others.map(({ id }) => id) };
      expect(
        (await server.call("POST", `/v1/media/${kept?.id}/duplicates/resolve`, { token: tokens.owner, body })).status,
      ).toBe(200);
    }
    expect((await groups()).body).toEqual({ items: [], nextCursor: null });
    expect(await first.order()).toBe("af");
  });
});
