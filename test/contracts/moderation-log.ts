import { expect, it } from "vitest";
import type { ModerationEvent } from "../../src/media/lifecycle-ports.js";
import type { Database } from "../../src/media/ports.js";
import { LATER, NOW, newEntity, newMedia } from "../support/media-rows.js";

/** What every ModerationLog does. */
export function moderationLogContract(database: () => Database): void {
  const log = () => database().moderation;
  const decision = (mediaId: number, over: Partial<ModerationEvent> = {}): Omit<ModerationEvent, "id"> => ({
    mediaId,
    actorId: "USR-moderator",
    from: "pending",
    to: "approved",
    reason: null,
    createdAt: NOW,
    ...over,
  });
  async function newItem() {
    const entity = await newEntity(database(), "post");
    return database().media.insert(newMedia(entity));
  }

  it("has no history for what nobody decided on", async () => {
    const { id } = await newItem();
    expect(await log().history(id)).toEqual([]);
    expect(await log().history(987_654_321)).toEqual([]);
  });

  it("tells decisions as they were made, oldest first, whatever their dates say", async () => {
    const { id } = await newItem();
    const made = [
      decision(id, { createdAt: LATER }),
      decision(id, { from: "approved", to: "flagged", actorId: "USR-ü 🏡", reason: "Größe: 'n' \"q\" \\ %\n🏡" }),
      decision(id, { from: "flagged", to: "rejected", actorId: null, reason: "" }),
    ];
    for (const event of made) await log().add(event);
    const history = await log().history(id);
    expect(history.map(({ id: _id, ...event }) => event)).toEqual(made);
    const ids = history.map((event) => event.id);
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
  });

  it("keeps a long reason whole", async () => {
    const { id } = await newItem();
    const reason = "ü".repeat(5_000);
    await log().add(decision(id, { reason }));
    expect(await log().history(id)).toMatchObject([{ reason }]);
  });

  it("keeps the items' histories apart", async () => {
    const [one, two] = [await newItem(), await newItem()];
    await log().add(decision(one.id, { reason: "one" }));
    await log().add(decision(two.id, { reason: "two" }));
    await log().add(decision(one.id, { reason: "one again" }));
    expect((await log().history(one.id)).map((event) => event.reason)).toEqual(["one", "one again"]);
    expect((await log().history(two.id)).map((event) => event.reason)).toEqual(["two"]);
  });

  it("remembers what was decided on an item that is gone", async () => {
    const { id } = await newItem();
    await log().add(decision(id));
    await database().media.remove(id);
    expect(await log().history(id)).toHaveLength(1);
  });

  it("forgets a decision whose transaction is undone", async () => {
    const { id } = await newItem();
    const undone = database().transact(async ({ moderation }) => {
      await moderation.add(decision(id));
      expect(await moderation.history(id)).toHaveLength(1);
      throw new RangeError("undo");
    });
    await expect(undone).rejects.toThrow(RangeError);
    expect(await log().history(id)).toEqual([]);
  });
}
