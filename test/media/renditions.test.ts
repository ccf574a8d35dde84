import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { updateMedia } from "../../src/media/edit.js";
import type { Media, Variant } from "../../src/media/model.js";
import { moveItem } from "../../src/media/move-item.js";
import { removeDueObjects } from "../../src/media/object-deletions.js";
import { isOwnKey } from "../../src/media/object-key.js";
import { type Deps, type Entity, StorageUnavailableError, type UploadIntent } from "../../src/media/ports.js";
import { reconcile } from "../../src/media/reconcile.js";
import { removeRow } from "../../src/media/remove.js";
import { renderAnew } from "../../src/media/render-anew.js";
import { orderOfSize, orderOfVariant, type RenditionOrder } from "../../src/media/rendition-order.js";
import { createRenditions, type RenditionOutcome } from "../../src/media/renditions.js";
import { sweepAbandonedUploads } from "../../src/media/sweep.js";
import { uploadMedia } from "../../src/media/upload.js";
import { createDomain, type Domain } from "../support/domain.js";
import { scenery } from "../support/pictures.js";

describe("renditions", () => {
  let domain: Domain;
  let builder: Entity;
  let picture: Buffer;
  let media: Media;

  beforeAll(async () => {
    domain = await createDomain();
    picture = await scenery(600, 450).jpeg({ quality: 95 }).toBuffer();
    const entity = { type: "builder", publicId: "BLD-1", ownerId: "USR-1" } as const;
    builder = await domain.deps.database.entities.upsert(entity, domain.clock.now());
  });
  beforeEach(async () => {
    const incoming = await domain.incoming(picture);
    const target = domain.target(builder, "gallery");
    ({ media } = await uploadMedia(domain.deps, { actor: domain.user("USR-1"), target, incoming }));
  });
  afterAll(() => domain.close());

  const stem = () => media.storagePath.replace(/\.jpg$/, "");
  /** Objects of the item beside its own. */
  const made = async (store: "local" | "s3" = "local") => {
    const own = new Set([media.storagePath, ...media.variants.map(({ key }) => key)]);
    return (await domain.keys(store)).filter((key) => key.startsWith(stem()) && !own.has(key));
  };
  const small = () => media.variants.find(({ name }) => name === "small") as Variant;
  const avif = (of = media): RenditionOrder => orderOfVariant(of, small(), "image/avif");
  const square = (of = media) => orderOfSize(of, { width: 160, crop: "1:1" }, "image/webp") as RenditionOrder;
  const keyIn = (outcome: RenditionOutcome) => (outcome.state === "made" ? outcome.rendition.key : outcome.state);
  const entryOf = ({ media: { id }, spec }: RenditionOrder) =>
    domain.deps.database.renditions.find({ mediaId: id, spec });
  const noIntentIsLeft = async () => {
    const query = { storageType: "local", now: domain.clock.now(), limit: 10 } as const;
    expect(await domain.deps.database.intents.claimAbandoned(query)).toEqual([]);
  };
  const failingWith = (put: Deps["objects"]["primary"]["put"]) => domain.withStores({ local: { put } });

  it("are made once, however many ask, and are there from then on", async () => {
    const renditions = createRenditions(domain.deps);
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => renditions.get(avif())));
    expect(new Set(outcomes.map(keyIn)).size).toBe(1);
    const [key = ""] = await made();
    expect(await made()).toEqual([key]);
    expect([isOwnKey(key), key.startsWith(`${stem()}_small-`), key.endsWith(".avif")]).toEqual([true, true, true]);
    expect(outcomes[0]).toMatchObject({
      state: "made",
      rendition: { key, contentType: "image/avif", width: small().width, height: small().height },
    });
    expect(await createRenditions(domain.deps).get(avif())).toEqual(outcomes[0]);
    expect(domain.measured.renditions.splice(0)).toEqual(["made"]);
    await noIntentIsLeft();
  });

  it("are waited for where another process makes them", async () => {
    const [one, other] = [createRenditions(domain.deps), createRenditions(domain.deps)];
    const outcomes = await Promise.all([one.get(avif()), other.get(avif()), one.get(avif())]);
    expect(new Set(outcomes.map(keyIn)).size).toBe(1);
    expect(await made()).toHaveLength(1);
  });

  it("that would hardly be smaller are not stored, which is remembered", async () => {
    const order = { ...avif(), maxBytes: 10 };
    expect(await createRenditions(domain.deps).get(order)).toEqual({ state: "unfit" });
    expect(await createRenditions(domain.deps).get(avif())).toEqual({ state: "unfit" });
    expect([await made(), await entryOf(order)]).toEqual([[], { state: "unfit" }]);
  });

  it("that cannot be made of these bytes are not tried again for an hour", async () => {
    const order = { ...avif(), width: 5_000, height: 5_000 };
    expect(await createRenditions(domain.deps).get(order)).toEqual({ state: "unavailable" });
    expect(await createRenditions(domain.deps).get(avif())).toEqual({ state: "unavailable" });
    const began = domain.clock.time;
    domain.clock.time = new Date(began.getTime() + 3_600_001);
    expect(await createRenditions(domain.deps).get(avif())).toMatchObject({ state: "made" });
    domain.clock.time = began;
  });

  it("are unavailable while the store takes no bytes, and are made when it does again", async () => {
    const down = failingWith(async () => {
      throw new StorageUnavailableError("the disk is gone");
    });
    expect(await createRenditions(down).get(avif())).toEqual({ state: "unavailable" });
    expect([await made(), await entryOf(avif())]).toEqual([[], undefined]);
    await noIntentIsLeft();
    expect(await createRenditions(domain.deps).get(avif())).toMatchObject({ state: "made" });
  });

  it("whose process dies between the object and the row leave nothing once the sweep has been", async () => {
    const { database } = domain.deps;
    const opened: UploadIntent[] = [];
    const dead = new Promise<void>((resolve) => {
      const transact = () => {
        resolve();
        return new Promise<never>(() => undefined);
      };
      const intents: typeof database.intents = {
        ...database.intents,
        async open(intent, now) {
          opened.push(intent);
          await database.intents.open(intent, now);
        },
      };
      void createRenditions({ ...domain.deps, database: { ...database, transact, intents } }).get(avif());
    });
    await dead;
    expect(opened.map(({ keys }) => keys)).toEqual([await made()]);
    expect(await made()).toHaveLength(1);
    // Another process that finds this one dead does this to its intents.
    await database.intents.abandon(opened[0]?.id ?? "");
    await sweepAbandonedUploads(domain.deps);
    expect(await made()).toEqual([]);
    domain.clock.time = new Date(domain.clock.time.getTime() + 3 * 60_000);
    expect(await createRenditions(domain.deps).get(avif())).toMatchObject({ state: "made" });
    expect(await made()).toHaveLength(1);
  });

  it("of an item that is removed while they are made leave nothing", async () => {
    const { database } = domain.deps;
    const removing = failingWith(async (...put) => {
      await domain.deps.objects.primary.put(...put);
      await database.transact(async (stores) => {
        const item = await stores.media.find(media.id);
        if (item) await removeRow(stores, item, domain.clock.now());
      });
    });
    expect(await createRenditions(removing).get(avif())).toEqual({ state: "unavailable" });
    await removeDueObjects(domain.deps);
    expect((await domain.keys()).filter((key) => key.startsWith(stem()))).toEqual([]);
    await noIntentIsLeft();
  });

  it("go with their item", async () => {
    await createRenditions(domain.deps).get(avif());
    expect(await made()).toHaveLength(1);
    await domain.deps.database.transact((stores) => removeRow(stores, media, domain.clock.now()));
    await removeDueObjects(domain.deps);
    expect((await domain.keys()).filter((key) => key.startsWith(stem()))).toEqual([]);
  });

  it("stay behind when their item moves to another store, and are made again there", async () => {
    const before = keyIn(await createRenditions(domain.deps).get(avif()));
    const [item] = await domain.deps.database.media.storedItems({ afterId: media.id - 1, limit: 1 });
    expect(await moveItem(domain.deps, item as never, "s3")).toEqual({ outcome: "moved" });
    await removeDueObjects(domain.deps);
    expect([await made(), await made("s3")]).toEqual([[], []]);
    expect(await createRenditions(domain.deps).get(avif())).toEqual({ state: "unavailable" });
    const moved = (await domain.deps.database.media.find(media.id)) as Media;
    const after = keyIn(await createRenditions(domain.deps).get(avif(moved)));
    expect(after).not.toBe(before);
    expect([await made(), await made("s3")]).toEqual([[], [after]]);
  });

  it("whose object is lost are made again under another key", async () => {
    const renditions = createRenditions(domain.deps);
    const lost = keyIn(await renditions.get(avif()));
    await domain.deps.objects.primary.delete(lost);
    await renditions.lost(lost);
    await renditions.lost(lost);
    const again = keyIn(await renditions.get(avif()));
    expect(again).not.toBe(lost);
    await removeDueObjects(domain.deps);
    expect(await made()).toEqual([again]);
  });

  it("are objects somebody claims; one that is lost is forgotten, and its item stays as it is", async () => {
    const renditions = createRenditions(domain.deps);
    const [lost, kept] = [keyIn(await renditions.get(avif())), keyIn(await renditions.get(square()))];
    await domain.deps.objects.primary.delete(lost);
    const compare = async (isDry: boolean) => {
      const compared = await reconcile(domain.deps, { ...domain.deps.syncPatience, graceMinutes: -1 }, { isDry });
      return compared?.run;
    };
    expect(await compare(true)).toMatchObject({ missing: 0, orphaned: 0 });
    expect(await entryOf(avif())).toMatchObject({ state: "made" });
    expect(await compare(false)).toMatchObject({ missing: 0, orphaned: 0, unknown: 0 });
    expect(await domain.deps.database.sync.counts()).toEqual({ missing: 0, orphaned: 0 });
    expect([await entryOf(avif()), (await domain.deps.database.media.find(media.id))?.missingSince]).toEqual([
      undefined,
      null,
    ]);
    expect(await made()).toEqual([kept]);
  });

  it("that are crops go when the focal point changes, others stay; one under way is not kept", async () => {
    const renditions = createRenditions(domain.deps);
    const whole = keyIn(await renditions.get(avif()));
    const old = keyIn(await renditions.get(square()));
    const focalPoint = { x: 0.1, y: 0.2 };
    const changed = await updateMedia(domain.deps, domain.user("USR-1"), media.id, { focalPoint });
    await removeDueObjects(domain.deps);
    expect(await made()).toEqual([whole]);
    // Ordered before the change.
    expect(await renditions.get(square())).toEqual({ state: "unavailable" });
    const fresh = keyIn(await renditions.get(square(changed)));
    expect(fresh).not.toBe(old);
    expect(await made()).toEqual([whole, fresh].sort());
    await noIntentIsLeft();
  });

  it("go with the variants they were made of, an hour after those were made anew", async () => {
    const renditions = createRenditions(domain.deps);
    const thumbnail = media.variants.find(({ name }) => name === "thumbnail") as Variant;
    const ofCrop = { ...orderOfVariant(media, thumbnail, "image/webp"), maxBytes: null };
    for (const order of [avif(), ofCrop]) expect((await renditions.get(order)).state).toBe("made");
    await renderAnew(domain.deps, media.id, { extent: "crops" });
    expect([await entryOf(ofCrop), (await entryOf(avif()))?.state]).toEqual([undefined, "made"]);
    await renderAnew(domain.deps, media.id, { extent: "everything" });
    expect(await entryOf(avif())).toBeUndefined();
    expect(await made()).toHaveLength(2);
    domain.clock.time = new Date(domain.clock.time.getTime() + 3_600_000);
    await removeDueObjects(domain.deps);
    expect(await made()).toEqual([]);
  });
});
