import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { MediaError } from "../../src/media/errors.js";
import type { Media } from "../../src/media/model.js";
import { moveItem } from "../../src/media/move-item.js";
import { removeDueObjects } from "../../src/media/object-deletions.js";
import { isOwnKey } from "../../src/media/object-key.js";
import { type Deps, type Entity, StorageUnavailableError } from "../../src/media/ports.js";
import { reconcile } from "../../src/media/reconcile.js";
import { deleteForEver, keysOf } from "../../src/media/remove.js";
import { type ItemRendered, type RenderOptions, renderAnew } from "../../src/media/render-anew.js";
import { RENDERING } from "../../src/media/rendering.js";
import { findFile, openFile } from "../../src/media/stored-file.js";
import { sweepAbandonedUploads } from "../../src/media/sweep.js";
import { uploadMedia } from "../../src/media/upload.js";
import { readAll } from "../support/byte-source.js";
import { createDomain, type Domain } from "../support/domain.js";
import { newEntity, newMedia } from "../support/media-rows.js";
import { scenery } from "../support/pictures.js";

const HOUR = 3_600_000;
const SERVICE = { kind: "service" } as const;
const MADE: ItemRendered = { outcome: "made", hasPosition: false };
const GONE: ItemRendered = { outcome: "gone" };

function failureOf(code: "OVERLOADED" | "CORRUPT_FILE" | "DATABASE_UNAVAILABLE"): MediaError {
  if (code === "CORRUPT_FILE") return new MediaError({ code, reason: "it is cut off" });
  return new MediaError({ code, retryAfterSeconds: 1 });
}

