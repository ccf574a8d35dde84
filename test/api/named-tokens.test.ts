import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { NamedToken } from "../../src/accounts/ports.js";
import type { Scope } from "../../src/media/rights.js";
import { quarters } from "../support/pictures.js";
import { makePlatform, type PlatformTokens } from "../support/platform.js";
import { startTestServer, type TestServer } from "../support/server.js";

const UNAUTHENTICATED = { status: 401, body: { code: "UNAUTHENTICATED" } };
const missing = (right: string) => ({ status: 403, body: { code: "FORBIDDEN", right } });

describe("named service tokens", () => {
  let server: TestServer;
  let people: PlatformTokens;
  let tokens: Record<Scope, string>;
  let picture: Buffer;

  beforeAll(async () => {
    server = await startTestServer({ RATE_LIMIT: "100" });
    people = await makePlatform(server);
    tokens = {
      read: await server.namedToken("reader", ["read"]),
      upload: await server.namedToken("importer", ["upload"]),
      moderate: await server.namedToken("judge", ["moderate"]),
      admin: await server.namedToken("root", ["admin"]),
    };
    picture = await quarters(120, 120).png().toBuffer();
  });
  afterAll(() => server.stop());

  const me = (token: string) => server.call("GET", "/v1/auth/me", { token });
  const upload = (path: string, token: string, headers?: Record<string, string>) =>
    server.post(`/v1/media${path}`, token, [["file", [picture, "a.png"]]], headers);
  const record = async (name: string) => {
    const [row] = await server.tables.execute("SELECT * FROM service_tokens WHERE name = ?", [name]);
    return row ?? {};
  };

  it("say who they are", async () => {
    expect((await me(tokens.upload)).body).toEqual({ kind: "token", name: "importer", scopes: ["upload"] });
  });

  it("are unauthenticated when they are unknown, cut, expired or revoked", async () => {
    const past = { createdAt: new Date("2020-01-01"), expiresAt: new Date("2020-01-02") } satisfies Partial<NamedToken>;
    const expired = await server.namedToken("expired", ["admin"], past);
    const revoked = await server.namedToken("revoked", ["admin"]);
    expect((await me(revoked)).status).toBe(200);
    await server.tables.execute("UPDATE service_tokens SET revoked_at = created_at WHERE name = ?", ["revoked"]);
    for (const token of [expired, revoked, `${tokens.admin}x`, tokens.admin.slice(0, -1), `ams_${"A".repeat(43)}`]) {
      expect(await me(token)).toMatchObject(UNAUTHENTICATED);
      expect(await server.call("GET", "/v1/media/search", { token }), "at what everyone sees too").toMatchObject(
        UNAUTHENTICATED,
      );
      expect(await upload("/properties/PROP-NONE/photos", token), "before anything is looked up").toMatchObject(
        UNAUTHENTICATED,
      );
    }
  });

  it("have their last use on record, to the minute", async () => {
    const token = await server.namedToken("noted", ["read"]);
    expect((await record("noted")).last_used_at).toBeNull();
    await Promise.all([me(token), me(token), me(token)]);
    const { last_used_at: lastUse } = await record("noted");
    expect(new Date(lastUse as number | Date).getTime() % 60_000).toBe(0);
  });

  it("upload to every entity and manage what hangs there, and give no rights away", async () => {
    const { status, body } = await upload("/properties/PROP-1/photos", tokens.upload);
    expect([status, body.media.uploadedBy, body.media.moderationStatus]).toEqual([201, null, "approved"]);
    const item = `/v1/media/${body.media.id}`;
    const hidden = await server.call("PATCH", item, { token: tokens.upload, body: { isPublic: false } });
    expect(hidden.status).toBe(200);
    for (const token of [tokens.upload, tokens.read, tokens.moderate])
      expect((await server.call("GET", item, { token })).status).toBe(200);
    expect((await server.call("GET", item, { token: people.stranger })).status).toBe(404);
    expect((await server.call("DELETE", item, { token: tokens.upload })).status).toBe(200);
    expect((await server.call("POST", `${item}/restore`, { token: tokens.upload })).status).toBe(200);
    const permanent = await server.call("DELETE", `${item}?permanent=true`, { token: tokens.upload });
    expect(permanent).toMatchObject(missing("scope:admin"));
    const grant = "/v1/entities/property/PROP-1/grants/USR-STRANGER";
    const given = await server.call("PUT", grant, { token: tokens.upload, body: { right: "upload" } });
    expect(given).toMatchObject(missing("scope:admin"));
  });

  it("are refused after the entity is found, and told the scope that is missing", async () => {
    for (const token of [tokens.read, tokens.moderate]) {
      expect(await upload("/properties/PROP-1/photos", token)).toMatchObject(missing("scope:upload"));
      expect(await upload("/properties/PROP-NONE/photos", token)).toMatchObject({ status: 404 });
    }
    const decision = { token: tokens.read, body: { decision: "approve" } };
    expect(await server.call("POST", "/v1/media/1/moderation", decision)).toMatchObject(missing("scope:moderate"));
    const queue = { token: tokens.upload };
    expect(await server.call("GET", "/v1/media/moderation/queue", queue)).toMatchObject(missing("scope:read"));
    const entity = { token: tokens.moderate, body: {} };
    expect(await server.call("PUT", "/v1/entities/builder/BLD-2", entity)).toMatchObject(missing("scope:admin"));
  });

  it("wait for a moderator with what they upload to posts, unless they may approve it themselves", async () => {
    const { body } = await upload("/posts/PST-1/media", tokens.upload);
    expect(body.media.moderationStatus).toBe("pending");
    const inQueue = async (token: string) =>
      (await server.call<{ items: { id: number }[] }>("GET", "/v1/media/moderation/queue", { token })).body.items;
    for (const token of [tokens.read, tokens.moderate])
      expect((await inQueue(token)).map(({ id }) => id)).toContain(body.media.id);
    const approval = { token: tokens.moderate, body: { decision: "approve" } };
    expect((await server.call("POST", `/v1/media/${body.media.id}/moderation`, approval)).status).toBe(200);
    const both = await server.namedToken("both", ["upload", "moderate"]);
    for (const token of [both, tokens.admin])
      expect((await upload("/posts/PST-1/media", token)).body.media.moderationStatus).toBe("approved");
  });

  it("find hidden items of entities nobody tied them to", async () => {
    const { body } = await server.post("/v1/media/builders/BLD-PSALMSFINE-0420/portfolio", tokens.upload, [
      ["is_public", "false"],
      ["alt_text", "cellar"],
      ["file", [picture, "a.png"]],
    ]);
    const find = async (token?: string) =>
      (await server.call<{ items: { id: number }[] }>("GET", "/v1/media/search?q=cellar", { token })).body.items;
    for (const token of [tokens.read, tokens.upload, tokens.moderate, tokens.admin])
      expect((await find(token)).map(({ id }) => id)).toEqual([body.media.id]);
    for (const token of [undefined, people.stranger]) expect(await find(token)).toEqual([]);
  });

  it("have idempotency keys of their own", async () => {
    const send = (token: string) => upload("/communities/CMY-1/photos", token, { "Idempotency-Key": "import-1" });
    const first = await send(tokens.upload);
    expect((await send(tokens.upload)).body.media.id).toBe(first.body.media.id);
    const other = await send(tokens.admin);
    expect([other.status, other.body.media.id === first.body.media.id]).toEqual([201, false]);
    const keys = await server.tables.execute("SELECT principal FROM idempotency_keys WHERE idempotency_key = ?", [
      "import-1",
    ]);
    expect(new Set(keys.map(({ principal }) => principal))).toEqual(new Set(["@service:importer", "@service:root"]));
  });

  it("are counted by name, but for those with every right", async () => {
    const busy = await server.namedToken("busy", ["read"]);
    const many = async (token: string) =>
      new Set((await Promise.all(Array.from({ length: 110 }, () => me(token)))).map(({ status }) => status));
    expect(await many(busy)).toEqual(new Set([200, 429]));
    expect(await many(tokens.admin)).toEqual(new Set([200]));
    expect((await me(tokens.read)).status, "another's calls are not theirs").toBe(200);
  });
});
