import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sweepDirectUploads } from "../../src/media/direct-sweep.js";
import type { MediaOut } from "../../src/media/model.js";
import { removeDueObjects } from "../../src/media/object-deletions.js";
import type { Deps } from "../../src/media/ports.js";
import { currentCombination } from "../support/combination.js";
import { type StreamEvent, subscribe } from "../support/event-stream.js";
import { scenery } from "../support/pictures.js";
import { SERVICE_TOKEN, startTestServer, type TestServer, type UploadResult } from "../support/server.js";

type Ticket = { uploadId: string; method: "PUT"; url: string; headers: Record<string, string>; expiresAt: string };
type Status = {
  uploadId: string;
  state: string;
  receivedBytes: number | null;
  failure: { code: string; detail: string } | null;
  media: MediaOut | null;
};
type Problem = { code: string; detail: string };

const ORIGIN = "https://app.example";
const isBucket = currentCombination().store === "s3";
const half = (bytes: Buffer): Buffer => bytes.subarray(0, bytes.length / 2);
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

describe("a direct upload", () => {
  let server: TestServer;
  let owner: string;
  let stranger: string;
  let grantee: string;
  let picture: Buffer;
  let pictures = 100;

  beforeAll(async () => {
    server = await startTestServer({ CORS_ORIGINS: ORIGIN });
    owner = await server.user("USR-OWNER");
    stranger = await server.user("USR-STRANGER");
    grantee = await server.user("USR-GRANTEE");
    await server.entity("builder", "BLD-1", { ownerId: "USR-OWNER" });
    await server.entity("builder", "BLD-2");
    await server.entity("property", "PRP-1", { parentId: "BLD-1" });
    picture = await scenery(200, 150).jpeg().toBuffer();
  });
  afterAll(() => server.stop());

  const another = () => scenery(150, 120, ++pictures).jpeg().toBuffer();
  const create = <T = Ticket>(token: string | undefined, body: object = {}, bytes: Uint8Array = picture) =>
    server.call<T>("POST", "/v1/media/direct", {
      token,
      body: {
        entityType: "property",
        entityId: "PRP-1",
        field: "gallery",
        filename: "garden.jpg",
        contentType: "image/jpeg",
        fileSize: bytes.length,
        ...body,
      },
    });
  const put = ({ url, headers }: Pick<Ticket, "url" | "headers">, bytes: Uint8Array = picture) =>
    fetch(url, { method: "PUT", headers, body: new Uint8Array(bytes) });
  const complete = <T = UploadResult>(token: string | undefined, { uploadId }: { uploadId: string }) =>
    server.call<T>("POST", `/v1/media/direct/${uploadId}/complete`, { token });
  const status = async (token: string, { uploadId }: { uploadId: string }) =>
    (await server.call<Status>("GET", `/v1/media/direct/${uploadId}`, { token })).body;

  /** A ticket of the owner whose bytes have arrived. */
  async function putAll(bytes: Uint8Array, body: object = {}, token = owner): Promise<Ticket> {
    const { body: ticket, ...answer } = await create(token, body, bytes);
    expect(answer.status, JSON.stringify(ticket)).toBe(200);
    expect((await put(ticket, bytes)).ok).toBe(true);
    return ticket;
  }

  /** The same server at another time. */
  const later = (minutes: number): Deps => {
    const clock = { ...server.deps.clock, now: () => new Date(Date.now() + minutes * 60_000) };
    return { ...server.deps, clock };
  };
  const incoming = async () => (await server.files()).stored.filter((key) => key.startsWith("incoming/"));
  const cleared = async () => {
    await removeDueObjects(later(0));
    return incoming();
  };

  it("goes past the server into the store, and becomes media like any upload", async () => {
    const said = { altText: "The garden", tags: ["a", "b"], isPublic: false, sha256: sha256(picture), sortOrder: 7 };
    const { body: ticket } = await create(owner, said);
    expect(ticket).toMatchObject({ uploadId: expect.stringMatching(/^UPL-/), method: "PUT" });
    expect(ticket.url.startsWith(server.baseUrl)).toBe(!isBucket);
    expect(await status(owner, ticket)).toMatchObject({ state: "waiting", receivedBytes: 0, failure: null });
    expect((await put(ticket)).ok).toBe(true);
    expect(await status(owner, ticket)).toMatchObject({ state: "waiting", receivedBytes: picture.length, media: null });
    const done = await complete(owner, ticket);
    expect(done.status).toBe(200);
    const { media, message } = done.body;
    expect(media).toMatchObject({ altText: "The garden", tags: ["a", "b"], isPublic: false, sortOrder: 7, width: 200 });
    expect(media).toMatchObject({ originalFilename: "garden.jpg", uploadedBy: "USR-OWNER", entityField: "gallery" });
    expect(message).toBe("The picture was stored.");
    expect(Buffer.from(await (await fetch(media.originalUrl)).arrayBuffer()).equals(picture)).toBe(true);
    const { failure, receivedBytes, state, ...ready } = await status(owner, ticket);
    expect([state, failure, receivedBytes, ready.media?.id]).toEqual(["ready", null, picture.length, media.id]);
    expect(await cleared()).toEqual([]);
  });
  it("is decided before the first byte: who, where, by which right, what and how much", async () => {
    const refusals: [string | undefined, object, number, string][] = [
      [undefined, {}, 401, "UNAUTHENTICATED"],
      [stranger, { entityId: "PRP-404" }, 404, "ENTITY_NOT_FOUND"],
      [owner, { parent: "BLD-2" }, 404, "ENTITY_NOT_FOUND"],
      [stranger, { contentType: "text/html" }, 403, "FORBIDDEN"],
      [owner, { contentType: "text/html" }, 400, "UNSUPPORTED_TYPE"],
      [owner, { contentType: "video/mp4" }, 400, "UNSUPPORTED_TYPE"],
      [owner, { fileSize: 20 * 1024 * 1024 + 1 }, 400, "FILE_TOO_LARGE"],
      [owner, { fileSize: 20 * 1024 * 1024 + 1, contentType: "application/octet-stream" }, 400, "FILE_TOO_LARGE"],
      [owner, { fileSize: 0 }, 400, "VALIDATION"],
      [owner, { sha256: "ABC" }, 400, "VALIDATION"],
      [owner, { field: "cover" }, 400, "VALIDATION"],
    ];
    for (const [token, body, status, code] of refusals) {
      const answer = await create<Problem>(token, body);
      expect([answer.status, answer.body.code], JSON.stringify(body)).toEqual([status, code]);
    }
    const taken = { contentType: "IMAGE/JPG; q=1", fileSize: 20 * 1024 * 1024, parent: "BLD-1" };
    expect((await create(owner, taken)).status).toBe(200);
  });

  it("takes no other number of bytes than was declared, and can still be put right", async () => {
    const { body: ticket } = await create(owner);
    for (const bytes of [picture.subarray(1), Buffer.concat([picture, picture]), Buffer.alloc(0)])
      expect((await put(ticket, bytes)).status).toBeGreaterThanOrEqual(400);
    const early = await complete<Problem>(owner, ticket);
    expect([early.status, early.body.code]).toEqual([409, "CONFLICT"]);
    expect(early.body.detail).toContain("Nothing has arrived");
    expect(await status(owner, ticket)).toMatchObject({ state: "waiting", receivedBytes: 0, failure: null });
    expect((await put(ticket)).ok).toBe(true);
    expect((await complete(owner, ticket)).status).toBe(200);
  });

  it("makes nothing of other bytes than were declared", async () => {
    const { body: ticket } = await create(owner, { sha256: sha256(picture) });
    const other = Buffer.from(picture);
    other.writeUInt8(other.readUInt8(100) ^ 1, 100);
    // The bucket's server here knows no checksums; where a store does, it refuses as the folder does.
    const answer = await put(ticket, other);
    expect(answer.ok).toBe(isBucket);
    const done = await complete<Problem>(owner, ticket);
    expect(done.body).toMatchObject(isBucket ? { code: "VALIDATION", status: 400 } : { code: "CONFLICT", status: 409 });
    const { state } = await status(owner, ticket);
    expect(state).toBe(isBucket ? "failed" : "waiting");
    expect(await cleared()).toEqual([]);
  });

  it.each([
    ["no picture", () => Promise.resolve(Buffer.from("<html>no picture at all</html>")), "UNSUPPORTED_TYPE"],
    ["half a picture", async () => half(await another()), "CORRUPT_FILE"],
    ["a picture too small", () => scenery(20, 20).png().toBuffer(), "BAD_DIMENSIONS"],
  ])("ends as failed with %s, says why each time, and its bytes go", async (_, make, code) => {
    const ticket = await putAll(await make());
    for (let n = 0; n < 2; n++) {
      const answer = await complete<Problem>(owner, ticket);
      expect([answer.status, answer.body.code]).toEqual([400, code]);
      const { state, failure } = await status(owner, ticket);
      expect([state, failure]).toEqual(["failed", { code, detail: answer.body.detail }]);
    }
    expect(await cleared()).toEqual([]);
  });

  it("is its own principal's alone", async () => {
    const ticket = await putAll(await another());
    for (const token of [stranger, grantee, SERVICE_TOKEN]) {
      expect((await complete(token, ticket)).status).toBe(404);
      expect((await server.call("GET", `/v1/media/direct/${ticket.uploadId}`, { token })).status).toBe(404);
    }
    expect((await complete(undefined, ticket)).status).toBe(401);
    expect((await complete(owner, { uploadId: "UPL-0000000000000000" })).status).toBe(404);
    expect((await complete(owner, { uploadId: "%C3%BC" })).status).toBe(404);
    expect((await complete(owner, ticket)).status).toBe(200);
  });

  it("is refused where the right was lost meanwhile, and its bytes go", async () => {
    const grant = "/v1/entities/property/PRP-1/grants/USR-GRANTEE";
    await server.service("PUT", grant, { right: "upload" });
    const ticket = await putAll(await another(), {}, grantee);
    await server.service("DELETE", grant);
    const answer = await complete<Problem>(grantee, ticket);
    expect([answer.status, answer.body.code]).toEqual([403, "FORBIDDEN"]);
    expect(await status(grantee, ticket)).toMatchObject({ state: "failed", failure: { code: "FORBIDDEN" } });
    expect(await cleared()).toEqual([]);
  });

  it("makes one item, completed many times at once and once more", async () => {
    const ticket = await putAll(await another());
    const first = await Promise.all(Array.from({ length: 5 }, () => complete(owner, ticket)));
    const answers = [...first, await complete(owner, ticket)];
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    const { publicId } = answers[0]?.body.media ?? {};
    expect(new Set(answers.map(({ body }) => body.media.publicId))).toEqual(new Set([publicId]));
    const rows = await server.tables.execute(
      "SELECT COUNT(*) AS n FROM media WHERE file_size = (SELECT file_size FROM direct_uploads WHERE id = ?)",
      [ticket.uploadId],
    );
    expect(Number(rows[0]?.n)).toBe(1);
    expect(await cleared()).toEqual([]);
  });

  it("asks for what becomes of a copy, like any upload", async () => {
    const bytes = await another();
    const { media } = (await complete(owner, await putAll(bytes))).body;
    const reused = await complete(owner, await putAll(bytes, { onDuplicate: "reuse" }));
    expect([reused.body.media.id, reused.body.message]).toEqual([media.id, "The picture was there already."]);
    const rejected = await putAll(bytes, { onDuplicate: "reject" });
    const answer = await complete<Problem>(owner, rejected);
    expect([answer.status, answer.body.code]).toEqual([409, "DUPLICATE"]);
    expect((await status(owner, rejected)).failure?.code).toBe("DUPLICATE");
    const kept = await complete(owner, await putAll(bytes));
    expect(kept.body.duplicates[0]).toMatchObject({ publicId: media.publicId, tier: "exact" });
    expect(await cleared()).toEqual([]);
  });

  it("replaces what is in a slot", async () => {
    const place = { entityType: "user", entityId: "USR-OWNER", field: "avatar" };
    const ids: number[] = [];
    for (let n = 0; n < 2; n++) ids.push((await complete(owner, await putAll(await another(), place))).body.media.id);
    const list = await server.call<{ items: MediaOut[] }>("GET", "/v1/media/entity/user/USR-OWNER", { token: owner });
    expect(list.body.items.map(({ id }) => id)).toEqual(ids.slice(1));
  });

  it("has an address that cannot be changed", async () => {
    const { body: ticket } = await create(owner);
    const { body: other } = await create(owner);
    const swapped = new URL(ticket.url);
    swapped.pathname = new URL(other.url).pathname;
    const prolonged = new URL(ticket.url);
    for (const name of ["expires", "X-Amz-Expires"])
      if (prolonged.searchParams.has(name)) prolonged.searchParams.set(name, "4102444800");
    const unsigned = new URL(ticket.url);
    unsigned.search = "";
    for (const url of [swapped, prolonged, unsigned]) {
      const { status } = await put({ ...ticket, url: url.href });
      expect([400, 403], url.href).toContain(status);
    }
    for (const each of [ticket, other]) expect((await status(owner, each)).receivedBytes).toBe(0);
  });

  it.skipIf(isBucket)("is put from pages of the origins that are configured", async () => {
    const { body: ticket } = await create(owner);
    const ask = { "access-control-request-method": "PUT", "access-control-request-headers": "content-type" };
    const preflight = (origin: string) => fetch(ticket.url, { method: "OPTIONS", headers: { origin, ...ask } });
    const { headers } = await preflight(ORIGIN);
    expect(headers.get("access-control-allow-origin")).toBe(ORIGIN);
    expect(headers.get("access-control-allow-methods")).toContain("PUT");
    expect((await preflight("https://other.example")).headers.get("access-control-allow-origin")).toBeNull();
  });

  it.skipIf(isBucket)("takes the same bytes twice, after an answer that was lost, and no others", async () => {
    const bytes = await another();
    const ticket = await putAll(bytes);
    expect((await put(ticket, bytes)).status).toBe(204);
    const other = Buffer.from(bytes).fill(0, 100);
    expect((await put(ticket, other)).status).toBe(409);
    expect((await complete(owner, ticket)).status).toBe(200);
    expect((await put(ticket, bytes)).status).toBe(409);
  });

  it("is ended when nobody completes it in time, and what lay there goes, whenever it came", async () => {
    const { body: empty } = await create(owner);
    const arrived = await putAll(await another());
    const bytes = await another();
    const ready = await putAll(bytes);
    expect((await complete(owner, ready)).status).toBe(200);
    expect(await cleared()).toHaveLength(1);
    // The bucket's address is good for an hour, whatever became of what was put there first.
    expect((await put(ready, bytes)).ok).toBe(isBucket);
    expect(await sweepDirectUploads(later(119))).toBe(0);
    expect(await sweepDirectUploads(later(121))).toBeGreaterThanOrEqual(2);
    for (const ticket of [empty, arrived]) {
      const { state, failure } = await status(owner, ticket);
      expect([state, failure?.code]).toEqual(["failed", "CONFLICT"]);
      const answer = await complete<Problem>(owner, ticket);
      expect([answer.status, answer.body.detail]).toEqual([409, "The direct upload was not completed in time."]);
    }
    expect((await status(owner, ready)).state).toBe("ready");
    await removeDueObjects(later(122));
    expect(await incoming()).toEqual([]);
    expect(await sweepDirectUploads(later(26 * 60))).toBe(0);
    expect((await server.call("GET", `/v1/media/direct/${ready.uploadId}`, { token: owner })).status).toBe(404);
  });

  describe("watched", () => {
    const stateOf = ({ data }: StreamEvent) => {
      const { state, receivedBytes, media } = JSON.parse(data) as Status;
      return [state, receivedBytes, media?.fileSize];
    };

    it("is told of at once and at each change, until it is ready", async () => {
      const bytes = await another();
      const { body: ticket } = await create(owner, {}, bytes);
      const told: unknown[] = [];
      const ends: string[] = [];
      for await (const event of subscribe(server.baseUrl, "uploads.onProgress", { token: owner, input: ticket })) {
        if (event.event !== "") {
          ends.push(event.event);
          continue;
        }
        told.push(stateOf(event));
        if (told.length === 1) await put(ticket, bytes);
        if (told.length === 2) await complete(owner, ticket);
      }
      expect(told[0]).toEqual(["waiting", 0, undefined]);
      expect(told[1]).toEqual(["waiting", bytes.length, undefined]);
      expect(told.at(-1)).toEqual(["ready", bytes.length, bytes.length]);
      expect([ends[0], ends.at(-1)]).toEqual(["connected", "return"]);
    });

    it("goes on behind the event that was seen last, and ends where it has ended", async () => {
      const ticket = await putAll(Buffer.from("no picture"));
      const watch = async (lastEventId?: string) => {
        const events: StreamEvent[] = [];
        const input = { uploadId: ticket.uploadId, lastEventId };
        for await (const event of subscribe(server.baseUrl, "uploads.onProgress", { token: owner, input })) {
          if (event.event === "") events.push(event);
          if (event.event === "" && lastEventId === undefined && events.length === 1) await complete(owner, ticket);
        }
        return events;
      };
      const all = await watch();
      expect(stateOf(all.at(-1) as StreamEvent)).toEqual(["failed", null, undefined]);
      expect((await watch(all[0]?.id)).map(({ id }) => id)).toEqual([all.at(-1)?.id]);
      expect(await watch(all.at(-1)?.id)).toEqual([]);
    });
  });
});
