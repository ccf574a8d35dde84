import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { quarters } from "../support/pictures.js";
import { ENTITY_ROUTES, makePlatform, type PlatformTokens } from "../support/platform.js";
import { SERVICE_TOKEN, startTestServer, type TestServer } from "../support/server.js";

type Principal = keyof PlatformTokens | "service" | "nobody" | "wrong token";
const PRINCIPALS: readonly Principal[] = [
  "owner",
  "communityAdmin",
  "grantee",
  "expiredGrantee",
  "stranger",
  "moderator",
  "admin",
  "service",
  "nobody",
  "wrong token",
];

/** Who may, by entity type, as the contract's table says; administrators and services may everywhere. */
const WRITERS: Record<string, readonly Principal[]> = {
  user: ["owner"],
  community: ["communityAdmin"],
  amenity: ["communityAdmin"],
  builder: ["owner"],
  property: ["owner", "grantee"],
  sales_rep: ["owner"],
  post: ["owner"],
};

const GENERAL = { path: "/upload?entity_type=property&entity_id=PROP-1&entity_field=gallery", entityType: "property" };
const BATCH = {
  path: "/batch/upload?entity_type=community&entity_id=CMY-1&entity_field=gallery",
  entityType: "community",
};
const ROUTES = [...ENTITY_ROUTES, GENERAL, BATCH];

function expectedStatus(principal: Principal, entityType: string): number {
  if (principal === "nobody" || principal === "wrong token") return 401;
  const may = principal === "admin" || principal === "service" || WRITERS[entityType]?.includes(principal);
  return may ? 201 : 403;
}

const CASES = ROUTES.flatMap((route) =>
  PRINCIPALS.map((principal) => ({ ...route, principal, status: expectedStatus(principal, route.entityType) })),
);

