import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from "vitest";
import { loadConfig } from "../../src/config.js";
import { type InProcess, openInProcess } from "../../src/in-process.js";
import { type Actor, ANONYMOUS } from "../../src/media/actor.js";
import { MediaError, type MediaErrorCode } from "../../src/media/errors.js";
import type { MediaOut } from "../../src/media/model.js";
import { createCallerFor } from "../../src/procedures/in-process.js";
import { type RunningServer, startServer } from "../../src/start-server.js";
import { createDomain } from "../support/domain.js";
import { quarters } from "../support/pictures.js";
import { createApi, SERVICE_TOKEN, type UploadResult } from "../support/server.js";
import { openStage, type Stage } from "../support/stage.js";

const SERVICE: Actor = { kind: "service" };
const user = (id: string): Actor => ({ kind: "user", id, role: "user", verified: false });

async function failureOf(call: Promise<unknown>): Promise<MediaError> {
  const error = await call.then(
    () => "it was let through",
    (thrown: unknown) => thrown,
  );
  if (error instanceof MediaError) return error;
  throw new Error(`not a MediaError: ${String(error)}`);
}

describe("procedures called in process", () => {
  let stage: Stage;
  let server: RunningServer;
  let tool: InProcess;
  let photo: MediaOut;

  beforeAll(async () => {
    stage = await openStage();
    server = await startServer(loadConfig({ ...stage.env, SERVICE_TOKEN }));
    tool = await openInProcess(loadConfig({ ...stage.env, SERVICE_TOKEN, BASE_URL: server.baseUrl }));
    const service = tool.as(SERVICE);
    for (const publicId of ["USR-OWNER", "USR-STRANGER"]) await service.users.upsert({ publicId, role: "user" });
    await service.entities.upsert({ type: "builder", publicId: "BLD-1", ownerId: "USR-OWNER" });
    await service.entities.upsert({ type: "property", publicId: "PRP-1", parentId: "BLD-1" });
    const { token } = await service.auth.createSession({ userId: "USR-OWNER" });
    const uploaded = await createApi(server.baseUrl).post<UploadResult>("/v1/media/properties/PRP-1/photos", token, [
      ["file", [await quarters(120, 120).jpeg().toBuffer(), "a.jpg"]],
    ]);
    photo = uploaded.body.media;
  });
  afterAll(async () => {
    await tool.close();
    await server.stop();
    await stage.remove();
  });

  it("answer what HTTP answers, with its type", async () => {
    const page = await tool.as(ANONYMOUS).media.list({ type: "property", id: "PRP-1", field: "gallery" });
    expectTypeOf(page.items).toEqualTypeOf<MediaOut[]>();
    expectTypeOf(page.nextCursor).toEqualTypeOf<string | null>();
    expect(page).toEqual({ items: [photo], total: 1, nextCursor: null });
    const overHttp = await createApi(server.baseUrl).call("GET", "/v1/media/entity/property/PRP-1?field=gallery");
    expect(overHttp.body).toEqual(page);
  });

  it("change what the server then shows", async () => {
    const changed = await tool.as(user("USR-OWNER")).media.update({ id: photo.id, altText: "From a tool" });
    expectTypeOf(changed).toEqualTypeOf<MediaOut>();
    const shown = await createApi(server.baseUrl).call("GET", `/v1/media/${photo.publicId}`);
    expect(shown.body).toMatchObject({ altText: "From a tool" });
  });

  it("know who acts", async () => {
    expect(await tool.as(SERVICE).auth.me()).toEqual({ kind: "service" });
    expect(await tool.as(user("USR-OWNER")).auth.me()).toMatchObject({ kind: "user", publicId: "USR-OWNER" });
  });

  it("act as a token with the scopes a tool gives itself", async () => {
    const importer = tool.as({ kind: "token", name: "importer", scopes: ["upload"] });
    expect(await importer.auth.me()).toEqual({ kind: "token", name: "importer", scopes: ["upload"] });
    expect(await importer.media.update({ id: photo.id, caption: "By a token" })).toMatchObject({
      caption: "By a token",
    });
    const { failure } = await failureOf(importer.entities.upsert({ type: "builder", publicId: "BLD-1", name: "Mine" }));
    expect(failure).toMatchObject({ code: "FORBIDDEN", right: "scope:admin" });
  });

  const failures: [string, MediaErrorCode, () => Promise<unknown>, object][] = [
    ["nobody", "UNAUTHENTICATED", () => tool.as(ANONYMOUS).media.delete({ id: photo.id }), {}],
    [
      "a stranger",
      "FORBIDDEN",
      () => tool.as(user("USR-STRANGER")).media.delete({ id: photo.id }),
      { right: "manage", subject: "property PRP-1" },
    ],
    ["a user where a service is asked for", "FORBIDDEN", () => tool.as(user("USR-OWNER")).health.repair({}), {}],
    ["an item that is not there", "MEDIA_NOT_FOUND", () => tool.as(SERVICE).media.get({ id: 999 }), { mediaId: "999" }],
    [
      "an entity that is not there",
      "ENTITY_NOT_FOUND",
      () => tool.as(SERVICE).media.list({ type: "post", id: "PST-NONE" }),
      { entityType: "post", entityId: "PST-NONE" },
    ],
    [
      "an input that is not allowed",
      "VALIDATION",
      () => tool.as(SERVICE).media.list({ type: "property", id: "PRP-1", limit: 1000 }),
      { issues: [{ path: "limit", message: expect.stringContaining("100") }] },
    ],
  ];

  it.each(failures)("refuse %s with %s and its facts", async (_, code, call, facts) => {
    const { failure } = await failureOf(call());
    expect(failure).toMatchObject({ code, ...facts });
    expect((await tool.as(SERVICE).media.get({ id: photo.id })).id).toBe(photo.id);
  });

  it("take no session and set no cookie", async () => {
    expect(await tool.as(user("USR-OWNER")).auth.logout()).toEqual({ message: "The session has ended." });
    const { token } = await tool.as(SERVICE).auth.createSession({ userId: "USR-OWNER" });
    expect((await createApi(server.baseUrl).call("GET", "/v1/auth/me", { token })).status).toBe(200);
  });

  it("do not take what the types refuse", () => {
    const { media } = tool.as(ANONYMOUS);
    expectTypeOf(media.list).parameter(0).not.toEqualTypeOf<object>();
    expectTypeOf<{ type: "castle"; id: string }>().not.toExtend<Parameters<typeof media.list>[0]>();
  });
});

describe("a procedure that breaks in process", () => {
  it("rejects with INTERNAL, and what was thrown as its cause", async () => {
    const domain = await createDomain();
    try {
      const broken = new TypeError("nobody foresaw this");
      const { database } = domain.deps;
      const entities = { ...database.entities, find: () => Promise.reject(broken) };
      const { users, sessions } = domain.opened;
      const accounts = { users, sessions } as Parameters<typeof createCallerFor>[0]["accounts"];
      const deps = { ...domain.deps, database: { ...database, entities } };
      const uploads = { complete: () => Promise.reject(broken) };
      const caller = createCallerFor({ deps, accounts, uploads, isDraining: () => false }, SERVICE);
      const error = await failureOf(caller.entities.get({ type: "post", publicId: "PST-1" }));
      expect([error.failure, error.cause]).toEqual([{ code: "INTERNAL" }, broken]);
      expect(error.message).not.toContain("foresaw");
    } finally {
      await domain.close();
    }
  });
});
