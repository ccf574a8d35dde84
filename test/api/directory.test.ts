import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { quarters } from "../support/pictures.js";
import { SERVICE_TOKEN, startTestServer, type TestServer } from "../support/server.js";

describe("the entity directory", () => {
  let server: TestServer;
  let owner: string;
  let friend: string;

  beforeAll(async () => {
    server = await startTestServer();
    owner = await server.user("USR-OWNER");
    friend = await server.user("USR-FRIEND");
  });
  beforeEach(async () => {
    await server.entity("builder", "BLD-1", { ownerId: "USR-OWNER" });
    await server.entity("property", "PRP-1", { parentId: "BLD-1", name: "One" });
  });
  afterAll(() => server.stop());

  const put = (type: string, id: string, body: unknown) =>
    server.call("PUT", `/v1/entities/${type}/${id}`, { token: SERVICE_TOKEN, body });

  it("keeps what is absent and clears what is null", async () => {
    const made = await server.entity("property", "PRP-1", {});
    expect(made).toMatchObject({
      type: "property",
      publicId: "PRP-1",
      name: "One",
      parentId: "BLD-1",
      ownerId: null,
      adminIds: [],
    });
    expect(await server.entity("property", "PRP-1", { name: null })).toMatchObject({
      id: made.id,
      name: null,
      parentId: "BLD-1",
    });
  });

  it("gives integer ids, or takes the platform's", async () => {
    expect(await server.entity("community", "CMY-77", { id: 77 })).toMatchObject({ id: 77 });
    expect((await server.entity("community", "CMY-78")).id).toBe(78);
    expect(await server.service("GET", "/v1/entities/community/77")).toMatchObject({ publicId: "CMY-77" });
    expect(await put("community", "CMY-79", { id: 77 })).toMatchObject({ status: 409, body: { code: "CONFLICT" } });
    expect(await put("community", "CMY-77", { id: 5 })).toMatchObject({ status: 409 });
  });

  it.each([
    ["galaxy", "X-1", {}],
    ["property", "PRP-2", { parentId: 5 }],
    ["property", "PRP-2", { id: 0 }],
    ["property", "123", {}],
    ["property", "a%2Fb", {}],
    ["property", "..%2e", {}],
    ["user", "USR-X", { parentId: "BLD-1" }],
    ["property", "x".repeat(65), {}],
    ["property", "PRP-2", []],
    ["property", "PRP-2", "text"],
    ["community", "CMY-1", { adminIds: "USR-1" }],
  ])("refuses %s %s with %o", async (type, id, body) => {
    expect(await put(type, id, body)).toMatchObject({
      status: 400,
      body: { code: "VALIDATION", issues: expect.any(Array) },
    });
  });

  it("refuses a parent that is not there", async () => {
    expect(await put("property", "PRP-9", { parentId: "BLD-NONE" })).toMatchObject({
      status: 404,
      body: { code: "ENTITY_NOT_FOUND" },
    });
  });

  it("is the platform's to change", async () => {
    for (const [method, path] of [
      ["PUT", "/v1/entities/builder/BLD-1"],
      ["DELETE", "/v1/entities/builder/BLD-1"],
      ["GET", "/v1/entities/builder"],
    ] as const) {
      expect((await server.call(method, path, { token: owner, body: method === "PUT" ? {} : undefined })).status).toBe(
        403,
      );
      expect((await server.call(method, path)).status).toBe(401);
    }
  });

  it("lists a type page by page", async () => {
    for (let i = 1; i <= 5; i++) await server.entity("sales_rep", `SLS-${i}`);
    const first = await server.service<{ items: { publicId: string }[]; nextCursor: number }>(
      "GET",
      "/v1/entities/sales_rep?limit=3",
    );
    const second = await server.service<typeof first>(
      "GET",
      `/v1/entities/sales_rep?limit=3&cursor=${first.nextCursor}`,
    );
    expect([...first.items, ...second.items].map((e) => e.publicId)).toEqual([
      "SLS-1",
      "SLS-2",
      "SLS-3",
      "SLS-4",
      "SLS-5",
    ]);
    expect(second.nextCursor).toBeNull();
  });

  it("sends the media of a deleted entity, and of what hangs below it, to the trash", async () => {
    const picture = await quarters(120, 120).png().toBuffer();
    const media = (await server.post("/v1/media/properties/PRP-1/photos", owner, [["file", [picture, "a.png"]]])).body
      .media;
    expect(await server.service("DELETE", "/v1/entities/builder/BLD-1")).toMatchObject({ deletedId: "BLD-1" });
    expect((await server.call("GET", `/v1/media/${media.id}`, { token: SERVICE_TOKEN })).status).toBe(404);
    expect((await server.call("GET", "/v1/media/entity/property/PRP-1", { token: SERVICE_TOKEN })).status).toBe(404);
    expect((await fetch(media.originalUrl)).status).toBe(404);
    const again = await server.entity("property", "PRP-1");
    expect(again.id).toBe(media.entityId);
  });

  describe("grants", () => {
    const grants = "/v1/entities/property/PRP-1/grants";
    const upload = async (token: string) =>
      (
        await server.post("/v1/media/properties/PRP-1/photos", token, [
          ["file", [await quarters(120, 120).jpeg().toBuffer(), "a.jpg"]],
        ])
      ).status;

    it("let a user upload until they end or are taken back", async () => {
      expect(await upload(friend)).toBe(403);
      const until = new Date(Date.now() + 3_600_000).toISOString();
      const made = await server.call("PUT", `${grants}/USR-FRIEND`, {
        token: owner,
        body: { right: "upload", expiresAt: until },
      });
      expect(made).toMatchObject({ status: 200, body: { userId: "USR-FRIEND", right: "upload", expiresAt: until } });
      expect(await upload(friend)).toBe(201);
      await server.call("PUT", `${grants}/USR-FRIEND`, {
        token: owner,
        body: { right: "upload", expiresAt: "2020-01-01T00:00:00Z" },
      });
      expect(await upload(friend)).toBe(403);
      expect((await server.call<{ items: unknown[] }>("GET", grants, { token: owner })).body.items).toHaveLength(1);
      expect((await server.call("DELETE", `${grants}/USR-FRIEND`, { token: owner })).status).toBe(200);
      expect((await server.call("DELETE", `${grants}/USR-FRIEND`, { token: owner })).status).toBe(404);
    });

    it("cannot be passed on by those who hold one, nor made by strangers", async () => {
      await server.service("PUT", `${grants}/USR-FRIEND`, { right: "upload" });
      const body = { right: "upload" };
      expect((await server.call("PUT", `${grants}/USR-X`, { token: friend, body })).status).toBe(403);
      expect((await server.call("PUT", `${grants}/USR-X`, { body })).status).toBe(401);
      await server.service("DELETE", `${grants}/USR-FRIEND`);
    });

    it.each([[{ right: "delete" }], [{}], [{ right: "upload", expiresAt: "tomorrow" }]])(
      "are refused as %o",
      async (body) => {
        expect((await server.call("PUT", `${grants}/USR-FRIEND`, { token: owner, body })).status).toBe(400);
      },
    );

    it("exist only where the type takes them", async () => {
      const answer = await server.call("PUT", "/v1/entities/builder/BLD-1/grants/USR-FRIEND", {
        token: owner,
        body: { right: "upload" },
      });
      expect(answer.status).toBe(400);
    });
  });

  describe("permissions.check", () => {
    const check = (token: string | undefined, action: string, type = "property", id = "PRP-1") =>
      server.call("GET", `/v1/permissions/check?action=${action}&type=${type}&id=${id}`, { token });

    it("says whether and why", async () => {
      expect((await check(owner, "upload")).body).toEqual({
        allowed: true,
        right: "upload",
        reason: "the user is the owner of the parent builder",
      });
      expect((await check(friend, "manage")).body).toMatchObject({
        allowed: false,
        right: "manage",
        reason: expect.stringContaining("owner of the parent builder"),
      });
      expect((await check(undefined, "upload")).body).toMatchObject({ allowed: false, reason: "nobody is signed in" });
      expect((await check(undefined, "view")).body).toMatchObject({ allowed: true });
      expect((await check(SERVICE_TOKEN, "moderate")).body).toMatchObject({ allowed: true });
      expect((await check(owner, "moderate")).body).toMatchObject({ allowed: false });
    });

    it("asks for what exists", async () => {
      expect((await check(owner, "upload", "property", "NONE")).status).toBe(404);
      expect((await check(owner, "fly")).status).toBe(400);
    });
  });
});