describe("who may upload", () => {
  let server: TestServer;
  let tokens: PlatformTokens;
  let picture: Buffer;

  beforeAll(async () => {
    server = await startTestServer();
    tokens = await makePlatform(server);
    picture = await quarters(120, 120).jpeg().toBuffer();
  });
  afterAll(() => server.stop());

  function tokenOf(principal: Principal): string | undefined {
    if (principal === "nobody") return undefined;
    if (principal === "wrong token") return "a".repeat(40);
    return principal === "service" ? SERVICE_TOKEN : tokens[principal];
  }

  it.each(CASES)("$principal by POST /v1/media$path: $status", async ({ path, principal, status }) => {
    const parts = [
      ["file", [picture, "a.jpg"]],
      ["files", [picture, "a.jpg"]],
    ] as const;
    const sent = path.startsWith("/batch") ? [parts[1]] : [parts[0]];
    const answer = await server.post<Record<string, unknown>>(`/v1/media${path}`, tokenOf(principal), sent);
    expect(answer.status).toBe(status);
    if (status === 403)
      expect(answer.body).toMatchObject({
        code: "FORBIDDEN",
        right: "upload",
        detail: expect.stringContaining("upload"),
      });
    if (status === 401) expect(answer.body).toMatchObject({ code: "UNAUTHENTICATED" });
    if (status >= 400) expect(answer.headers.get("content-type")).toBe("application/problem+json");
  });

  it.each(ENTITY_ROUTES)("an entity that is not there is 404 by POST /v1/media$path", async ({ path }) => {
    const missing = path.replace(/[A-Z]{3,4}-[A-Z0-9-]+(?=\/[a-z]+$)/, "NONE-1");
    const answer = await server.post<Record<string, unknown>>(`/v1/media${missing}`, tokens.admin, [
      ["file", [picture, "a.jpg"]],
    ]);
    expect([answer.status, answer.body.code]).toEqual([404, "ENTITY_NOT_FOUND"]);
  });

  it("an amenity is found only below its own community", async () => {
    const below = (id: string) => `/v1/media/communities/${id}/amenities/AMN-1/photos`;
    const parts = [["file", [picture, "a.jpg"]]] as const;
    const wrong = await server.post<Record<string, unknown>>(below("CMY-2"), tokens.communityAdmin, parts);
    expect([wrong.status, wrong.body.code]).toEqual([404, "ENTITY_NOT_FOUND"]);
    expect((await server.post(below("NONE"), tokens.admin, parts)).status).toBe(404);
  });

  it("either id names an entity", async () => {
    const { id } = await server.service<{ id: number }>("GET", "/v1/entities/property/PROP-1");
    const answer = await server.post(`/v1/media/properties/${id}/photos`, tokens.owner, [["file", [picture, "a.jpg"]]]);
    expect([answer.status, answer.body.media.entityPublicId, answer.body.media.entityId]).toEqual([201, "PROP-1", id]);
  });

  /** Sends the head of a request and no byte of its body. */
  function answerWithoutBody(path: string, token: string | undefined, contentLength: number): Promise<number> {
    const url = new URL(`${server.baseUrl}${path}`);
    const headers = {
      "content-type": "multipart/form-data; boundary=x",
      "content-length": String(contentLength),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
    return new Promise((resolve, reject) => {
      const sent = request(url, { method: "POST", headers }, (response) => {
        resolve(response.statusCode ?? 0);
        sent.destroy();
      });
      sent.on("error", reject);
      sent.flushHeaders();
    });
  }

  it.each(ROUTES)(
    "nothing of the body is read for who may not write by POST /v1/media$path",
    async ({ path, entityType }) => {
      expect(await answerWithoutBody(`/v1/media${path}`, undefined, 1000)).toBe(401);
      expect(await answerWithoutBody(`/v1/media${path}`, tokens.stranger, 1000)).toBe(403);
      expect(await answerWithoutBody(`/v1/media${path}`, tokens.moderator, 1000)).toBe(403);
      const writer = WRITERS[entityType]?.[0];
      expect(await answerWithoutBody(`/v1/media${path}`, writer && tokenOf(writer), 30_000_000_000)).toBe(400);
    },
  );

  it("the general route refuses as soon as the form names a place the user may not write to", async () => {
    const url = new URL(`${server.baseUrl}/v1/media/upload`);
    const field = (name: string, value: string) =>
      `--x\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
    const head = `${field("entity_type", "property")}${field("entity_id", "PROP-1")}${field("entity_field", "gallery")}`;
    const opened = `${head}--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\nfirst bytes`;
    const headers = {
      "content-type": "multipart/form-data; boundary=x",
      "content-length": "100000",
      authorization: `Bearer ${tokens.stranger}`,
    };
    const status = await new Promise((resolve, reject) => {
      const sent = request(url, { method: "POST", headers }, (response) => {
        resolve(response.statusCode);
        sent.destroy();
      });
      sent.on("error", reject);
      sent.write(opened);
    });
    expect(status).toBe(403);
    expect((await server.files()).spooled).toEqual([]);
  });

  it("a right that ends while the body is on its way is missing at the end", async () => {
    const late = await server.user("USR-LATE");
    const grant = "/v1/entities/property/PROP-1/grants/USR-LATE";
    await server.service("PUT", grant, { right: "upload" });
    const whole = new Response(toMultipart(picture)).body as ReadableStream<Uint8Array>;
    const reader = whole.getReader();
    const held = new ReadableStream<Uint8Array>({
      async pull(controller) {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        await server.service("DELETE", grant);
        controller.enqueue(new TextEncoder().encode("--x--\r\n"));
        controller.close();
      },
    });
    const response = await fetch(`${server.baseUrl}/v1/media/properties/PROP-1/photos`, {
      method: "POST",
      body: held,
      duplex: "half",
      headers: { authorization: `Bearer ${late}`, "content-type": "multipart/form-data; boundary=x" },
    } as RequestInit);
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([403, "FORBIDDEN"]);
  });

  const toMultipart = (bytes: Buffer): Uint8Array<ArrayBuffer> => {
    const head = Buffer.from('--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n');
    return new Uint8Array(Buffer.concat([head, bytes, Buffer.from("\r\n")]));
  };
});
