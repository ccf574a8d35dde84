import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Actor } from "../../src/media/actor.js";
import { MediaError } from "../../src/media/errors.js";
import type { Deps, Entity } from "../../src/media/ports.js";
import { deleteForEver, trashMedia } from "../../src/media/remove.js";
import { uploadMedia } from "../../src/media/upload.js";
import type { UploadRequest } from "../../src/media/upload-request.js";
import { createDomain, type Domain } from "../support/domain.js";
import { scenery } from "../support/pictures.js";

const HOUR_MS = 3_600_000;

/** A promise that is settled from outside. */
function deferred() {
  let resolve: (value: unknown) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<unknown>((...settle) => {
    [resolve, reject] = settle;
  });
  return { promise, resolve, reject };
}

describe("an upload under an idempotency key", () => {
  let domain: Domain;
  let builder: Entity;
  let owner: Actor;
  let picture: Buffer;
  let builders = 0;

  beforeAll(async () => {
    domain = await createDomain();
    owner = domain.user("USR-1");
    picture = await scenery(120, 90).jpeg().toBuffer();
  });
  beforeEach(async () => {
    const publicId = `BLD-${++builders}`;
    const entity = { type: "builder", publicId, ownerId: "USR-1" } as const;
    builder = await domain.deps.database.entities.upsert(entity, domain.clock.now());
  });
  afterAll(() => domain.close());

  const requestOf = async (over: Partial<UploadRequest> = {}): Promise<UploadRequest> => ({
    actor: owner,
    target: domain.target(builder, "gallery"),
    incoming: await domain.incoming(picture),
    idempotencyKey: builder.publicId,
    ...over,
  });
  const upload = async (over: Partial<UploadRequest> = {}, deps: Deps = domain.deps) =>
    uploadMedia(deps, await requestOf(over));
  const listed = async () => (await domain.deps.database.media.current(builder, "gallery")).map((media) => media.id);
  const stored = async () => (await domain.keys()).filter((key) => key.includes(`/${builder.publicId}/`));
  const failureOf = (attempt: Promise<unknown>) =>
    attempt.then(
      () => "nothing failed",
      (error: unknown) => (error instanceof MediaError ? error.failure : error),
    );
  const withTransact = (transact: Deps["database"]["transact"]): Deps => ({
    ...domain.deps,
    database: { ...domain.deps.database, transact },
  });

  it("makes one item, and without a key two", async () => {
    const first = await upload();
    expect(first).toMatchObject({ replayed: false, reused: false });
    expect(await upload()).toEqual({ ...first, replayed: true });
    expect(await listed()).toEqual([first.media.id]);
    await upload({ idempotencyKey: null });
    await upload({ idempotencyKey: null });
    expect(await listed()).toHaveLength(3);
  });

  it("is answered again for 24 hours and then made anew", async () => {
    const first = await upload();
    const begun = domain.clock.now().getTime();
    domain.clock.time = new Date(begun + 24 * HOUR_MS);
    expect((await upload()).media.id).toBe(first.media.id);
    domain.clock.time = new Date(begun + 24 * HOUR_MS + 1);
    const anew = await upload();
    expect([anew.replayed, anew.media.id === first.media.id]).toEqual([false, false]);
    expect((await upload()).media.id).toBe(anew.media.id);
  });

  it("is answered again where the commit succeeded and its answer was lost", async () => {
    const { transact } = domain.deps.database;
    const lost = withTransact(async (work) => {
      await transact(work);
      throw new Error("the connection broke after the commit");
    });
    expect(await failureOf(upload({}, lost))).toBeInstanceOf(Error);
    const again = await upload();
    expect([again.replayed, await listed()]).toEqual([true, [again.media.id]]);
    expect(await stored()).toEqual([again.media.storagePath]);
  });

  it("frees the key where the commit failed", async () => {
    const broken = withTransact(() => Promise.reject(new Error("the database broke")));
    expect(await failureOf(upload({}, broken))).toEqual(new Error("the database broke"));
    expect(await stored()).toEqual([]);
    expect(await upload()).toMatchObject({ replayed: false });
  });

  /** An upload that has its key and goes no further until it is told to, or told to fail. */
  async function heldUpload() {
    const key = deferred();
    const turn = deferred();
    const { idempotency } = domain.deps.database;
    const begin: typeof idempotency.begin = async (...asked) => {
      const entry = await idempotency.begin(...asked);
      key.resolve(entry);
      return entry;
    };
    const deps = { ...domain.deps, database: { ...domain.deps.database, idempotency: { ...idempotency, begin } } };
    const uploaded = upload({ turn: turn.promise }, deps);
    turn.promise.catch(() => undefined); // it may fail before the upload comes to wait for it, which then finds out
    await key.promise;
    return { uploaded, goOn: () => turn.resolve(null), fail: turn.reject };
  }

  it("is refused with other content while it runs, and waits with the same", async () => {
    const first = await heldUpload();
    const same = upload();
    const other = { incoming: await domain.incoming(picture, { alt_text: "else" }) };
    expect(await failureOf(upload(other))).toEqual({ code: "IDEMPOTENCY_MISMATCH" });
    expect(await listed()).toEqual([]);
    first.goOn();
    const { media } = await first.uploaded;
    expect(await same).toMatchObject({ replayed: true, media });
    expect(await listed()).toEqual([media.id]);
  });

  it("tells a client to come back where the first still runs after half a minute", async () => {
    const first = await heldUpload();
    let waited = 0;
    const clock = {
      now: () => new Date(domain.clock.now().getTime() + waited),
      pause: async (milliseconds: number) => {
        waited += milliseconds;
      },
    };
    expect(await failureOf(upload({}, { ...domain.deps, clock }))).toMatchObject({ code: "CONFLICT" });
    expect(waited).toBe(30_000);
    first.goOn();
    const { media } = await first.uploaded;
    expect(await upload()).toMatchObject({ media, replayed: true });
  });

  it("goes to one that waited where the first failed", async () => {
    const first = await heldUpload();
    const second = upload();
    first.fail(new Error("the one before broke"));
    expect(await failureOf(first.uploaded)).toEqual(new Error("the one before broke"));
    const { media, replayed } = await second;
    expect([replayed, await listed()]).toEqual([false, [media.id]]);
  });

  it("belongs to its principal; all services are one", async () => {
    const service: Actor = { kind: "service" };
    const own = await upload();
    const theirs = await upload({ actor: service });
    expect(theirs.media.id).not.toBe(own.media.id);
    expect(await upload({ actor: service })).toMatchObject({ replayed: true, media: { id: theirs.media.id } });
  });

  it("stands for its place and for the files it came with", async () => {
    await upload({ batch: ["a.jpg", "b.jpg"] });
    const mismatch = { code: "IDEMPOTENCY_MISMATCH" };
    expect(await upload({ batch: ["a.jpg", "b.jpg"] })).toMatchObject({ replayed: true });
    expect(await failureOf(upload({ batch: ["a.jpg"] }))).toEqual(mismatch);
    expect(await failureOf(upload())).toEqual(mismatch);
    const cover = { target: domain.target(builder, "cover"), batch: ["a.jpg", "b.jpg"] };
    expect(await failureOf(upload(cover))).toEqual(mismatch);
  });

  it("answers a trashed item again, and says where it was removed for good", async () => {
    const { media } = await upload();
    await trashMedia(domain.deps, owner, media.id);
    expect(await upload()).toMatchObject({ replayed: true, media: { id: media.id, deletedAt: domain.clock.now() } });
    await deleteForEver(domain.deps, { kind: "service" }, media.id);
    expect(await failureOf(upload())).toEqual({ code: "MEDIA_NOT_FOUND", mediaId: String(media.id) });
    expect([await listed(), await stored()]).toEqual([[], []]);
  });

  it("leaves no open intent behind, nor any spooled result", async () => {
    await upload();
    await upload();
    expect(
      await domain.deps.database.intents.claimAbandoned({ storageType: "local", now: domain.clock.now(), limit: 10 }),
    ).toEqual([]);
  });
});
