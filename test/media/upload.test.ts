import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { MediaError } from "../../src/media/errors.js";
import { promoteFallback } from "../../src/media/move-objects.js";
import { type Entity, type ObjectStorage, StorageUnavailableError } from "../../src/media/ports.js";
import { sweepAbandonedUploads } from "../../src/media/sweep.js";
import { uploadMedia } from "../../src/media/upload.js";
import { createDomain, type Domain } from "../support/domain.js";
import { scenery } from "../support/pictures.js";

describe("uploadMedia", () => {
  let domain: Domain;
  let builder: Entity;
  let picture: Buffer;

  beforeAll(async () => {
    domain = await createDomain();
    picture = await scenery(900, 700).jpeg().toBuffer();
  });
  beforeEach(async () => {
    const now = domain.clock.now();
    const publicId = `BLD-${Math.random().toString(36).slice(2)}`;
    builder = await domain.deps.database.entities.upsert({ type: "builder", publicId, ownerId: "USR-1" }, now);
  });
  afterAll(() => domain.close());

  const upload = async (field = "gallery", form: Record<string, string> = {}, deps = domain.deps) =>
    uploadMedia(deps, {
      actor: domain.user("USR-1"),
      target: domain.target(builder, field),
      incoming: await domain.incoming(picture, form),
    });
  const stored = async () => (await domain.keys()).filter((key) => key.includes(builder.publicId));
  const listed = async () => domain.deps.database.media.current(builder, "gallery");
  const withObjects = (local: Partial<ObjectStorage>) => domain.withStores({ local });
  const failureOf = (attempt: Promise<unknown>) =>
    attempt.then(
      () => "nothing failed",
      (error: unknown) => (error instanceof MediaError ? error.failure : error),
    );

  it("stores exactly what its row names", async () => {
    const { media } = await upload();
    expect(await stored()).toEqual([media.storagePath, ...media.variants.map((v) => v.key)].sort());
    expect(media).toMatchObject({ createdAt: domain.clock.now(), uploadedBy: "USR-1", sortOrder: 0, deletedAt: null });
  });

  it("has an intent that names every key before the first byte, and none afterwards", async () => {
    const seen: string[][] = [];
    const objects: Partial<ObjectStorage> = {
      put: async (key, ...rest) => {
        const { intents } = domain.deps.database;
        seen.push([key, String(await intents.close("not an intent"))]);
        await domain.deps.objects.primary.put(key, ...rest);
      },
    };
    await upload("gallery", {}, withObjects(objects));
    expect(seen).toHaveLength(4);
    expect(
      await domain.deps.database.intents.claimAbandoned({ storageType: "local", now: domain.clock.now(), limit: 10 }),
    ).toEqual([]);
  });

  it("leaves no objects behind when one of them cannot be stored", async () => {
    let puts = 0;
    const objects: Partial<ObjectStorage> = {
      put: async (...put) => {
        if (++puts === 3) throw new StorageUnavailableError("the disk is gone");
        await domain.deps.objects.primary.put(...put);
      },
    };
    expect(await failureOf(upload("gallery", {}, withObjects(objects)))).toEqual({
      code: "STORAGE_UNAVAILABLE",
      retryAfterSeconds: 10,
    });
    expect([await stored(), await listed()]).toEqual([[], []]);
  });

  it("leaves no objects behind when the row cannot be written", async () => {
    const { database } = domain.deps;
    const broken = {
      ...domain.deps,
      database: { ...database, transact: () => Promise.reject(new Error("the database broke")) },
    };
    expect(await failureOf(upload("gallery", {}, broken))).toEqual(new Error("the database broke"));
    expect([await stored(), await listed()]).toEqual([[], []]);
  });

  it("keeps the objects when the commit succeeded but its answer was lost", async () => {
    const { database } = domain.deps;
    const transact: typeof database.transact = async (work) => {
      await database.transact(work);
      throw new Error("the connection broke after the commit");
    };
    await failureOf(upload("gallery", {}, { ...domain.deps, database: { ...database, transact } }));
    expect(await listed()).toHaveLength(1);
    expect(await stored()).toHaveLength(4);
  });

  it("leaves the objects to the sweeper when they cannot be removed either", async () => {
    const { database } = domain.deps;
    const error = new StorageUnavailableError("the disk is gone");
    const broken = withObjects({ deleteMany: async (keys) => keys.map((key) => ({ key, error })) });
    const transact = () => Promise.reject(new Error("the database broke"));
    await failureOf(upload("gallery", {}, { ...broken, database: { ...database, transact } }));
    expect(await stored()).toHaveLength(4);
    expect(domain.log.lines.at(-1)).toMatchObject({ level: "warn" });
    expect(await sweepAbandonedUploads(domain.deps)).toBe(1);
    expect(await stored()).toEqual([]);
    expect(await sweepAbandonedUploads(domain.deps)).toBe(0);
  });

  it("does not bring back what a sweeper gave up meanwhile", async () => {
    const objects: Partial<ObjectStorage> = {
      put: async (key, ...rest) => {
        await domain.deps.objects.primary.put(key, ...rest);
        if (key.endsWith("_thumb.jpg")) for (const id of intents) await domain.deps.database.intents.abandon(id);
      },
    };
    const intents: string[] = [];
    const { database } = domain.deps;
    const open: typeof database.intents.open = (intent, now) => {
      intents.push(intent.id);
      return database.intents.open(intent, now);
    };
    const deps = { ...withObjects(objects), database: { ...database, intents: { ...database.intents, open } } };
    expect(await failureOf(upload("gallery", {}, deps))).toMatchObject({ code: "CONFLICT" });
    expect(await listed()).toEqual([]);
  });

  it("asks for the permission again at the end", async () => {
    const { database } = domain.deps;
    await database.entities.upsert(
      { type: "builder", publicId: builder.publicId, ownerId: "USR-OTHER" },
      domain.clock.now(),
    );
    expect(await failureOf(upload())).toMatchObject({ code: "FORBIDDEN", right: "upload" });
    await database.entities.delete(builder, domain.clock.now());
    expect(await failureOf(upload())).toMatchObject({ code: "ENTITY_NOT_FOUND" });
    expect(await stored()).toEqual([]);
  });

  it.each([
    ["EMPTY_FILE", Buffer.alloc(0)],
    ["UNSUPPORTED_TYPE", Buffer.from("<svg/>")],
    ["CORRUPT_FILE", Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.alloc(500)])],
  ] as const)("refuses as %s and stores nothing", async (code, bytes) => {
    const request = {
      actor: domain.user("USR-1"),
      target: domain.target(builder, "gallery"),
      incoming: await domain.incoming(bytes),
    };
    expect(await failureOf(uploadMedia(domain.deps, request))).toMatchObject({ code });
    expect(await stored()).toEqual([]);
  });

  it.each([
    ["gallery", 49, 80, { code: "BAD_DIMENSIONS", width: 49, height: 80, minSide: 50, maxSide: 16384 }],
    ["avatar", 100, 99, { code: "BAD_DIMENSIONS", minSide: 100 }],
    ["gallery", 50, 50, "nothing failed"],
    ["cover", 100, 100, "nothing failed"],
  ] as const)("into %s: %i x %i pixels", async (field, width, height, outcome) => {
    const incoming = await domain.incoming(await scenery(width, height).png().toBuffer());
    const result = await failureOf(
      uploadMedia(domain.deps, { actor: domain.user("USR-1"), target: domain.target(builder, field), incoming }),
    );
    if (typeof outcome === "string") expect(result).toBe(outcome);
    else expect(result).toMatchObject(outcome);
  });

  it("judges pixels and bytes by the installation's limits", async () => {
    const limited = (limits: Partial<typeof domain.deps.limits>) => ({
      ...domain.deps,
      limits: { ...domain.deps.limits, ...limits },
    });
    expect(await failureOf(upload("gallery", {}, limited({ maxPixels: 900 * 700 - 1 })))).toEqual({
      code: "TOO_MANY_PIXELS",
      pixels: 630_000,
      maxPixels: 629_999,
    });
    expect(await failureOf(upload("gallery", {}, limited({ maxPixels: 900 * 700 })))).toBe("nothing failed");
    expect(await failureOf(upload("gallery", {}, limited({ imageMaxBytes: picture.length - 1 })))).toMatchObject({
      code: "FILE_TOO_LARGE",
    });
    expect(await failureOf(upload("avatar", {}, limited({ avatarMaxBytes: picture.length - 1 })))).toMatchObject({
      code: "FILE_TOO_LARGE",
    });
    expect(await failureOf(upload("cover", {}, limited({ avatarMaxBytes: 1 })))).toBe("nothing failed");
  });

  it("puts each new item last, or where its number says", async () => {
    const names: Record<string, string> = {};
    const add = async (name: string, form: Record<string, string> = {}) => {
      names[(await upload("gallery", form)).media.publicId] = name;
    };
    await add("a");
    await add("b");
    await add("first", { sort_order: "-5" });
    await add("behind a", { sort_order: "0" });
    await add("far", { sort_order: "1000" });
    await add("last");
    expect((await listed()).map((media) => names[media.publicId])).toEqual([
      "first",
      "a",
      "behind a",
      "b",
      "far",
      "last",
    ]);
  });

  it("has one primary item in a gallery: the newest that asked", async () => {
    const one = await upload("gallery", { is_primary: "true" });
    const two = await upload("gallery", { is_primary: "true" });
    await upload();
    expect((await listed()).filter((media) => media.isPrimary).map((media) => media.id)).toEqual([two.media.id]);
    expect(one.media.isPrimary).toBe(true);
  });

  it("empties a slot into the trash in the transaction that fills it", async () => {
    const first = (await upload("cover")).media;
    const second = (await upload("cover")).media;
    expect((await domain.deps.database.media.current(builder, "cover")).map((m) => m.id)).toEqual([second.id]);
    expect((await domain.deps.database.media.find(first.id))?.deletedAt).toEqual(domain.clock.now());
  });

  it("twenty uploads into one slot at once leave one current item", async () => {
    const uploads = await Promise.all(Array.from({ length: 20 }, () => upload("avatar")));
    const current = await domain.deps.database.media.current(builder, "avatar");
    expect(current).toHaveLength(1);
    expect(uploads.map((u) => u.media.id)).toContain(current[0]?.id);
  });

  it("answers with a copy of the same field, never with one from elsewhere", async () => {
    const photo = (await upload("gallery")).media;
    const cover = await upload("cover", { on_duplicate: "reuse" });
    expect(cover).toMatchObject({ reused: false, media: { entityField: "cover" } });
    const again = await upload("gallery", { on_duplicate: "reuse" });
    expect(again).toMatchObject({ reused: true, media: { id: photo.id } });
    expect(await stored()).toHaveLength(8);
  });

  it("tells of copies within the entity", async () => {
    const first = (await upload()).media;
    const again = await upload("cover");
    expect(again.duplicates).toEqual([{ publicId: first.publicId, distance: 0, tier: "exact" }]);
  });

  describe("while the primary store does not answer", () => {
    const outage = new StorageUnavailableError("the bucket is away");
    /** Takes the first puts and no more, and removes nothing. */
    const failingAfter = (puts: number, failure: Error = outage): Partial<ObjectStorage> => {
      let left = puts;
      return {
        put: async (...put) => {
          if (left-- <= 0) throw failure;
          await domain.deps.objects.of("s3").put(...put);
        },
        deleteMany: async (keys) => keys.map((key) => ({ key, error: failure })),
      };
    };
    const uploadWith = (s3: Partial<ObjectStorage>, local: Partial<ObjectStorage> = {}, hasFallback = true) =>
      upload("gallery", {}, domain.withStores({ s3, local }, hasFallback));
    const storedIn = async (type: "local" | "s3") =>
      (await domain.keys(type)).filter((key) => key.includes(builder.publicId));
    const sweep = () => sweepAbandonedUploads(domain.deps);
    beforeEach(sweep);

    it("goes to the primary store as long as that answers", async () => {
      const { media } = await uploadWith({});
      expect(media).toMatchObject({ storageType: "s3", bucketName: "bucket" });
      expect([(await storedIn("s3")).length, await storedIn("local")]).toEqual([4, []]);
    });

    it.each([0, 1, 3])("goes to the fallback store whole, under other keys, after %i puts", async (puts) => {
      const { media } = await uploadWith(failingAfter(puts));
      expect(media).toMatchObject({ storageType: "local", bucketName: null });
      const keys = [media.storagePath, ...media.variants.map((v) => v.key)].sort();
      expect(await storedIn("local")).toEqual(keys);
      const leftover = await storedIn("s3");
      expect(leftover).toHaveLength(puts);
      expect(leftover.filter((key) => keys.includes(key))).toEqual([]);
      expect(domain.log.lines.at(-1)).toEqual({ level: "warn", message: "an upload goes to the fallback store" });
    });

    it("leaves what the primary store took to the sweeper, also where the item has moved there by then", async () => {
      const { media } = await uploadWith(failingAfter(2));
      expect(await promoteFallback(domain.withStores({}, true))).toMatchObject({ failed: [], isComplete: true });
      expect([(await storedIn("s3")).length, await storedIn("local")]).toEqual([2 + 4, []]);
      expect(await sweep()).toBe(1);
      const keys = [media.storagePath, ...media.variants.map((v) => v.key)].sort();
      expect(await storedIn("s3")).toEqual(keys);
      expect(await domain.deps.database.media.find(media.id)).toMatchObject({ storageType: "s3" });
      expect(await sweep()).toBe(0);
    });

    it("reads and measures each byte source once", async () => {
      let measured = 0;
      const deps = domain.withStores({ s3: failingAfter(0) }, true);
      const source: typeof deps.spool.source = (path) => {
        measured++;
        return deps.spool.source(path);
      };
      await upload("gallery", {}, { ...deps, spool: { ...deps.spool, source } });
      expect(measured).toBe(3);
    });

    it("is refused where no fallback is set up, and nothing is kept", async () => {
      const deps = domain.withStores({ local: { put: () => Promise.reject(outage) } });
      expect(await failureOf(upload("gallery", {}, deps))).toEqual({
        code: "STORAGE_UNAVAILABLE",
        retryAfterSeconds: 10,
      });
      expect([await storedIn("local"), await storedIn("s3"), await listed()]).toEqual([[], [], []]);
      expect(await sweep()).toBe(0);
    });

    it("is refused where the fallback store does not answer either, and nothing is kept", async () => {
      let puts = 0;
      const put: ObjectStorage["put"] = async (...args) => {
        if (++puts > 2) throw new StorageUnavailableError("the disk is full");
        await domain.deps.objects.primary.put(...args);
      };
      const refused = await failureOf(uploadWith(failingAfter(1), { put }));
      expect(refused).toEqual({ code: "STORAGE_UNAVAILABLE", retryAfterSeconds: 10 });
      expect([await storedIn("local"), await listed()]).toEqual([[], []]);
      expect(await sweep()).toBe(1);
      expect(await storedIn("s3")).toEqual([]);
    });

    it("does not try the fallback store where the primary one answers with a failure", async () => {
      const failure = new Error("the bytes do not match");
      expect(await failureOf(uploadWith({ ...failingAfter(1, failure) }))).toBe(failure);
      expect([await storedIn("local"), await listed()]).toEqual([[], []]);
      expect(await sweep()).toBe(1);
      expect(await storedIn("s3")).toEqual([]);
    });

    it("leaves nothing in either store when the row cannot be written", async () => {
      const deps = domain.withStores({ s3: failingAfter(1) }, true);
      const transact = () => Promise.reject(new Error("the database broke"));
      await failureOf(upload("gallery", {}, { ...deps, database: { ...deps.database, transact } }));
      expect([await storedIn("local"), await listed()]).toEqual([[], []]);
      expect(await sweep()).toBe(1);
      expect(await storedIn("s3")).toEqual([]);
    });
  });
});
