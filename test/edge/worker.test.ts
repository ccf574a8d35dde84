import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { json } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createMediaClient } from "../../client/index.js";
import type { MediaOut } from "../../src/media/model.js";
import { knownAtEdge } from "../support/edge-front.js";
import { scenery } from "../support/pictures.js";
import { createApi, SERVICE_TOKEN, startTestServer, type TestServer } from "../support/server.js";
import { startWorkerd, type WorkerdServer } from "../support/workerd-server.js";

const ORIGIN = "https://www.example.org";
const PORTFOLIO = "/v1/media/builders/BLD-1/portfolio";
const GALLERY = "/v1/media/entity/builder/BLD-1?field=gallery";
const ITEMS = 4;

/** One server and, over the same database, bucket and secrets, a worker by plain TCP and one by Hyperdrive. */
describe("the worker", () => {
  let server: TestServer;
  let tcp: WorkerdServer;
  let hyperdrive: WorkerdServer;
  let owner: string;
  let items: MediaOut[];

  beforeAll(async () => {
    server = await startTestServer({}, { database: "mariadb", store: "s3" });
    const shared = { CORS_ORIGINS: ORIGIN, LOG_LEVEL: "info" };
    const { DATABASE_URL = "", ...rest } = { ...knownAtEdge(server.settings), ...shared };
    [tcp, hyperdrive] = await Promise.all([
      startWorkerd({ env: { ...rest, DATABASE_URL, UPLOAD_URL: server.baseUrl } }),
      startWorkerd({ env: rest, hyperdriveUrl: DATABASE_URL }),
    ]);
    owner = await server.user("USR-1", { email: "one@example.org", password: "correct horse battery" });
    await server.user("USR-2", { role: "moderator" });
    await server.entity("builder", "BLD-1", { ownerId: "USR-1" });
    items = [];
    for (let seed = 1; seed <= ITEMS; seed++) {
      const picture = await scenery(120, 90, seed).jpeg().toBuffer();
      items.push((await server.post(PORTFOLIO, owner, [["file", [picture, `${seed}.jpg`]]])).body.media);
    }
  });
  afterAll(async () => {
    await Promise.all([tcp.stop(), hyperdrive.stop()]);
    await server.stop();
  });

  const ways = { "plain TCP": () => createApi(tcp.baseUrl), Hyperdrive: () => createApi(hyperdrive.baseUrl) };
  const eachWay = Object.entries(ways);
  const orderOf = (answer: { body: { items?: MediaOut[] } }) => answer.body.items?.map(({ id }) => id);

  describe.each(eachWay)("over %s", (_way, api) => {
    it("answers what the server answers, word for word", async () => {
      for (const path of [GALLERY, `/v1/media/${items[0]?.id}`, "/v1/media/search?q=2.jpg", "/v1/auth/me"]) {
        const here = await api().call("GET", path, { token: owner });
        expect(here).toMatchObject({ status: 200, body: (await server.call("GET", path, { token: owner })).body });
      }
    });

    it("writes in transactions, several in one request at once", async () => {
      const turned = items.map(({ id }) => id).reverse();
      const path = "/v1/media/entity/builder/BLD-1/reorder";
      const body = { field: "gallery", mediaIds: turned };
      expect(orderOf(await api().call("POST", path, { token: owner, body }))).toEqual(turned);
      const edits = Object.fromEntries(items.map(({ id }, at) => [at, { id, caption: `caption of ${id}` }]));
      const batch = `/trpc/${items.map(() => "media.update").join(",")}?batch=1`;
      expect((await api().call("POST", batch, { token: owner, body: edits })).status).toBe(200);
      const seen = await server.call<{ items: MediaOut[] }>("GET", GALLERY);
      expect(seen.body.items.map(({ id, caption }) => [id, caption])).toEqual(
        turned.map((id) => [id, `caption of ${id}`]),
      );
    });

    it("reads in a transaction what was committed while it waited", async () => {
      const at = { token: owner };
      const moves = items.slice(1).map(({ id }) => ({ ...at, body: { before: items[0]?.id, id } }));
      const moved = await Promise.all(moves.map((move) => api().call("POST", `/v1/media/${move.body.id}/move`, move)));
      expect(moved.map(({ status }) => status)).toEqual(moves.map(() => 200));
      const order = orderOf(await server.call("GET", GALLERY)) ?? [];
      expect(order.at(-1)).toBe(items[0]?.id);
      expect(new Set(order).size).toBe(ITEMS);
    });

    it("signs in by password and knows the session", async () => {
      const wrong = { email: "one@example.org", password: "wrong horse battery" };
      expect((await api().call("POST", "/v1/auth/login", { body: wrong })).status).toBe(401);
      const right = { ...wrong, password: "correct horse battery" };
      const { body, headers } = await api().call<{ token: string }>("POST", "/v1/auth/login", { body: right });
      expect(headers.get("set-cookie")).toMatch(/^session=.*HttpOnly/);
      expect((await server.call("GET", "/v1/auth/me", { token: body.token })).status).toBe(200);
    });

    it("is ready, and describes itself", async () => {
      const checks = { database: "ok", storage: "ok" };
      expect((await api().call("GET", "/readyz")).body).toEqual({ status: "ready", checks });
      expect((await api().call("GET", "/openapi.json")).body).toMatchObject({ openapi: "3.1.0" });
    });
  });

  it("describes uploads where they are taken, and no others", async () => {
    type Described = { paths: Record<string, { servers?: unknown }> };
    const describedBy = async ({ baseUrl }: WorkerdServer) =>
      (await createApi(baseUrl).call<Described>("GET", "/openapi.json")).body.paths;
    const [knowing, alone] = [await describedBy(tcp), await describedBy(hyperdrive)];
    expect(knowing["/v1/media/upload"]?.servers).toEqual([{ url: server.baseUrl }]);
    expect(knowing["/v1/media/{id}"]).not.toHaveProperty("servers");
    expect(Object.keys(alone)).not.toEqual(expect.arrayContaining(["/v1/media/upload"]));
    expect(Object.keys(alone)).toContain("/v1/media/{id}");
  });

  it("answers a batch as its parts come", async () => {
    const input = encodeURIComponent(JSON.stringify(Object.fromEntries(items.map(({ id }, at) => [at, { id }]))));
    const path = `/trpc/${items.map(() => "media.get").join(",")}?batch=1&input=${input}`;
    const headers = { authorization: `Bearer ${owner}`, "trpc-accept": "application/jsonl" };
    const lines = (await (await fetch(`${tcp.baseUrl}${path}`, { headers })).text()).trim().split("\n");
    expect(lines.length).toBeGreaterThan(ITEMS);
    for (const { publicId } of items) expect(lines.some((line) => line.includes(`"${publicId}"`))).toBe(true);
  });

  it("lets moderators decide, and removes for good what administrators say, bytes and all", async () => {
    const picture = await scenery(120, 90, 99).jpeg().toBuffer();
    const { media } = (await server.post(PORTFOLIO, owner, [["file", [picture, "gone.jpg"]]])).body;
    const api = createApi(tcp.baseUrl);
    const { token } = await server.service<{ token: string }>("POST", "/v1/auth/sessions", { userId: "USR-2" });
    const decide = (decision: string, by: string) =>
      api.call("POST", `/v1/media/${media.id}/moderation`, { token: by, body: { decision, reason: "blurred" } });
    expect((await decide("reject", owner)).status).toBe(403);
    expect((await decide("flag", token)).status).toBe(200);
    expect((await decide("reject", token)).status).toBe(200);
    expect((await api.call("GET", `/v1/media/${media.id}`)).status).toBe(404);
    const keys = (await server.files()).stored.length;
    const removed = await api.call("DELETE", `/v1/media/${media.id}?permanent=true`, { token: SERVICE_TOKEN });
    expect(removed.status).toBe(200);
    expect((await server.files()).stored).toHaveLength(keys - media.variants.length - 1);
  });

  it("compares rows and objects on demand", async () => {
    const api = createApi(tcp.baseUrl);
    const repaired = await api.call("POST", "/v1/media/health/repair", { token: SERVICE_TOKEN, body: {} });
    expect(repaired).toMatchObject({ status: 200, body: { dryRun: true, removed: [], marked: [] } });
    expect(repaired.body.checked).toBeGreaterThan(ITEMS);
  });

  it("writes a line a request, and has no page of metrics", async () => {
    const headers = { "x-request-id": "a-request-of-the-tests" };
    expect((await createApi(tcp.baseUrl).call("GET", "/metrics", { headers })).status).toBe(404);
    await expect.poll(() => tcp.lines.filter((line) => line.includes(headers["x-request-id"]))).toHaveLength(1);
    expect(JSON.parse(tcp.lines.find((line) => line.includes(headers["x-request-id"])) ?? "")).toMatchObject({
      level: "info",
      method: "GET",
      path: "/metrics",
      status: 404,
    });
  });

  describe("asked to take a file", () => {
    it.each([
      PORTFOLIO,
      "/v1/media/upload?entity_type=builder",
      "/v1/media/batch/upload",
      "/v1/media/communities/C/amenities/A/photos",
    ])("says where %s goes, before it reads a byte", async (path) => {
      const headers = {
        origin: ORIGIN,
        "content-type": "multipart/form-data; boundary=x",
        "content-length": "5000000",
      };
      const upload = request(`${tcp.baseUrl}${path}`, { method: "POST", headers });
      upload.flushHeaders(); // and not a byte of the body
      const [answer] = (await once(upload, "response")) as [IncomingMessage];
      expect(answer.statusCode).toBe(421);
      expect(answer.headers).toMatchObject({
        "content-type": "application/problem+json",
        "access-control-allow-origin": ORIGIN,
      });
      expect(await json(answer)).toMatchObject({ code: "UPLOAD_ELSEWHERE", uploadUrl: `${server.baseUrl}${path}` });
      upload.destroy();
    });

    it("says so too where it knows of no server", async () => {
      const { status, body } = await createApi(hyperdrive.baseUrl).call("POST", PORTFOLIO, { token: owner, body: {} });
      expect({ status, body }).toMatchObject({ status: 421, body: { code: "UPLOAD_ELSEWHERE", uploadUrl: null } });
    });

    it("begins here where the bytes go into the bucket, and is completed where pixels are looked at", async () => {
      const picture = await scenery(100, 100, 3).png().toBuffer();
      const api = createMediaClient({ baseUrl: tcp.baseUrl, token: owner }).api.uploads;
      const place = { entityType: "user", entityId: "USR-1", field: "cover" } as const;
      const ticket = await api.createDirect.mutate({ ...place, filename: "a.png", fileSize: picture.length });
      const { uploadId, url, method, headers } = ticket;
      expect(await fetch(url, { method, headers, body: new Uint8Array(picture) })).toHaveProperty("status", 200);
      expect(await api.status.query({ uploadId })).toMatchObject({ state: "waiting", receivedBytes: picture.length });
      const path = `/v1/media/direct/${uploadId}/complete`;
      const { status, body } = await createApi(tcp.baseUrl).call("POST", path, { token: owner, body: {} });
      expect({ status, body }).toMatchObject({ status: 421, body: { uploadUrl: `${server.baseUrl}${path}` } });
      expect((await server.call("POST", path, { token: owner, body: {} })).status).toBe(200);
      expect(await api.status.query({ uploadId })).toMatchObject({ state: "ready" });
    });

    it("is gone past by the client package", async () => {
      const client = createMediaClient({ baseUrl: tcp.baseUrl, token: owner });
      const picture = await scenery(120, 120, 7).jpeg().toBuffer();
      const file = new File([new Uint8Array(picture)], "avatar.jpg");
      const { media } = await client.upload({ entityType: "user", id: "USR-1", field: "avatar" }, file);
      expect(await client.api.media.get.query({ id: media.id })).toEqual(media);
    });
  });
});
