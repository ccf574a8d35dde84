import { beforeEach, expect, it } from "vitest";
import type { DirectUploadLog, NewDirectUpload } from "../../src/media/direct-ports.js";
import type { MediaFailure } from "../../src/media/errors.js";
import type { UploadOutcome } from "../../src/media/lifecycle-ports.js";
import type { Database } from "../../src/media/ports.js";

const START = new Date("2026-03-04T05:00:00.123Z");
const at = (minutes: number) => new Date(START.getTime() + minutes * 60_000);
const OUTCOME: UploadOutcome = {
  mediaId: 17,
  reused: true,
  duplicates: [{ publicId: "MED-1", distance: 3, tier: "same" }],
};
const FAILURE: MediaFailure = { code: "UNSUPPORTED_TYPE", detected: null, accepted: ["image/jpeg"] };

let made = 0;
/** A ticket whose address is good for an hour. */
function newTicket(over: Partial<NewDirectUpload> = {}): NewDirectUpload {
  const n = String(++made).padStart(16, "0");
  return {
    id: `UPL-${n}`,
    principal: "USR-1",
    entityType: "property",
    entityId: 7,
    entityField: "gallery",
    filename: "Gärten 🏡.jpg",
    contentType: "image/jpeg",
    fileSize: 3_000_000_000,
    sha256: "a".repeat(64),
    fields: {
      alt_text: "ü",
      caption: null,
      tags: ["a"],
      sort_order: -3,
      is_public: false,
      is_primary: true,
      on_duplicate: "reuse",
    },
    objectKey: `incoming/2026-03/${n}`,
    storageType: "s3",
    createdAt: START,
    expiresAt: at(60),
    ...over,
  };
}

/** What every DirectUploadLog does. */
export function directUploadLogContract(database: () => Database): void {
  let log: DirectUploadLog;
  beforeEach(() => {
    log = database().directUploads;
  });

  async function opened(over: Partial<NewDirectUpload> = {}): Promise<NewDirectUpload> {
    const ticket = newTicket(over);
    await log.open(ticket);
    return ticket;
  }
  const stateOf = async ({ id }: NewDirectUpload) => (await log.find(id))?.state;

  it("keeps a ticket as it was opened, and none that was not", async () => {
    const ticket = await opened();
    expect(await log.find(ticket.id)).toEqual({ ...ticket, state: "waiting", failure: null, outcome: null });
    const little = await opened({ contentType: null, sha256: null });
    expect(await log.find(little.id)).toMatchObject({ contentType: null, sha256: null });
    expect(await log.find(ticket.id.toLowerCase())).toBeUndefined();
  });

  it("lets one begin at a time, and the next when that one gave it back", async () => {
    const ticket = await opened();
    const begun = await Promise.all(Array.from({ length: 10 }, () => log.begin(ticket.id)));
    expect(begun.filter(Boolean)).toHaveLength(1);
    expect(await stateOf(ticket)).toBe("processing");
    await log.giveBack(ticket.id);
    expect([await stateOf(ticket), await log.begin(ticket.id)]).toEqual(["waiting", true]);
  });

  it("ends once, as ready or as failed, whether it was begun or not", async () => {
    const [waiting, begun] = [await opened(), await opened()];
    await log.begin(begun.id);
    expect([await log.finish(waiting.id, OUTCOME), await log.fail(begun.id, FAILURE)]).toEqual([true, true]);
    for (const { id } of [waiting, begun]) {
      expect([await log.finish(id, OUTCOME), await log.fail(id, FAILURE), await log.begin(id)]).toEqual([
        false,
        false,
        false,
      ]);
      await log.giveBack(id);
    }
    expect(await log.find(waiting.id)).toMatchObject({ state: "ready", outcome: OUTCOME, failure: null });
    expect(await log.find(begun.id)).toMatchObject({ state: "failed", outcome: null, failure: FAILURE });
    expect(await log.finish("UPL-NONE", OUTCOME)).toBe(false);
  });

  it("has one winner of many that end it", async () => {
    const ticket = await opened();
    const ends = Array.from({ length: 10 }, (_, n) =>
      n % 2 ? log.finish(ticket.id, OUTCOME) : log.fail(ticket.id, FAILURE),
    );
    expect((await Promise.all(ends)).filter(Boolean)).toHaveLength(1);
  });

  it("ends with the transaction it is part of", async () => {
    const ticket = await opened();
    const undone = database().transact(async ({ directUploads }) => {
      await directUploads.finish(ticket.id, OUTCOME);
      throw new RangeError("undo");
    });
    await expect(undone).rejects.toThrow(RangeError);
    expect(await stateOf(ticket)).toBe("waiting");
  });

  it("counts a principal's open tickets while their addresses are good", async () => {
    const principal = "USR-COUNTED";
    const open = (over: Partial<NewDirectUpload> = {}) => opened({ principal, ...over });
    const [, , ready, failed] = [await open(), await open({ expiresAt: at(10) }), await open(), await open()];
    const begun = await open();
    await open({ principal: "usr-counted" });
    await log.finish(ready.id, OUTCOME);
    await log.fail(failed.id, FAILURE);
    await log.begin(begun.id);
    expect([await log.countOpen(principal, at(9)), await log.countOpen(principal, at(10))]).toEqual([3, 2]);
    expect([await log.countOpen("usr-counted", at(0)), await log.countOpen("USR-NOBODY", at(0))]).toEqual([1, 0]);
  });

  it("holds an object of exactly its key and store until it is cleared, whatever its state", async () => {
    const ticket = await opened();
    const object = { key: ticket.objectKey, storageType: "s3" } as const;
    await log.fail(ticket.id, FAILURE);
    expect(await log.holds(object)).toBe(true);
    expect(await log.holds({ ...object, storageType: "local" })).toBe(false);
    for (const key of [`${object.key} `, `${object.key}ü`, "incoming/2026-03/other"])
      expect(await log.holds({ ...object, key }), key).toBe(false);
    await log.clear(ticket.id);
    expect(await log.holds(object)).toBe(false);
  });

  it("names what is not cleared and over, oldest first, and forgets what is cleared and long over", async () => {
    const past = (minutes: number) => at(minutes - 10_000); // before all other tickets
    const late = await opened({ expiresAt: past(20) });
    const early = await opened({ expiresAt: past(10) });
    const over = async (minutes: number, limit = 10) =>
      (await log.uncleared({ expiredBefore: past(minutes), limit })).map(({ id }) => id);
    expect([await over(10), await over(11), await over(21)]).toEqual([[], [early.id], [early.id, late.id]]);
    expect(await over(21, 1)).toEqual([early.id]);
    expect(await log.forget(past(100))).toBe(0);
    await log.clear(early.id);
    expect(await over(21)).toEqual([late.id]);
    expect([await log.forget(past(10)), await log.forget(past(11)), await log.forget(past(100))]).toEqual([0, 1, 0]);
    expect([await log.find(early.id), await stateOf(late)]).toEqual([undefined, "waiting"]);
  });
}
