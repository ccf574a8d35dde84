import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openDatabase } from "../../db/database.js";
import type { Media } from "../../src/media/model.js";
import type { Entity } from "../../src/media/ports.js";
import type { Rendition, RenditionClaim, RenditionLog, RenditionTimes } from "../../src/media/rendition-ports.js";
import { type EmptyDatabase, openMigrated, type TestDatabase } from "../support/database.js";
import { newEntity, newMedia } from "../support/media-rows.js";

const START = new Date("2026-03-04T05:00:00.123Z");
const at = (minutes: number) => new Date(START.getTime() + minutes * 60_000);
/** Claims are stale after two minutes, failures are tried again after an hour. */
const times = (minutes: number): RenditionTimes => ({
  now: at(minutes),
  staleBefore: at(minutes - 2),
  retryBefore: at(minutes - 60),
});

let made = 0;
const unique = () => ++made;

/** What every RenditionLog does, seen by two processes on one database. */
export function renditionLogContract(create: () => Promise<EmptyDatabase>): void {
  let main: TestDatabase;
  let property: Entity;
  let log: RenditionLog;
  let item: Media;
  const alive = new Set<number>();
  const processOf = (id: string, pid: number) => ({
    instance: { id, host: "host-a", pid },
    isProcessAlive: (asked: number) => alive.has(asked),
  });

  beforeAll(async () => {
    main = await openMigrated(await create(), processOf("main", 100));
    property = await newEntity(main.database, "property");
    log = main.database.renditions;
  });
  afterAll(() => main.close());
  beforeEach(async () => {
    item = await main.database.media.insert(newMedia(property));
  });

  const claimOf = (spec: string): RenditionClaim => ({ mediaId: item.id, spec, claim: `claim-${unique()}` });
  const rendition = (key = `r/${unique()}.webp`): Rendition => ({
    key,
    width: 640,
    height: 427,
    contentType: "image/webp",
    fileSize: 3_000_000_000,
  });
  async function finished(spec: string): Promise<{ claim: RenditionClaim; object: Rendition }> {
    const claim = claimOf(spec);
    await log.begin(claim, times(0));
    const object = rendition();
    expect(await log.finish(claim, object, START)).toBe(true);
    return { claim, object };
  }

  it("knows nothing of what nobody began", async () => {
    expect(await log.find({ mediaId: item.id, spec: "large.avif" })).toBeUndefined();
    expect(await log.madeOf([item.id])).toEqual([]);
    expect(await log.madeOf([])).toEqual([]);
    expect(await log.takeAway(item.id)).toEqual([]);
    expect(await log.drop("r/none.webp")).toBe(false);
    const claim = claimOf("large.avif");
    expect(await log.finish(claim, rendition(), START)).toBe(false);
    await log.release(claim);
    await log.end(claim, "unfit", START);
    expect(await log.find(claim)).toBeUndefined();
  });

  it("lets one of many begin, and keeps what that one made", async () => {
    const claims = Array.from({ length: 10 }, () => claimOf("large.avif"));
    const answers = await Promise.all(claims.map((claim) => log.begin(claim, times(0))));
    expect(answers.map(({ state }) => state).sort()).toEqual(["begun", ...Array(9).fill("making")]);
    const winner = claims[answers.findIndex(({ state }) => state === "begun")] as RenditionClaim;
    const loser = claims.find((claim) => claim !== winner) as RenditionClaim;
    const object = rendition();
    expect(await log.finish(loser, rendition(), START)).toBe(false);
    expect(await log.find(winner)).toEqual({ state: "making" });
    expect(await log.finish(winner, object, START)).toBe(true);
    expect(await log.finish(winner, rendition(), START)).toBe(false);
    for (const entry of [await log.find(loser), await log.begin(loser, times(999))])
      expect(entry).toEqual({ state: "made", rendition: object });
    expect(await log.madeOf([item.id, item.id + 1])).toEqual([
      { mediaId: item.id, spec: "large.avif", key: object.key },
    ]);
  });

  it("gives a claim back to the next who asks", async () => {
    const [first, second] = [claimOf("w640.webp"), claimOf("w640.webp")];
    await log.begin(first, times(0));
    await log.release(second);
    expect(await log.begin(second, times(0))).toEqual({ state: "making" });
    await log.release(first);
    expect(await log.begin(second, times(0))).toEqual({ state: "begun" });
    await log.release(second);
  });

  it("remembers what is not worth it for ever, and what failed for its time", async () => {
    const [small, broken] = [claimOf("small.webp"), claimOf("small.avif")];
    for (const claim of [small, broken]) await log.begin(claim, times(0));
    await log.end(small, "unfit", START);
    await log.end(broken, "failed", START);
    expect(await log.begin(claimOf("small.webp"), times(9_999))).toEqual({ state: "unfit" });
    expect(await log.begin(claimOf("small.avif"), times(60))).toEqual({ state: "failed" });
    expect(await log.begin(claimOf("small.avif"), times(61))).toEqual({ state: "begun" });
    expect(await log.finish(broken, rendition(), START)).toBe(false);
  });

  it("takes over the claims of the dead at once, those of the living when they are stale", async () => {
    alive.add(200);
    const other = await openDatabase(main.url, processOf(`other-${unique()}`, 200));
    const [theirs, ours] = [claimOf("large.webp"), claimOf("large.webp")];
    expect(await other.database.renditions.begin(theirs, times(0))).toEqual({ state: "begun" });
    expect(await log.begin(ours, times(1))).toEqual({ state: "making" });
    alive.delete(200);
    expect(await log.begin(ours, times(1))).toEqual({ state: "begun" });
    expect(await other.database.renditions.finish(theirs, rendition(), START)).toBe(false);
    await other.close();
    const later = claimOf("large.webp");
    expect(await log.begin(later, times(3))).toEqual({ state: "making" });
    expect(await log.begin(later, times(4))).toEqual({ state: "begun" });
    expect(await log.finish(ours, rendition(), START)).toBe(false);
    expect(await log.finish(later, rendition(), START)).toBe(true);
  });

  it("refuses what is begun for an item that is gone", async () => {
    await main.database.media.remove(item.id);
    await expect(log.begin(claimOf("large.avif"), times(0))).rejects.toMatchObject({
      failure: { code: "MEDIA_NOT_FOUND" },
    });
  });

  describe("takes renditions away", () => {
    it("all of an item, with the claims of those under way", async () => {
      const [a, b] = [await finished("large.avif"), await finished("w640-1x1.webp")];
      const running = claimOf("medium.avif");
      await log.begin(running, times(0));
      const keys = await main.database.transact((stores) => stores.renditions.takeAway(item.id));
      expect(keys.sort()).toEqual([a.object.key, b.object.key].sort());
      expect(await log.finish(running, rendition(), START)).toBe(false);
      expect(await log.find(a.claim)).toBeUndefined();
    });

    it("of the specs that are named alone", async () => {
      const [kept, gone] = [await finished("large.avif"), await finished("w640-1x1.webp")];
      expect(await log.takeAway(item.id, [])).toEqual([]);
      expect(await log.takeAway(item.id, ["w640-1x1.webp", "w640-4x3.webp"])).toEqual([gone.object.key]);
      expect(await log.madeOf([item.id])).toMatchObject([{ spec: kept.claim.spec }]);
    });

    it("by the key of one, and another one may take its place", async () => {
      const { object } = await finished("large.avif");
      expect(await log.drop(object.key)).toBe(true);
      const again = await finished("large.avif");
      expect(again.object.key).not.toBe(object.key);
      expect(await log.drop(object.key)).toBe(false);
    });

    it("with the item", async () => {
      const { object } = await finished("large.avif");
      await main.database.media.remove(item.id);
      expect([await log.madeOf([item.id]), await log.drop(object.key)]).toEqual([[], false]);
    });
  });

  it("lets objects be found by their keys, in the store of their item", async () => {
    const { object } = await finished("large.webp");
    const { media } = main.database;
    expect(await media.findByKey(object.key)).toMatchObject({
      media: { id: item.id },
      contentType: "image/webp",
      fileSize: object.fileSize,
    });
    expect([await media.findByKey(`${object.key} `), await media.namesKey(`${object.key} `, "local")]).toEqual([
      undefined,
      false,
    ]);
    expect([await media.namesKey(object.key, "local"), await media.namesKey(object.key, "s3")]).toEqual([true, false]);
    // No item is hurt where it is gone, so it is none of the objects an item is made of.
    expect(await media.storedItems({ afterId: item.id - 1, limit: 1 })).toMatchObject([
      { objects: [{ key: item.storagePath }] },
    ]);
  });
}
