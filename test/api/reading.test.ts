import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { MediaOut } from "../../src/media/model.js";
import { quarters } from "../support/pictures.js";
import { SERVICE_TOKEN, startTestServer, type TestServer } from "../support/server.js";

type Page = { items: MediaOut[]; total: number; nextCursor: string | null };

describe("reading a gallery", () => {
  let server: TestServer;
  let owner: string;
  let stranger: string;
  const items: MediaOut[] = [];

  beforeAll(async () => {
    server = await startTestServer();
    owner = await server.user("USR-OWNER");
    stranger = await server.user("USR-STRANGER");
    await server.entity("builder", "BLD-1", { ownerId: "USR-OWNER" });
    await server.entity("post", "PST-1", { ownerId: "USR-OWNER" });
    const picture = await quarters(120, 90).jpeg().toBuffer();
    for (let i = 0; i < 7; i++) {
      const answer = await server.post("/v1/media/builders/BLD-1/portfolio", owner, [
        ["file", [picture, `${i}.jpg`]],
        ["tags", i % 2 ? "odd,all" : "even,all"],
        ["is_public", i === 3 ? "false" : "true"],
      ]);
      items.push(answer.body.media);
    }
  });
  afterAll(() => server.stop());

  const list = (query = "", token?: string) =>
    server.call<Page>("GET", `/v1/media/entity/builder/BLD-1${query}`, { token });
  const names = (page: { body: Page }) => page.body.items.map((media) => media.originalFilename[0]).join("");

  it("goes page by page in gallery order, with the total of all pages", async () => {
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const query = `?field=gallery&limit=3${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`;
      const page: { body: Page } = await list(query, owner);
      expect(page.body.total).toBe(7);
      seen.push(names(page));
      cursor = page.body.nextCursor;
    } while (cursor);
    expect(seen).toEqual(["012", "345", "6"]);
  });

  it("shows strangers what is public, managers and moderators everything", async () => {
    expect(await list()).toMatchObject({ status: 200, body: { total: 6, nextCursor: null } });
    expect(names(await list("", stranger))).toBe("012456");
    expect(names(await list("", owner))).toBe("0123456");
    expect(names(await list("", SERVICE_TOKEN))).toBe("0123456");
    expect(names(await list("", await server.user("USR-MOD", { role: "moderator" })))).toBe("0123456");
  });

  it("filters by tag, field and status", async () => {
    expect(names(await list("?tag=odd", owner))).toBe("135");
    expect((await list("?tag=odd")).body.total).toBe(2);
    expect((await list("?tag=od")).body.total).toBe(0);
    expect((await list("?field=cover", owner)).body).toEqual({ items: [], total: 0, nextCursor: null });
    expect((await list("?status=pending", owner)).body.total).toBe(0);
    expect((await list("?status=approved", owner)).body.total).toBe(7);
  });

  it("answers what the upload answered", async () => {
    const [, second] = items as [MediaOut, MediaOut];
    for (const path of [
      `/v1/media/${second.id}`,
      `/v1/media/${second.publicId}`,
      `/v1/media/public/${second.publicId}`,
    ])
      expect(await server.call("GET", path)).toMatchObject({ status: 200, body: second });
    expect((await list()).body.items[1]).toEqual(second);
  });

  it("a private item is there for its owner and not for strangers", async () => {
    const hidden = items[3] as MediaOut;
    const get = (token?: string) => server.call<MediaOut>("GET", `/v1/media/${hidden.publicId}`, { token });
    expect((await get(owner)).body.originalUrl).toMatch(/\?expires=\d+&signature=/);
    for (const token of [undefined, stranger])
      expect(await get(token)).toMatchObject({ status: 404, body: { code: "MEDIA_NOT_FOUND" } });
  });

  it("a post of a user nobody verified waits for a moderator; its uploader sees it", async () => {
    const picture = await quarters(120, 90).jpeg().toBuffer();
    const post = (token: string) => server.post("/v1/media/posts/PST-1/media", token, [["file", [picture, "p.jpg"]]]);
    const { media } = (await post(owner)).body;
    expect(media).toMatchObject({ moderationStatus: "pending", isApproved: false });
    expect((await server.call("GET", `/v1/media/${media.id}`)).status).toBe(404);
    expect((await server.call("GET", `/v1/media/${media.id}`, { token: owner })).status).toBe(200);
    expect((await fetch(media.originalUrl)).status).toBe(200);
    await server.service("PUT", "/v1/users/USR-OWNER", { verified: true });
    expect((await post(owner)).body.media).toMatchObject({ moderationStatus: "approved", isApproved: true });
  });

  it.each([
    "?limit=0",
    "?limit=101",
    "?limit=ten",
    "?limit=1.5",
    "?field=pool",
    "?status=lost",
    "?cursor=x",
    "?cursor=W10",
    "?limit=1&limit=2",
    "?tag=",
  ])("refuses %s", async (query) => {
    expect(await list(query)).toMatchObject({
      status: 400,
      body: { code: "VALIDATION", issues: [{ path: expect.any(String) }] },
    });
  });

  it.each(["/v1/media/entity/builder/NONE", "/v1/media/entity/builder/99999"])("%s is no entity", async (path) => {
    expect(await server.call("GET", path)).toMatchObject({ status: 404, body: { code: "ENTITY_NOT_FOUND" } });
  });

  it.each([
    "/v1/media/99999",
    "/v1/media/NONE",
    "/v1/media/public/NONE",
    "/v1/media/-1",
    "/v1/media/1e3",
    "/v1/media/%00",
  ])("%s is no media", async (path) => {
    expect(await server.call("GET", path)).toMatchObject({ status: 404, body: { code: "MEDIA_NOT_FOUND" } });
  });

  describe("over tRPC", () => {
    const query = async (path: string, input: unknown, token?: string) =>
      await server.call<{ result?: { data: unknown }; error?: { data: Record<string, unknown> } }>(
        "GET",
        `/trpc/${path}?input=${encodeURIComponent(JSON.stringify(input))}`,
        { token },
      );

    it("says the same", async () => {
      const rest = (await list("?limit=2", owner)).body;
      const { status, body } = await query("media.list", { type: "builder", id: "BLD-1", limit: 2 }, owner);
      expect([status, body.result?.data]).toEqual([200, rest]);
      const second = items[1] as MediaOut;
      expect((await query("media.get", { id: second.id })).body.result?.data).toEqual(second);
      expect((await query("media.getByPublicId", { publicId: second.publicId })).body.result?.data).toEqual(second);
    });

    it("fails with the same codes and statuses", async () => {
      expect(await query("media.get", { id: 99999 })).toMatchObject({
        status: 404,
        body: {
          error: {
            data: { code: "MEDIA_NOT_FOUND", httpStatus: 404, mediaId: "99999", requestId: expect.any(String) },
          },
        },
      });
      expect(await query("media.get", {})).toMatchObject({
        status: 400,
        body: { error: { data: { code: "VALIDATION", issues: [{ path: "id" }] } } },
      });
      expect(await query("media.fly", {})).toMatchObject({
        status: 404,
        body: { error: { data: { code: "NOT_FOUND" } } },
      });
      expect(await query("auth.me", undefined)).toMatchObject({
        status: 401,
        body: { error: { data: { code: "UNAUTHENTICATED" } } },
      });
      expect(await query("entities.list", { type: "post" }, owner)).toMatchObject({
        status: 403,
        body: { error: { data: { code: "FORBIDDEN", right: "administer" } } },
      });
    });

    it("answers batches, each call for itself", async () => {
      const input = { 0: { id: items[0]?.id }, 1: { id: 99999 } };
      const answer = await server.call<unknown[]>(
        "GET",
        `/trpc/media.get,media.get?batch=1&input=${encodeURIComponent(JSON.stringify(input))}`,
      );
      expect(answer.status).toBe(207);
      expect(answer.body).toMatchObject([
        { result: { data: { id: items[0]?.id } } },
        { error: { data: { code: "MEDIA_NOT_FOUND" } } },
      ]);
    });

    it("sends no stack", async () => {
      expect(JSON.stringify((await query("media.get", { id: 99999 })).body)).not.toMatch(/stack|node_modules/);
    });
  });
});
