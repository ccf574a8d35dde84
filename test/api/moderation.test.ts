import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { MediaOut, ModerationStatus } from "../../src/media/model.js";
import { MODERATION_STATUSES } from "../../src/media/model.js";
import { quarters } from "../support/pictures.js";
import { makePlatform, type PlatformTokens } from "../support/platform.js";
import { type Answer, SERVICE_TOKEN, startTestServer, type TestServer } from "../support/server.js";

/** The contract: pending → approved | rejected; approved → flagged → approved | rejected. */
const ALLOWED: Record<ModerationStatus, readonly Decision[]> = {
  pending: ["approve", "reject"],
  approved: ["flag"],
  flagged: ["approve", "reject"],
  rejected: [],
};
const BECOMES = { approve: "approved", reject: "rejected", flag: "flagged" } as const;
type Decision = keyof typeof BECOMES;
const DECISIONS = Object.keys(BECOMES) as Decision[];

/** How an item of a user nobody verified comes to each status. */
const WAY_TO: Record<ModerationStatus, readonly Decision[]> = {
  pending: [],
  approved: ["approve"],
  flagged: ["approve", "flag"],
  rejected: ["reject"],
};

type Event = { actorId: string | null; from: string; to: string; reason: string | null; createdAt: string };
type Failed = { failed: { id: number | string; code: string; message: string }[]; failedCount: number };
type Approved = Failed & { approved: (number | string)[]; approvedCount: number; message: string };
type Queue = { items: MediaOut[]; nextCursor: string | null };

