import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { MediaOut } from "../../src/media/model.js";
import { fillGallery, lettersOf, type TestGallery } from "../support/gallery.js";
import { scenery } from "../support/pictures.js";
import { makePlatform, type PlatformTokens } from "../support/platform.js";
import { SERVICE_TOKEN, startTestServer, type TestServer } from "../support/server.js";

type Found = { items: MediaOut[]; nextCursor: string | null };
type Query = Record<string, string | number>;

type Description = {
  createdAt: string;
  altText?: string;
  caption?: string;
  tags?: readonly string[];
  mediaType?: "VIDEO";
  uploadedBy?: string;
};

/** The letter of an item is its file name. What is not said here is as an upload without any field leaves it. */
const ITEMS: Readonly<Record<string, Description>> = {
  a: { createdAt: "2026-03-03T23:59:59.999Z", altText: "A red Door", tags: ["door", "front"] },
  b: { createdAt: "2026-03-04T00:00:00.000Z", caption: "behind the door" },
  c: { createdAt: "2026-03-04T12:00:00.000Z", tags: ["front", "Tür & Tor, 100%"] },
  d: { createdAt: "2026-03-04T23:59:59.999Z", altText: "Gärten", tags: ["doors"] },
  e: { createdAt: "2026-03-05T00:00:00.000Z", mediaType: "VIDEO" },
  f: { createdAt: "2026-03-05T08:00:00.000Z", uploadedBy: "USR-ADMIN" },
};
const LETTERS = Object.keys(ITEMS).join("");
const NEWEST_FIRST = Array.from(LETTERS).reverse().join("");

