import { beforeAll, describe, expect, it } from "vitest";
import type { MediaOut } from "../../../src/media/model.js";
import { lettersOf, type TestGallery } from "../../support/gallery.js";
import type { ApiStage } from "./stage.js";
import type { Person, ProcedureName } from "./transport.js";

type Decision = "approve" | "reject" | "flag";

/** Both spellings of a decision. */
const WAYS = {
  "by name": (api, person, { decision, ...input }) => api.call(person, `moderation.${decision}`, input),
  "by moderation.decide": (api, person, input) => api.call(person, "moderation.decide", input),
} as const satisfies Record<
  string,
  (api: ApiStage, by: Person, input: { id: number; decision: Decision; reason?: string }) => Promise<MediaOut>
>;

/** How items come to be seen, and by whose word. */
export function moderatingContract(open: () => ApiStage, lacks: readonly ProcedureName[]): void {
  describe("what waits for a decision", () => {
    let api: ApiStage;
    let posts: TestGallery;
    beforeAll(async () => {
      api = open();
      posts = await api.newGallery("abcdef", { type: "post" });
    });

    const conflict = (from: string, to: string, allowed: string) => ({
      code: "CONFLICT",
      reason: `An item that is ${from} cannot become ${to}, only ${allowed}.`,
    });
    const historyOf = async (id: number) =>
      (await api.call(api.people.moderator, "moderation.history", { id })).items.map(
        ({ createdAt, ...event }) => event,
      );

    it("waits in the queue, the oldest first, to its end", async () => {
      const waiting: MediaOut[] = [];
      for (let cursor: string | null = null, at = 0; at < 100; at++) {
        const query = { status: "pending" as const, limit: 4, ...(cursor === null ? {} : { cursor }) };
        const page: { items: MediaOut[]; nextCursor: string | null } = await api.call(
          api.people.moderator,
          "moderation.queue",
          query,
        );
        waiting.push(...page.items);
        cursor = page.nextCursor;
        if (cursor === null) break;
      }
      expect(lettersOf(waiting.filter(({ entityPublicId }) => entityPublicId === posts.place.id))).toBe("abcdef");
      expect(await api.refusal(api.people.moderator, "moderation.queue", { limit: 0 })).toMatchObject({
        code: "VALIDATION",
        issues: [{ path: "limit" }],
      });
    });

    describe.each([
      ["by name", "a", "b"],
      ["by moderation.decide", "c", "d"],
    ] as const)("a decision %s", (way, shown, refused) => {
      const isLacking = way === "by name" && lacks.includes("moderation.approve");
      const decide = (person: Person, id: number, decision: Decision, reason?: string) =>
        WAYS[way](api, person, { id, decision, ...(reason === undefined ? {} : { reason }) });
      const refusal = (person: Person, id: number | string, decision: Decision) =>
        way === "by name"
          ? api.refusal(person, `moderation.${decision}`, { id })
          : api.refusal(person, "moderation.decide", { id, decision });

      it.skipIf(isLacking)("leads from pending by approved and flagged to rejected, and is remembered", async () => {
        const { moderator, stranger, nobody, service } = api.people;
        const { id } = posts.item(shown);
        expect(await api.refusal(nobody, "media.get", { id })).toEqual({ code: "MEDIA_NOT_FOUND", mediaId: `${id}` });
        expect(await decide(moderator, id, "approve")).toMatchObject({
          moderationStatus: "approved",
          isApproved: true,
        });
        expect(await api.call(nobody, "media.get", { id })).toMatchObject({ isApproved: true });
        expect(await refusal(moderator, id, "approve")).toEqual(conflict("approved", "approved", "flagged"));
        expect(await decide(stranger, id, "flag", " rude ")).toMatchObject({ moderationStatus: "flagged" });
        expect(await decide(service, id, "reject")).toMatchObject({ moderationStatus: "rejected", isApproved: false });
        expect(await historyOf(id)).toEqual([
          { actorId: "USR-MODERATOR", from: "pending", to: "approved", reason: null },
          { actorId: "USR-STRANGER", from: "approved", to: "flagged", reason: "rude" },
          { actorId: null, from: "flagged", to: "rejected", reason: null },
        ]);
        expect(await refusal(moderator, id, "reject")).toEqual(conflict("rejected", "rejected", "nothing"));
      });

      it.skipIf(isLacking)("is not everyone's, and not on what he does not see", async () => {
        const { owner, stranger, moderator } = api.people;
        const { id } = posts.item(refused);
        const right = "moderate";
        const reason = "it is held by moderators and admins";
        for (const decision of ["approve", "reject"] as const)
          expect(await refusal(owner, id, decision)).toEqual({ code: "FORBIDDEN", right, subject: null, reason });
        expect(await refusal(stranger, id, "flag")).toEqual({ code: "MEDIA_NOT_FOUND", mediaId: `${id}` });
        expect(await refusal(moderator, "MED-NONE", "approve")).toEqual({
          code: "MEDIA_NOT_FOUND",
          mediaId: "MED-NONE",
        });
        expect(await historyOf(id)).toEqual([]);
      });
    });

    it("is approved in batches, each item for itself", async () => {
      const { moderator } = api.people;
      const [e = 0] = posts.ids("e");
      const f = posts.item("f").publicId;
      expect(await api.call(moderator, "moderation.batchApprove", { mediaIds: [f, "MED-NONE", e, e] })).toEqual({
        approved: [f, e],
        approvedCount: 2,
        failed: [
          { id: "MED-NONE", code: "MEDIA_NOT_FOUND", message: 'There is no media item "MED-NONE".' },
          { id: e, code: "CONFLICT", message: conflict("approved", "approved", "flagged").reason },
        ],
        failedCount: 2,
        message: "2 of 4 items were approved.",
      });
      expect(await api.refusal(moderator, "moderation.history", { id: "MED-NONE" })).toEqual({
        code: "MEDIA_NOT_FOUND",
        mediaId: "MED-NONE",
      });
    });
  });
}