describe("moderation", () => {
  let server: TestServer;
  let tokens: PlatformTokens;
  let picture: Buffer;

  beforeAll(async () => {
    server = await startTestServer();
    tokens = await makePlatform(server);
    picture = await quarters(80, 60).jpeg().toBuffer();
  });
  afterAll(() => server.stop());

  async function post(token: string = tokens.owner, form: readonly (readonly [string, string])[] = []) {
    const answer = await server.post("/v1/media/posts/PST-1/media", token, [["file", [picture, "p.jpg"]], ...form]);
    expect(answer.status).toBe(201);
    return answer.body.media;
  }

  const decideAs = (token: string | undefined, item: Pick<MediaOut, "id">, decision: Decision, reason?: unknown) =>
    server.call<Record<string, unknown>>("POST", `/v1/media/${item.id}/moderation`, {
      token,
      body: { decision, reason },
    });

  const mutate = (procedure: string, input: unknown, token?: string) =>
    server.call<{ result?: { data: unknown }; error?: { data: Record<string, unknown> } }>(
      "POST",
      `/trpc/moderation.${procedure}`,
      { token, body: input },
    );

  async function inStatus(status: ModerationStatus): Promise<MediaOut> {
    const item = await post();
    for (const decision of WAY_TO[status]) expect((await decideAs(SERVICE_TOKEN, item, decision)).status).toBe(200);
    return item;
  }

  const historyOf = async ({ id }: Pick<MediaOut, "id">): Promise<Event[]> =>
    (await server.call<{ items: Event[] }>("GET", `/v1/media/${id}/moderation/history`, { token: tokens.moderator }))
      .body.items;

  /** The two columns as other tools read them. */
  async function columnsOf({ id }: Pick<MediaOut, "id">) {
    const [row] = await server.tables.execute("SELECT moderation_status, is_approved FROM media WHERE id = ?", [id]);
    return { status: row?.moderation_status, approved: row?.is_approved };
  }

  describe("the state machine", () => {
    const PAIRS = MODERATION_STATUSES.flatMap((from) =>
      DECISIONS.flatMap((decision) =>
        (["REST", "tRPC"] as const).map((way) => ({ from, decision, way, allowed: ALLOWED[from].includes(decision) })),
      ),
    );

    const ask = async (way: "REST" | "tRPC", item: MediaOut, decision: Decision) => {
      if (way === "REST") {
        const { status, body } = await decideAs(tokens.moderator, item, decision, "  because  ");
        return { status, code: body.code, media: body };
      }
      const { status, body } = await mutate(decision, { id: item.publicId, reason: "  because  " }, tokens.moderator);
      return { status, code: body.error?.data.code, media: body.result?.data as Record<string, unknown> };
    };

    it.each(PAIRS)("$from, then $decision by $way: allowed $allowed", async ({ from, decision, way, allowed }) => {
      const item = await inStatus(from);
      const before = await historyOf(item);
      expect(before.map(({ to }) => to)).toEqual(WAY_TO[from].map((each) => BECOMES[each]));
      const began = Date.now();
      const answer = await ask(way, item, decision);
      const after = await historyOf(item);
      const status = allowed ? BECOMES[decision] : from;
      expect(await columnsOf(item)).toEqual({ status, approved: status === "approved" ? 1 : 0 });
      if (!allowed) {
        expect(answer).toMatchObject({ status: 409, code: "CONFLICT" });
        expect(after).toEqual(before);
        return;
      }
      expect(answer).toMatchObject({
        status: 200,
        media: { id: item.id, moderationStatus: status, isApproved: status === "approved" },
      });
      expect(after.slice(0, -1)).toEqual(before);
      const made = after.at(-1) as Event;
      expect(made).toEqual({
        actorId: "USR-MODERATOR",
        from,
        to: status,
        reason: "because",
        createdAt: expect.any(String),
      });
      expect(new Date(made.createdAt).getTime()).toBeGreaterThanOrEqual(began);
      expect(new Date(made.createdAt).getTime()).toBeLessThanOrEqual(Date.now());
    });

    it.each(["moderationStatus", "isApproved", "uploadedBy", "deletedAt"])("PATCH never sets %s", async (name) => {
      const item = await post();
      const values = { moderationStatus: "approved", isApproved: true, uploadedBy: "USR-STRANGER", deletedAt: null };
      for (const token of [tokens.owner, tokens.moderator, tokens.admin, SERVICE_TOKEN]) {
        const body = { altText: "new", [name]: values[name as keyof typeof values] };
        const answer = await server.call("PATCH", `/v1/media/${item.id}`, { token, body });
        expect(answer).toMatchObject({ status: 400, body: { code: "VALIDATION" } });
      }
      const { body } = await server.call("GET", `/v1/media/${item.id}`, { token: tokens.owner });
      expect(body).toMatchObject({ moderationStatus: "pending", uploadedBy: "USR-OWNER", altText: null });
      expect(await columnsOf(item)).toEqual({ status: "pending", approved: 0 });
    });
  });

  describe("where items start", () => {
    it("posts of users nobody verified are pending, of verified ones and services approved", async () => {
      const verified = await server.user("USR-VERIFIED", { verified: true });
      await server.entity("post", "PST-VERIFIED", { ownerId: "USR-VERIFIED" });
      const start = async (path: string, token: string) => {
        const { body } = await server.post(`/v1/media${path}`, token, [["file", [picture, "p.jpg"]]]);
        return [body.media.moderationStatus, (await columnsOf(body.media)).approved];
      };
      expect(await start("/posts/PST-1/media", tokens.owner)).toEqual(["pending", 0]);
      expect(await start("/posts/PST-VERIFIED/media", verified)).toEqual(["approved", 1]);
      expect(await start("/posts/PST-1/media", SERVICE_TOKEN)).toEqual(["approved", 1]);
      expect(await start("/builders/BLD-PSALMSFINE-0420/portfolio", tokens.owner)).toEqual(["approved", 1]);
      expect(await start("/communities/CMY-1/photos", tokens.communityAdmin)).toEqual(["approved", 1]);
    });

    it("no form field starts an item elsewhere", async () => {
      for (const name of ["moderation_status", "moderationStatus", "is_approved", "isApproved"])
        expect(await post(tokens.owner, [[name, name.includes("tatus") ? "approved" : "true"]])).toMatchObject({
          moderationStatus: "pending",
          isApproved: false,
        });
    });
  });

  describe("who decides", () => {
    it.each(["approve", "reject"] as const)("only moderators, admins and services %s", async (decision) => {
      const item = await post();
      for (const [role, status] of [
        [undefined, 401],
        ["owner", 403],
        ["stranger", 403],
        ["communityAdmin", 403],
      ] as const) {
        const token = role && tokens[role];
        const rest = await decideAs(token, item, decision);
        expect([role, rest.status]).toEqual([role, status]);
        if (status === 403) expect(rest.body).toMatchObject({ code: "FORBIDDEN", right: "moderate" });
        expect((await mutate(decision, { id: item.id }, token)).status).toBe(status);
        const batch = await server.call("POST", "/v1/media/batch/approve", { token, body: [item.id] });
        expect(batch.status).toBe(status);
        expect((await server.call("GET", "/v1/media/moderation/queue", { token })).status).toBe(status);
        expect((await server.call("GET", `/v1/media/${item.id}/moderation/history`, { token })).status).toBe(status);
      }
      expect(await historyOf(item)).toEqual([]);
      for (const token of [tokens.moderator, tokens.admin, SERVICE_TOKEN])
        expect((await decideAs(token, await post(), decision)).status).toBe(200);
    });

    it.each(["moderator", "admin"] as const)("an uploader never approves his own, though he is %s", async (role) => {
      const id = role === "moderator" ? "USR-MODERATOR" : "USR-ADMIN";
      await server.entity("post", `PST-${role}`, { ownerId: id });
      const { body } = await server.post(`/v1/media/posts/PST-${role}/media`, tokens[role], [
        ["file", [picture, "p.jpg"]],
      ]);
      const own = body.media;
      expect(own).toMatchObject({ moderationStatus: "pending", uploadedBy: id });
      expect(await decideAs(tokens[role], own, "approve")).toMatchObject({ status: 403, body: { code: "FORBIDDEN" } });
      expect((await mutate("approve", { id: own.id }, tokens[role])).status).toBe(403);
      for (const batch of [
        await server.call<Approved>("POST", "/v1/media/batch/approve", { token: tokens[role], body: [own.id] }),
        await server.call<Approved>("POST", "/v1/media/batch/approve", {
          token: tokens[role],
          body: { mediaIds: [own.publicId] },
        }),
      ])
        expect(batch.body).toMatchObject({ approvedCount: 0, failedCount: 1, failed: [{ code: "FORBIDDEN" }] });
      expect(await historyOf(own)).toEqual([]);
      const other = role === "moderator" ? tokens.admin : tokens.moderator;
      expect((await decideAs(other, own, "approve")).status).toBe(200);
      expect((await decideAs(tokens.stranger, own, "flag")).status).toBe(200);
      expect((await decideAs(tokens[role], own, "approve")).status).toBe(403);
    });

    it("flagging is for anyone signed in who sees the item", async () => {
      for (const role of ["stranger", "owner", "communityAdmin", "moderator", "admin"] as const) {
        const item = await inStatus("approved");
        expect((await decideAs(tokens[role], item, "flag")).status).toBe(200);
        expect(await columnsOf(item)).toEqual({ status: "flagged", approved: 0 });
      }
      const item = await inStatus("approved");
      expect(await decideAs(undefined, item, "flag")).toMatchObject({ status: 401, body: { code: "UNAUTHENTICATED" } });
      expect((await mutate("flag", { id: item.id })).status).toBe(401);
      expect((await mutate("flag", { id: item.id }, tokens.stranger)).status).toBe(200);
    });

    it.each(["pending", "flagged", "rejected", "private", "trashed"] as const)(
      "what is %s does not exist for a stranger who flags it",
      async (state) => {
        const item = await inStatus(state === "private" || state === "trashed" ? "approved" : state);
        if (state === "private") await server.service("PATCH", `/v1/media/${item.id}`, { isPublic: false });
        if (state === "trashed") await server.service("DELETE", `/v1/media/${item.id}`);
        const before = await historyOf(item);
        const answer = await decideAs(tokens.stranger, item, "flag");
        expect(answer).toMatchObject({ status: 404, body: { code: "MEDIA_NOT_FOUND" } });
        expect(JSON.stringify(answer.body)).not.toContain(item.publicId);
        expect(await historyOf(item)).toEqual(before);
      },
    );

    it("whoever flags another's item gets no address that works, its uploader and moderators do", async () => {
      for (const way of ["REST", "tRPC"] as const) {
        const flag = async (token: string) => {
          const item = await inStatus("approved");
          if (way === "REST") return (await decideAs(token, item, "flag")).body;
          return (await mutate("flag", { id: item.id }, token)).body.result?.data;
        };
        for (const [token, status] of [
          [tokens.stranger, 404],
          [tokens.owner, 200],
          [tokens.moderator, 200],
        ] as const) {
          const flagged = (await flag(token)) as MediaOut;
          expect(flagged.moderationStatus).toBe("flagged");
          for (const url of [flagged.originalUrl, ...flagged.variants.map((v) => v.url)])
            expect((await fetch(url)).status).toBe(status);
        }
      }
    });

    it("nobody decides on what is in the trash or was never there", async () => {
      const item = await post();
      await server.service("DELETE", `/v1/media/${item.id}`);
      for (const target of [item, { id: 999_999 }])
        for (const decision of DECISIONS)
          expect(await decideAs(tokens.moderator, target, decision)).toMatchObject({
            status: 404,
            body: { code: "MEDIA_NOT_FOUND" },
          });
      expect(await historyOf(item)).toEqual([]);
    });
  });

  describe("reasons", () => {
    it("are trimmed, may be left out, and have a bound", async () => {
      const reasonAfter = async (reason: unknown) => {
        const item = await post();
        const { status } = await decideAs(tokens.moderator, item, "reject", reason);
        return status === 200 ? (await historyOf(item))[0]?.reason : status;
      };
      expect(await reasonAfter("  blurred \n")).toBe("blurred");
      expect(await reasonAfter(undefined)).toBeNull();
      expect(await reasonAfter(null)).toBeNull();
      expect(await reasonAfter("   ")).toBeNull();
      expect(await reasonAfter(`<script>"'é漢字🙂`)).toBe(`<script>"'é漢字🙂`);
      expect(await reasonAfter("x".repeat(1000))).toBe("x".repeat(1000));
      expect(await reasonAfter("x".repeat(1001))).toBe(400);
      expect(await reasonAfter(5)).toBe(400);
      expect(await reasonAfter({})).toBe(400);
    });

    it.each(["", "APPROVE", "pending", "__proto__", "constructor", "toString", null, 1, ["approve"]])(
      "%j is no decision",
      async (decision) => {
        const item = await post();
        const answer = await decideAs(tokens.moderator, item, decision as Decision);
        expect(answer).toMatchObject({ status: 400, body: { code: "VALIDATION" } });
        expect(await historyOf(item)).toEqual([]);
      },
    );
  });

  describe("at the same time", () => {
    it("many equal decisions make one row of history", async () => {
      for (const decision of ["approve", "reject"] as const) {
        const item = await post();
        const answers = await Promise.all(
          Array.from({ length: 12 }, (_, at) =>
            decideAs([tokens.moderator, tokens.admin, SERVICE_TOKEN][at % 3], item, decision),
          ),
        );
        expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([
          200,
          ...Array.from({ length: 11 }, () => 409),
        ]);
        expect((await historyOf(item)).length).toBe(1);
      }
    });

    it("of contrary decisions one wins, and the history tells which", async () => {
      const item = await post();
      const answers = await Promise.all([
        decideAs(tokens.moderator, item, "approve"),
        decideAs(tokens.admin, item, "reject"),
        decideAs(tokens.moderator, item, "approve"),
        decideAs(tokens.admin, item, "reject"),
      ]);
      expect(answers.filter(({ status }) => status === 200).length).toBe(1);
      const [event, ...more] = await historyOf(item);
      expect(more).toEqual([]);
      expect(await columnsOf(item)).toMatchObject({ status: event?.to });
    });
  });

  describe("batch approve", () => {
    it("answers each item for itself, by either id, a bare array too", async () => {
      const [first, second] = [await post(), await post()];
      const rejected = await inStatus("rejected");
      const ids = [first.id, second.publicId, rejected.id, 999_999, "NONE", first.publicId];
      const answer = await server.call<Approved>("POST", "/v1/media/batch/approve", {
        token: tokens.moderator,
        body: ids,
      });
      expect(answer.status).toBe(200);
      expect(answer.body).toMatchObject({
        approved: [first.id, second.publicId],
        approvedCount: 2,
        failedCount: 4,
        failed: [
          { id: rejected.id, code: "CONFLICT" },
          { id: 999_999, code: "MEDIA_NOT_FOUND" },
          { id: "NONE", code: "MEDIA_NOT_FOUND" },
          { id: first.publicId, code: "CONFLICT" },
        ],
      });
      expect(answer.body.message).toMatch(/2 of 6/);
      expect((await historyOf(first)).length).toBe(1);
      const again = await mutate("batchApprove", { mediaIds: [(await post()).id] }, tokens.moderator);
      expect(again.body.result?.data).toMatchObject({ approvedCount: 1, failedCount: 0 });
    });

    it.each([[[]], [Array.from({ length: 101 }, (_, at) => at + 1)], [[0]], [[null]], ["all"], [{ mediaIds: "1" }]])(
      "refuses %j whole",
      async (body) => {
        const answer = await server.call("POST", "/v1/media/batch/approve", { token: tokens.moderator, body });
        expect(answer).toMatchObject({ status: 400, body: { code: "VALIDATION" } });
      },
    );
  });

  describe("the queue", () => {
    let mine: TestServer;
    let moderator: string;
    let items: MediaOut[];

    beforeAll(async () => {
      mine = await startTestServer();
      moderator = await mine.user("USR-MOD", { role: "moderator" });
      const author = await mine.user("USR-AUTHOR");
      await mine.entity("post", "PST-Q", { ownerId: "USR-AUTHOR" });
      items = [];
      for (let at = 0; at < 12; at++) {
        const answer = await mine.post("/v1/media/posts/PST-Q/media", author, [["file", [picture, `${at}.jpg`]]]);
        items.push(answer.body.media);
      }
    });
    afterAll(() => mine.stop());

    const queue = async (query: string): Promise<Answer<Queue>> =>
      mine.call<Queue>("GET", `/v1/media/moderation/queue?${query}`, { token: moderator });
    const act = (item: MediaOut | undefined, decision: Decision) =>
      mine.service("POST", `/v1/media/${item?.id}/moderation`, { decision });
    const idsOf = (all: readonly MediaOut[]) => all.map(({ id }) => id);

    it("is oldest first, page by page, nothing doubled or lost while items are decided meanwhile", async () => {
      const seen: number[] = [];
      let page = (await queue("limit=3")).body;
      seen.push(...idsOf(page.items));
      // One that was shown and one that was not yet: what is decided leaves, the rest stays where it is.
      await act(items[1], "approve");
      await act(items[4], "reject");
      while (page.nextCursor !== null) {
        page = (await queue(`limit=3&cursor=${encodeURIComponent(page.nextCursor)}`)).body;
        seen.push(...idsOf(page.items));
      }
      expect(seen).toEqual(idsOf(items.filter((_, at) => at !== 4)));
    });

    it("holds what is pending or flagged, or one status", async () => {
      await act(items[1], "flag");
      await act(items[2], "approve");
      const waiting = items.filter((_, at) => ![2, 4].includes(at));
      expect(idsOf((await queue("limit=100")).body.items)).toEqual(idsOf(waiting));
      const of = async (status: ModerationStatus) => idsOf((await queue(`status=${status}`)).body.items);
      expect(await of("flagged")).toEqual([items[1]?.id]);
      expect(await of("approved")).toEqual([items[2]?.id]);
      expect(await of("rejected")).toEqual([items[4]?.id]);
      expect((await of("pending")).length).toBe(9);
      await mine.service("DELETE", `/v1/media/${items[0]?.id}`);
      expect((await of("pending")).length).toBe(8);
    });

    it("over tRPC says the same", async () => {
      const input = encodeURIComponent(JSON.stringify({ limit: 4 }));
      const answer = await mine.call<{ result: { data: Queue } }>("GET", `/trpc/moderation.queue?input=${input}`, {
        token: moderator,
      });
      const rest = (await queue("limit=4")).body;
      expect(idsOf(answer.body.result.data.items)).toEqual(idsOf(rest.items));
      expect(answer.body.result.data.nextCursor).toBe(rest.nextCursor);
    });

    it.each(["limit=0", "limit=101", "status=lost", "cursor=x", "cursor=W10", `cursor=${btoa('["2026-13-99",1]')}`])(
      "refuses %s",
      async (query) => {
        expect(await queue(query)).toMatchObject({ status: 400, body: { code: "VALIDATION" } });
      },
    );
  });
});