describe("media.search", () => {
  let server: TestServer;
  let tokens: PlatformTokens;
  let picture: Uint8Array;

  beforeAll(async () => {
    server = await startTestServer();
    tokens = await makePlatform(server);
    picture = await scenery(60, 50).jpeg().toBuffer();
    const place = { type: "builder", id: "BLD-PSALMSFINE-0420" };
    await describeItems(server, await fillGallery(server, place, { letters: LETTERS, token: tokens.owner, picture }));
  });
  afterAll(() => server.stop());

  const ask = (query: Query, token?: string) => {
    const parameters = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]));
    return server.call<Found>("GET", `/v1/media/search?${parameters.toString()}`, { token });
  };

  async function find(query: Query, token?: string): Promise<Found> {
    const { status, body } = await ask(query, token);
    expect(status, JSON.stringify(body)).toBe(200);
    return body;
  }

  /** The letters found, newest first. */
  const search = async (query: Query, token?: string) => lettersOf((await find(query, token)).items);

  async function searchOverTrpc(query: Query): Promise<Found> {
    const path = `/trpc/media.search?input=${encodeURIComponent(JSON.stringify(query))}`;
    return (await server.call<{ result: { data: Found } }>("GET", path)).body.result.data;
  }

  it("finds everything where nothing is asked, newest first", async () => {
    const { items, nextCursor } = await find({});
    expect([lettersOf(items), nextCursor]).toEqual([NEWEST_FIRST, null]);
    expect(await find({ q: "" })).toEqual({ items, nextCursor });
  });

  describe("by time", () => {
    it.each([
      { when: "from a day, its first moment included", query: { from: "2026-03-04" }, found: "fedcb" },
      { when: "to a day, which counts whole", query: { to: "2026-03-04" }, found: "dcba" },
      { when: "on one day", query: { from: "2026-03-04", to: "2026-03-04" }, found: "dcb" },
      { when: "to a moment, itself included", query: { to: "2026-03-04T00:00:00Z" }, found: "ba" },
      { when: "to a moment right before", query: { to: "2026-03-03T23:59:59.998Z" }, found: "" },
      { when: "from a moment, itself included", query: { from: "2026-03-04T23:59:59.999Z" }, found: "fed" },
      {
        when: "in another zone",
        query: { from: "2026-03-05T01:00:00+02:00", to: "2026-03-05T02:00:00+02:00" },
        found: "ed",
      },
      { when: "from a day to a moment of it", query: { from: "2026-03-04", to: "2026-03-04T12:00:00Z" }, found: "cb" },
      { when: "on a leap day", query: { from: "2024-02-29", to: "2024-02-29" }, found: "" },
      { when: "in a range that ends before it begins", query: { from: "2026-03-05", to: "2026-03-03" }, found: "" },
    ])("$when", async ({ query, found }) => {
      expect(await search(query)).toBe(found);
      expect(lettersOf((await searchOverTrpc(query)).items)).toBe(found);
    });
  });

  describe("by what is said of an item", () => {
    it.each([
      { by: "a text in alt text or caption, in either case", query: { q: "dOOR" }, found: "ba" },
      { by: "a text in the file name", query: { q: "C" }, found: "c" },
      { by: "the beginning of a word with an umlaut", query: { q: "Gärt" }, found: "d" },
      { by: "the same without it", query: { q: "GART" }, found: "d" },
      { by: "words in any order", query: { q: "door  red" }, found: "a" },
      { by: "words that never meet", query: { q: "red behind" }, found: "" },
      { by: "the inside of a word", query: { q: "oor" }, found: "" },
      { by: "spaces, as nothing", query: { q: "  " }, found: NEWEST_FIRST },
      { by: "signs alone", query: { q: '"*' }, found: "" },
      { by: "a tag, whole", query: { tag: "door" }, found: "a" },
      { by: "a tag of several items", query: { tag: "front" }, found: "ca" },
      { by: "a tag of odd characters", query: { tag: "Tür & Tor, 100%" }, found: "c" },
      { by: "a tag in the other case", query: { tag: "Front" }, found: "" },
      { by: "pictures", query: { type: "IMAGE" }, found: "fdcba" },
      { by: "videos", query: { type: "VIDEO" }, found: "e" },
      { by: "an uploader", query: { uploader: "USR-ADMIN" }, found: "f" },
      { by: "another uploader", query: { uploader: "USR-OWNER" }, found: "edcba" },
      { by: "an uploader of nothing", query: { uploader: "USR-STRANGER" }, found: "" },
      { by: "an uploader in the other case", query: { uploader: "usr-admin" }, found: "" },
      { by: "a status", query: { status: "approved" }, found: NEWEST_FIRST },
      { by: "a status nothing has", query: { status: "flagged", q: "door" }, found: "" },
      { by: "all at once", query: { q: "door", tag: "front", type: "IMAGE", uploader: "USR-OWNER" }, found: "a" },
      { by: "text and time", query: { q: "door", from: "2026-03-04" }, found: "b" },
      { by: "things that never meet", query: { tag: "doors", type: "VIDEO" }, found: "" },
    ])("$by", async ({ query, found }) => {
      expect(await search(query)).toBe(found);
      expect(lettersOf((await searchOverTrpc(query)).items)).toBe(found);
    });
  });

  describe("page by page", () => {
    /** The letters of each page, to the end. */
    async function pagesOf(query: Query, token?: string): Promise<string[]> {
      const pages: string[] = [];
      let cursor: string | null = "";
      while (cursor !== null) {
        const page: Found = await find(cursor === "" ? query : { ...query, cursor }, token);
        pages.push(lettersOf(page.items));
        cursor = page.nextCursor;
      }
      return pages;
    }

    it.each([
      { limit: 1, pages: ["f", "e", "d", "c", "b", "a"] },
      { limit: 4, pages: ["fedc", "ba"] },
      { limit: 3, pages: ["fed", "cba"] },
      { limit: 6, pages: ["fedcba"] },
      { limit: 100, pages: ["fedcba"] },
    ])("of $limit", async ({ limit, pages }) => {
      expect(await pagesOf({ limit })).toEqual(pages);
    });

    it("of what is asked for only", async () => {
      expect(await pagesOf({ limit: 2, type: "IMAGE", to: "2026-03-04" })).toEqual(["dc", "ba"]);
      expect(await pagesOf({ limit: 2, tag: "none" })).toEqual([""]);
    });

    it("without one item twice or left out when others come and go", async () => {
      const first = await find({ limit: 3 });
      const cursor = first.nextCursor ?? "";
      const place = { type: "builder", id: "BLD-PSALMSFINE-0420" };
      const late = await fillGallery(server, place, { letters: "yz", token: tokens.owner, picture });
      expect(lettersOf((await find({ limit: 3, cursor })).items)).toBe("cba");
      for (const id of [...late.ids("yz"), first.items[2]?.id])
        expect((await server.call("DELETE", `/v1/media/${id}`, { token: tokens.owner })).status).toBe(200);
      expect(lettersOf((await find({ limit: 3, cursor })).items)).toBe("cba");
      await server.call("POST", `/v1/media/${first.items[2]?.id}/restore`, { token: tokens.owner });
      expect(await search({})).toBe(NEWEST_FIRST);
    });

    it.each(["", "x", btoa("[]"), btoa('["1"]'), btoa("[1.5]"), btoa("{}")])(
      "refuses the cursor %j",
      async (cursor) => {
        expect(await ask({ cursor })).toMatchObject({ status: 400, body: { code: "VALIDATION" } });
      },
    );

    it.each([0, -1, 101, 1.5])("refuses pages of %d", async (limit) => {
      expect(await ask({ limit })).toMatchObject({ status: 400, body: { code: "VALIDATION" } });
    });
  });

  /** Who uploaded is the service, so that whoever sees the item sees it by a tie to its entity. */
  describe("for those tied to an entity, and for how long", () => {
    const HIDDEN = {
      u: { type: "user", id: "USR-GRANTEE", field: "cover", seenBy: ["grantee"] },
      p: { type: "property", id: "PROP-1", field: "gallery", seenBy: ["owner", "grantee"] },
      n: { type: "amenity", id: "AMN-1", field: "gallery", seenBy: ["communityAdmin"] },
      m: { type: "community", id: "CMY-1", field: "gallery", seenBy: ["communityAdmin"] },
      s: { type: "sales_rep", id: "SLS-1", field: "avatar", seenBy: ["owner"] },
    } as const satisfies Record<string, { seenBy: readonly (keyof PlatformTokens)[]; [key: string]: unknown }>;
    const query = { q: "hidden" };

    beforeAll(async () => {
      const form = [
        ["is_public", "false"],
        ["tags", "hidden"],
      ] as const;
      const large = await scenery(120, 110).jpeg().toBuffer();
      for (const [letters, place] of Object.entries(HIDDEN)) {
        const gallery = await fillGallery(server, place, { letters, token: SERVICE_TOKEN, picture: large, form });
        await server.service("PATCH", `/v1/media/${gallery.item(letters).id}`, { caption: "hidden" });
      }
    });

    const ROLES = ["owner", "communityAdmin", "grantee", "expiredGrantee", "stranger", "moderator", "admin"] as const;
    const seenBy = (role: keyof PlatformTokens): string => {
      const isEverywhere = role === "moderator" || role === "admin";
      const seen = Object.entries(HIDDEN).filter(([, hidden]) => isEverywhere || hidden.seenBy.some((r) => r === role));
      return seen
        .map(([letter]) => letter)
        .reverse()
        .join("");
    };

    it.each(ROLES)("%s", async (role) => {
      expect(await search(query, tokens[role])).toBe(seenBy(role));
      expect(await search({ ...query, tag: "hidden", type: "IMAGE" }, tokens[role])).toBe(seenBy(role));
      expect(await search({}, tokens[role])).toBe(seenBy(role) + NEWEST_FIRST);
    });

    it("nobody without a token, and a service all", async () => {
      expect(await search(query)).toBe("");
      expect(await search(query, SERVICE_TOKEN)).toBe(seenBy("admin"));
    });

    it("pages are full of what the caller sees", async () => {
      const first = await find({ limit: 2 }, tokens.owner);
      expect(lettersOf(first.items)).toBe("sp");
      const cursor = first.nextCursor ?? "";
      expect(lettersOf((await find({ limit: 2, cursor }, tokens.owner)).items)).toBe("fe");
      expect(lettersOf((await find({ limit: 2, cursor }, tokens.stranger)).items)).toBe("fe");
    });

    it("a page's cursor shows nobody what he does not see", async () => {
      const { nextCursor } = await find({ limit: 1 }, tokens.admin);
      expect(await search({ cursor: nextCursor ?? "" }, tokens.stranger)).toBe(NEWEST_FIRST);
    });

    it("a tie that ends hides at once what it showed", async () => {
      expect(await search(query, tokens.grantee)).toBe("pu");
      await server.service("DELETE", "/v1/entities/property/PROP-1/grants/USR-GRANTEE");
      expect(await search(query, tokens.grantee)).toBe("u");
      await server.entity("community", "CMY-1", { adminIds: ["USR-STRANGER"] });
      expect(await search(query, tokens.communityAdmin)).toBe("");
      expect(await search(query, tokens.stranger)).toBe("mn");
    });
  });
});

/** Text by the API; the rest, which no call sets, by SQL. */
async function describeItems(server: TestServer, gallery: TestGallery): Promise<void> {
  for (const [letter, { createdAt, mediaType = "IMAGE", uploadedBy = "USR-OWNER", ...said }] of Object.entries(ITEMS)) {
    const { id } = gallery.item(letter);
    await server.service("PATCH", `/v1/media/${id}`, said);
    await server.tables.execute("UPDATE media SET created_at = ?, media_type = ?, uploaded_by = ? WHERE id = ?", [
      new Date(createdAt),
      mediaType,
      uploadedBy,
      id,
    ]);
  }
}
