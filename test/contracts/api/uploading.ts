import { beforeAll, describe, expect, it } from "vitest";
import type { ApiStage } from "./stage.js";
import type { OutputOf, ProcedureName } from "./transport.js";

/** Uploads that go past the server: a ticket, the bytes to its address, and what becomes of them. */
export function uploadingContract(open: () => ApiStage, lacks: readonly ProcedureName[]): void {
  describe("a direct upload", () => {
    let api: ApiStage;
    let owner: ApiStage["people"]["owner"];
    let place: { entityType: "property"; entityId: string; field: "gallery" };
    beforeAll(async () => {
      api = open();
      owner = api.people.owner;
      const entityId = await api.newEntity("property", { parentId: "BLD-PSALMSFINE-0420" });
      place = { entityType: "property", entityId, field: "gallery" };
    });

    type Ticket = OutputOf<"uploads.createDirect">;
    const openTicket = (over: object = {}): Promise<Ticket> =>
      api.call(owner, "uploads.createDirect", {
        ...place,
        filename: "garden.png",
        contentType: "image/png",
        fileSize: api.picture.length,
        altText: "The garden",
        ...over,
      });
    const put = ({ url, method, headers }: Ticket) =>
      fetch(url, { method, headers, body: new Uint8Array(api.picture) });

    it("waits for its bytes, takes them at its address, and becomes an item", async () => {
      const ticket = await openTicket();
      const { uploadId, expiresAt } = ticket;
      const waiting = { uploadId, expiresAt, state: "waiting", failure: null, media: null };
      expect(await api.call(owner, "uploads.status", { uploadId })).toEqual({ ...waiting, receivedBytes: 0 });
      expect(await put(ticket)).toHaveProperty("ok", true);
      const { media } = await api.call(owner, "uploads.complete", { uploadId });
      expect(media).toMatchObject({ altText: "The garden", entityPublicId: place.entityId, width: 60 });
      expect((await api.call(owner, "uploads.complete", { uploadId })).media).toEqual(media);
      const ready = await api.call(owner, "uploads.status", { uploadId });
      expect(ready).toMatchObject({ state: "ready", media: { publicId: media.publicId } });
      if (!lacks.includes("uploads.onProgress"))
        expect(await api.call(owner, "uploads.onProgress", { uploadId })).toMatchObject({ state: "ready" });
    });

    it("is not complete before its bytes are there", async () => {
      const { uploadId } = await openTicket();
      expect(await api.refusal(owner, "uploads.complete", { uploadId })).toMatchObject({ code: "CONFLICT" });
    });

    it("does not exist for others", async () => {
      const { uploadId } = await openTicket();
      const missing = { code: "NOT_FOUND", what: `direct upload "${uploadId}"` };
      const watching = ["uploads.status", "uploads.complete", "uploads.onProgress"] as const;
      for (const procedure of watching.filter((name) => !lacks.includes(name)))
        expect(await api.refusal(api.people.stranger, procedure, { uploadId }), procedure).toEqual(missing);
    });

    it("is refused before a byte is sent where the file or the place is none", async () => {
      const ask = (input: object, person = owner) =>
        api.refusal(person, "uploads.createDirect", { ...place, filename: "a.jpg", fileSize: 10, ...input });
      expect(await ask({}, api.people.stranger)).toMatchObject({ code: "FORBIDDEN", right: "upload" });
      expect(await ask({ entityId: "PRP-NONE" })).toMatchObject({ code: "ENTITY_NOT_FOUND" });
      expect(await ask({ contentType: "image/svg+xml" })).toMatchObject({ code: "UNSUPPORTED_TYPE" });
      expect(await ask({ fileSize: 1e9 })).toMatchObject({ code: "FILE_TOO_LARGE" });
      expect(await ask({ fileSize: 0 })).toMatchObject({ code: "VALIDATION", issues: [{ path: "fileSize" }] });
    });
  });
}