describe("making the variants of an item anew", () => {
  let domain: Domain;
  let builder: Entity;
  let picture: Buffer;
  let located: Buffer;

  beforeAll(async () => {
    domain = await createDomain();
    builder = await newEntity(domain.deps.database, "builder");
    picture = await scenery(500, 300).jpeg().toBuffer();
    const IFD3 = { GPSLatitudeRef: "N", GPSLatitude: "41/1 54/1 0/1" };
    located = await scenery(200, 300).withExif({ IFD3 }).jpeg().toBuffer();
  });
  afterAll(() => domain.close());
  beforeEach(() => {
    domain.clock.time = new Date("2026-05-04T03:02:01Z");
    domain.log.lines.splice(0);
  });
  afterEach(async () => {
    for (const { id } of await media().storedItems({ afterId: 0, limit: 99 }))
      await deleteForEver(domain.deps, SERVICE, id);
    // By rows and promises alone: what is left now is litter nobody clears.
    await sweepAbandonedUploads(domain.deps);
    domain.clock.time = new Date(domain.clock.time.getTime() + 2 * HOUR);
    await removeDueObjects(domain.deps);
    await expectNothing();
  });
  const expectNothing = async () =>
    expect([await domain.keys("local"), await domain.keys("s3"), await deletions().size()]).toEqual([[], [], 0]);

  const media = () => domain.deps.database.media;
  const deletions = () => domain.deps.database.deletions;
  const find = async ({ id }: Pick<Media, "id">) => (await media().find(id)) as Media;
  const pass = (milliseconds: number) => {
    domain.clock.time = new Date(domain.clock.time.getTime() + milliseconds);
  };

  /** An item whose variants were made by nobody knows what. */
  async function add(bytes: Uint8Array = picture, deps: Deps = domain.deps): Promise<Media> {
    const incoming = await domain.incoming(bytes);
    const { media: item } = await uploadMedia(deps, {
      actor: SERVICE,
      target: domain.target(builder, "gallery"),
      incoming,
      idempotencyKey: null,
    });
    await media().update(item.id, { renderedAs: null }, domain.clock.time);
    return find(item);
  }

  const render = (item: Media, deps: Deps = domain.deps, options: Partial<RenderOptions> = {}) =>
    renderAnew(deps, item.id, { extent: "everything", ...options });

  async function bytesOf({ storagePath }: Media): Promise<Uint8Array> {
    const object = await domain.deps.objects.of("local").get(storagePath);
    if (!object) throw new Error(`There is no ${storagePath}.`);
    return readAll(object.stream);
  }

  const sizeOf = async (key: string) => {
    const presence = await domain.deps.objects.of("local").head(key);
    return presence.state === "exists" ? presence.size : null;
  };
  async function expectWhole(item: Media): Promise<void> {
    expect(await sizeOf(item.storagePath)).toBe(item.fileSize);
    for (const { key, fileSize } of item.variants) expect(await sizeOf(key), key).toBe(fileSize);
  }

  describe("undisturbed", () => {
    it("puts new objects under new keys, and leaves the original and all that people say as it was", async () => {
      const item = await add();
      pass(1000);
      expect(await render(item)).toEqual(MADE);
      const now = await find(item);
      const { variants } = now;
      expect(now).toEqual({ ...item, variants, renderedAs: RENDERING, updatedAt: domain.clock.time });
      expect(variants.map(({ key: _, ...variant }) => variant)).toEqual(
        item.variants.map(({ key: _, ...variant }) => variant),
      );
      await expectWhole(now);
      const [old, fresh] = [new Set(keysOf(item)), variants.map(({ key }) => key)];
      expect(fresh.every((key) => isOwnKey(key) && !old.has(key))).toBe(true);
    });

    it("makes what the table asks for and the item lacked, and drops what it does not", async () => {
      const item = await add();
      const [first] = item.variants;
      await media().replaceVariants(item, { variants: first ? [first] : [], renderedAs: "0-old" }, domain.clock.time);
      const dropped = item.variants.slice(1);
      for (const { key } of dropped) await domain.deps.objects.of("local").delete(key);
      expect(await render(item)).toEqual(MADE);
      expect((await find(item)).variants.map(({ name }) => name)).toEqual(["small", "thumbnail"]);
    });

    it("takes over what the pixels say now", async () => {
      const item = await add();
      const wrong = { width: 1, height: 1, imageHash: "0".repeat(64), placeholder: "eA==", dominantColor: "#000000" };
      await media().replaceVariants(item, { ...item, picture: wrong }, domain.clock.time);
      expect(await find(item)).toMatchObject(wrong);
      expect(await render(item)).toEqual(MADE);
      const { width, height, imageHash, placeholder, dominantColor } = item;
      expect(await find(item)).toMatchObject({ width, height, imageHash, placeholder, dominantColor });
    });

    it("works in the store that holds the item, also where that is not the primary one", async () => {
      const item = await add();
      const [stored] = await media().storedItems({ afterId: item.id - 1, limit: 1 });
      if (stored) await moveItem(domain.deps, stored, "s3");
      await removeDueObjects(domain.deps);
      expect(await render(item)).toEqual(MADE);
      const now = await find(item);
      expect(now.storageType).toBe("s3");
      expect(await domain.keys("s3")).toEqual(expect.arrayContaining(keysOf(now)));
      expect(await domain.keys("local")).toEqual([]);
    });

    it("leaves what was made by this version alone where only stale items are wanted", async () => {
      const item = await add();
      expect([await render(item), await render(item, domain.deps, { onlyStale: true })]).toEqual([MADE, GONE]);
    });

    it("has nothing to do for what is not there, and for a video", async () => {
      const item = await add();
      await deleteForEver(domain.deps, SERVICE, item.id);
      expect(await render(item)).toEqual(GONE);
      const video = await media().insert(newMedia(builder, { mediaType: "VIDEO" }));
      expect(await render(video)).toEqual(GONE);
    });

    it("heals an item whose variants were lost", async () => {
      const item = await add();
      const [lost] = item.variants;
      await domain.deps.objects.of("local").delete(lost?.key ?? "");
      const compare = () => reconcile(domain.deps, domain.deps.syncPatience, { isDry: false });
      await compare();
      pass(180_000);
      await compare();
      expect((await find(item)).missingSince).not.toBeNull();
      expect(await render(item)).toEqual(MADE);
      expect((await find(item)).missingSince).toBeNull();
      expect(await domain.deps.database.sync.counts()).toEqual({ missing: 0, orphaned: 0 });
    });

    it("blanks no position in an original that was stored with it, and says so", async () => {
      const item = await add(located, { ...domain.deps, keepGps: true });
      const before = await bytesOf(item);
      expect(await render(item)).toEqual({ outcome: "made", hasPosition: true });
      const after = await bytesOf(item);
      expect([Buffer.from(after).equals(before), (await find(item)).metadata]).toEqual([true, item.metadata]);
      expect(await render(item, { ...domain.deps, keepGps: true })).toEqual(MADE);
    });

    it("reads an original that lost its position when it came", async () => {
      expect(await render(await add(located))).toEqual(MADE);
    });
  });

  describe("old addresses", () => {
    const served = async (key: string) => {
      const file = await findFile(domain.deps, key, {});
      return (await readAll((await openFile(domain.deps, file)).stream)).length;
    };
    const NOT_FOUND = { failure: { code: "MEDIA_NOT_FOUND" } };

    it("work for an hour, and not after it", async () => {
      const item = await add();
      await render(item);
      pass(HOUR - 1);
      await removeDueObjects(domain.deps);
      for (const { key, fileSize } of item.variants) expect(await served(key)).toBe(fileSize);
      pass(1);
      for (const { key } of item.variants) await expect(served(key)).rejects.toMatchObject(NOT_FOUND);
      await removeDueObjects(domain.deps);
      const now = await find(item);
      expect(await domain.keys()).toEqual(keysOf(now).sort());
      for (const { key, fileSize } of now.variants) expect(await served(key)).toBe(fileSize);
    });

    it("follow the item's own rules: not for everybody where it is private, for nobody in the trash or gone", async () => {
      const item = await add();
      const key = item.variants[0]?.key ?? "";
      await render(item);
      await media().update(item.id, { isPublic: false }, domain.clock.time);
      await expect(served(key)).rejects.toMatchObject(NOT_FOUND);
      const query = new URLSearchParams(
        await domain.deps.signer.sign(key, new Date(domain.clock.time.getTime() + 9e5)),
      );
      const signature = { expires: query.get("expires") ?? "", signature: query.get("signature") ?? "" };
      expect(await findFile(domain.deps, key, signature)).toMatchObject({ isPublic: false, contentType: "image/jpeg" });
      await media().update(item.id, { deletedAt: domain.clock.time }, domain.clock.time);
      await expect(findFile(domain.deps, key, signature)).rejects.toMatchObject(NOT_FOUND);
      await deleteForEver(domain.deps, SERVICE, item.id);
      expect([await domain.keys(), await deletions().size()]).toEqual([[], 0]);
    });

    it("are found where the old objects stayed when the item moved on", async () => {
      const item = await add();
      await render(item);
      const [stored] = await media().storedItems({ afterId: item.id - 1, limit: 1 });
      expect(stored && (await moveItem(domain.deps, stored, "s3"))).toEqual({ outcome: "moved" });
      for (const { key, fileSize } of item.variants) expect(await served(key)).toBe(fileSize);
    });

    it("are no orphans meanwhile", async () => {
      const item = await add();
      await render(item);
      pass(HOUR - 1);
      const compared = await reconcile(
        { ...domain.deps },
        { ...domain.deps.syncPatience, graceMinutes: 0 },
        { isDry: false },
      );
      expect(compared?.run).toMatchObject({ orphaned: 0, missing: 0 });
    });
  });

  describe("where something fails", () => {
    const outage = () => Promise.reject(new StorageUnavailableError("an outage"));
    const inTransactions = (over: (deps: Deps) => Partial<Deps["database"]>): Deps => ({
      ...domain.deps,
      database: { ...domain.deps.database, ...over(domain.deps) },
    });
    let puts: number;
    beforeEach(() => {
      puts = 0;
    });
    const failingPut = (which: number) =>
      domain.withStores({
        local: { put: (...args) => (++puts === which ? outage() : domain.deps.objects.primary.put(...args)) },
      });

    it.each<[string, () => Deps, Partial<Extract<ItemRendered, { outcome: "failed" }>>]>([
      ["the original cannot be read", () => domain.withStores({ local: { get: outage } }), { isOutage: true }],
      ["no pixels are made", () => ({ ...domain.deps, images: failingImages("OVERLOADED") }), { mayPass: true }],
      ["the picture is damaged", () => ({ ...domain.deps, images: failingImages("CORRUPT_FILE") }), { mayPass: false }],
      ["the first object is not taken", () => failingPut(1), { isOutage: true }],
      ["the last object is not taken", () => failingPut(2), { isOutage: true }],
      [
        "nothing is taken, and nothing removed",
        () => domain.withStores({ local: { put: outage, deleteMany: (keys) => allFailed(keys) } }),
        { isOutage: true },
      ],
      [
        "a sweeper was faster",
        () =>
          inTransactions(({ database }) => ({
            transact: (work) =>
              database.transact((s) => work({ ...s, intents: { ...s.intents, close: async () => false } })),
          })),
        { mayPass: true },
      ],
      [
        "the transaction is undone",
        () => inTransactions(() => ({ transact: () => Promise.reject(new Error("undone")) })),
        { reason: "undone" },
      ],
    ])("the item stays as it was and nothing is left behind: %s", async (_, broken, said) => {
      const item = await add();
      expect(await render(item, broken())).toMatchObject({ outcome: "failed", ...said });
      expect(await find(item)).toEqual(item);
      await sweepAbandonedUploads(domain.deps);
      expect([await domain.keys(), await deletions().size()]).toEqual([keysOf(item).sort(), 0]);
      expect(await render(item)).toEqual(MADE);
    });

    const allFailed = async (keys: readonly string[]) =>
      keys.map((key) => ({ key, error: new StorageUnavailableError("an outage") }));
    const failingImages = (code: "OVERLOADED" | "CORRUPT_FILE"): Deps["images"] => ({
      ...domain.deps.images,
      render: () => Promise.reject(failureOf(code)),
    });

    it("keeps what it made where only the answer to the commit was lost", async () => {
      const item = await add();
      const lost = inTransactions(({ database }) => ({
        transact: async (work) => {
          await database.transact(work);
          throw new Error("the connection was lost");
        },
      }));
      expect(await render(item, lost)).toMatchObject({ outcome: "failed" });
      const now = await find(item);
      expect(now.renderedAs).toBe(RENDERING);
      await sweepAbandonedUploads(domain.deps);
      await expectWhole(now);
    });

    it("rejects where the database does not answer", async () => {
      const item = await add();
      const down = inTransactions(() => ({
        transact: () => Promise.reject(failureOf("DATABASE_UNAVAILABLE")),
      }));
      await expect(render(item, down)).rejects.toMatchObject({ failure: { code: "DATABASE_UNAVAILABLE" } });
      expect(await find(item)).toEqual(item);
    });

    it("says what is wrong with an original that is lost, of another size, or of another type", async () => {
      const [lost, cut, other] = [await add(), await add(), await add()];
      const store = domain.deps.objects.of("local");
      for (const { storagePath } of [lost, cut, other]) await store.delete(storagePath);
      await domain.put(cut.storagePath, "local", "short");
      await domain.put(other.storagePath, "local", "x".repeat(other.fileSize));
      const reasons = [await render(lost), await render(cut), await render(other)].map((result) =>
        result.outcome === "failed" ? [result.reason, result.mayPass] : result,
      );
      expect(reasons).toEqual([
        [`${lost.storagePath} is not in local.`, false],
        [`${cut.storagePath} holds 5 bytes where its row says ${cut.fileSize}.`, false],
        [`${other.storagePath} holds null where its row says image/jpeg.`, false],
      ]);
    });
  });

  describe("where somebody else is at the item meanwhile", () => {
    it.each<[string, (item: Media) => Promise<unknown>]>([
      ["made anew", (item) => render(item)],
      ["removed for good", ({ id }) => deleteForEver(domain.deps, SERVICE, id)],
      ["moved", (item) => moveAway(item)],
      ["given another focal point", ({ id }) => media().update(id, { focalPoint: { x: 1, y: 1 } }, domain.clock.time)],
    ])("leaves it to them: %s", async (_, meanwhile) => {
      const item = await add();
      let isFirst = true;
      const put: Deps["objects"]["primary"]["put"] = async (...args) => {
        const isNow = isFirst;
        isFirst = false;
        if (isNow) await meanwhile(item);
        await domain.deps.objects.primary.put(...args);
      };
      expect(await render(item, domain.withStores({ local: { put } }))).toEqual(GONE);
      const now = await media().find(item.id);
      const held = [...(await domain.keys("local")), ...(await domain.keys("s3"))];
      for (const key of now ? keysOf(now) : []) expect(held).toContain(key);
    });

    async function moveAway({ id }: Media) {
      const [stored] = await media().storedItems({ afterId: id - 1, limit: 1 });
      if (stored) expect(await moveItem(domain.deps, stored, "s3")).toEqual({ outcome: "moved" });
      await removeDueObjects(domain.deps);
    }

    it("is done once by two at once, and both leave it whole", async () => {
      const item = await add();
      const results = await Promise.all([render(item), render(item)]);
      expect(results.map(({ outcome }) => outcome).sort()).toEqual(["gone", "made"]);
      await expectWhole(await find(item));
      expect(await domain.keys()).toHaveLength(1 + 2 * item.variants.length);
    });

    it("stops a move whose copies it makes old", async () => {
      const item = await add();
      const [stored] = await media().storedItems({ afterId: item.id - 1, limit: 1 });
      await render(item);
      const moved = stored && (await moveItem(domain.deps, stored, "s3"));
      expect(moved).toMatchObject({ outcome: "failed", reason: "Its objects changed while they were copied." });
      await expectWhole(await find(item));
      for (const key of await domain.keys("s3")) await domain.deps.objects.of("s3").delete(key);
    });
  });
});
