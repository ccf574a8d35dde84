import { beforeAll, describe, expect, it } from "vitest";
import type { ApiStage } from "./stage.js";

/** What those who run the system ask. */
export function operationsContract(open: () => ApiStage): void {
  let api: ApiStage;
  let service: ApiStage["people"]["service"];
  beforeAll(() => {
    api = open();
    service = api.people.service;
  });

  describe("the installation", () => {
    it("counts what is stored, and who stored it", async () => {
      const storage = (input: { entity_type?: "property" | "amenity" }) =>
        api.call(api.people.moderator, "analytics.storage", input);
      const before = await storage({ entity_type: "property" });
      const gallery = await api.newGallery("ab");
      const after = await storage({ entity_type: "property" });
      const bytes = gallery.item("a").fileSize + gallery.item("b").fileSize;
      expect([after.current.items, after.current.originalBytes]).toEqual([
        before.current.items + 2,
        before.current.originalBytes + bytes,
      ]);
      expect(after.byUploader).toContainEqual(
        expect.objectContaining({ key: "USR-OWNER", items: after.current.items }),
      );
      expect(after.byField).toMatchObject([{ key: "property.gallery" }]);
      expect((await storage({ entity_type: "amenity" })).total.items).toBe(0);
      expect((await storage({})).total.items).toBeGreaterThanOrEqual(after.total.items);
      expect(await api.refusal(service, "analytics.storage", { entity_type: "castle" })).toMatchObject({
        code: "VALIDATION",
        issues: [{ path: "entity_type" }],
      });
    });

    it("counts uploads by day", async () => {
      await api.newGallery("a");
      const days = async (range: { from?: string; to?: string }) =>
        (await api.call(service, "analytics.uploadsOverTime", range)).days;
      const recent = await days({});
      expect(recent).toContainEqual(expect.objectContaining({ entityType: "property", mediaType: "IMAGE" }));
      expect(await days({ from: "2020-01-01" })).toEqual(recent);
      expect(await days({ to: "2020-12-31" })).toEqual([]);
      expect(await api.refusal(service, "analytics.uploadsOverTime", { from: "yesterday" })).toEqual({
        code: "VALIDATION",
        issues: [{ path: "from", message: "Invalid ISO date" }],
      });
    });

    it("names what another version made the variants of, and how many there are", async () => {
      await api.newGallery("a");
      const found = await api.call(api.people.moderator, "health.staleVariants", { limit: 1 });
      expect(found).toEqual({ rendering: expect.stringMatching(/^\d+-/), stale: 0, items: [], nextCursor: null });
      expect(await api.refusal(service, "health.staleVariants", { cursor: "elsewhere" })).toEqual({
        code: "VALIDATION",
        issues: [{ path: "cursor", message: "is not a cursor this server gave" }],
      });
    });

    it("compares rows and objects, and says how they stood", async () => {
      const { total } = await api.call(service, "analytics.storage", {});
      const compared = await api.call(service, "health.repair", {});
      expect(compared).toEqual({
        dryRun: true,
        checked: expect.any(Number),
        marked: [],
        unmarked: [],
        quarantined: [],
        removed: [],
      });
      expect(compared.checked).toBeGreaterThanOrEqual(total.items);
      expect(await api.call(api.people.moderator, "health.storageSync")).toMatchObject({
        status: "healthy",
        totals: { items: total.items, bytes: total.bytes },
        missing: 0,
        orphaned: 0,
      });
      expect(await api.refusal(service, "health.repair", { dryRun: "perhaps" })).toEqual({
        code: "VALIDATION",
        issues: [{ path: "dryRun", message: "Invalid input: expected boolean, received string" }],
      });
    });
  });
}
