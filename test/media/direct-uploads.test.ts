import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Actor, ANONYMOUS } from "../../src/media/actor.js";
import { listGallery } from "../../src/media/browse.js";
import { completeDirectUpload } from "../../src/media/direct-complete.js";
import type { NewDirectUpload } from "../../src/media/direct-ports.js";
import { admitPut, storePut } from "../../src/media/direct-receive.js";
import { sweepDirectUploads } from "../../src/media/direct-sweep.js";
import {
  type DeclaredFile,
  directUploadStatus,
  MAX_OPEN_TICKETS,
  openDirectUpload,
} from "../../src/media/direct-upload.js";
import { watchDirectUpload } from "../../src/media/direct-watch.js";
import { removeDueObjects } from "../../src/media/object-deletions.js";
import { type Deps, type ObjectStorage, StorageUnavailableError } from "../../src/media/ports.js";
import { reconcile } from "../../src/media/reconcile.js";
import { parseUploadFields } from "../../src/media/upload-fields.js";
import { createDomain, type Domain } from "../support/domain.js";
import { scenery } from "../support/pictures.js";

const MINUTE_MS = 60_000;
const DAY_MINUTES = 24 * 60;
const DOWN = new StorageUnavailableError("the disk is gone");
const failure = (code: string) => ({ failure: { code } });

describe("direct uploads over parts that fail", () => {
  let domain: Domain;
  let owner: Actor;
  let picture: Buffer;

  beforeEach(async () => {
    domain = await createDomain();
    owner = domain.user("USR-1");
    const builder = { type: "builder", publicId: "BLD-1", ownerId: "USR-1" } as const;
    await domain.deps.database.entities.upsert(builder, domain.clock.now());
    picture = await scenery(120, 100).jpeg().toBuffer();
  });
  afterEach(() => domain.close());

  const wait = (minutes: number) => {
    domain.clock.time = new Date(domain.clock.time.getTime() + minutes * MINUTE_MS);
  };
  const declared = (): DeclaredFile => ({
    filename: "a.jpg",
    fileSize: picture.length,
    sha256: null,
    contentType: null,
    fields: parseUploadFields(new Map()),
  });
  const placeOf = () => {
    const { attachment } = domain.target({ type: "builder" } as never, "gallery");
    return { attachment, ref: "BLD-1" };
  };
  const open = async (deps: Deps = domain.deps) => (await openDirectUpload(deps, owner, placeOf(), declared())).ticket;
  async function arrived(bytes: Buffer = picture): Promise<NewDirectUpload> {
    const ticket = await open();
    const { file } = await domain.incoming(bytes);
    await domain.deps.objects.primary.put(ticket.objectKey, file, { contentType: "image/jpeg", isPublic: false });
    return ticket;
  }
  const withStore = (over: Partial<ObjectStorage>): Deps => domain.withStores({ local: over });
  const complete = ({ id }: NewDirectUpload, deps = domain.deps) => completeDirectUpload(deps, owner, id);
  const stateOf = async ({ id }: NewDirectUpload, deps = domain.deps) => directUploadStatus(deps, owner, id);
  const items = async () =>
    (await listGallery(domain.deps, owner, { type: "builder", id: "BLD-1", limit: 50 })).items.length;

  it("are told to come back while the store does not answer, and are stored when it does", async () => {
    const ticket = await arrived();
    const broken = new ReadableStream<Uint8Array>({ pull: () => Promise.reject(new Error("reset")) });
    const outages: Partial<ObjectStorage>[] = [
      { get: () => Promise.reject(DOWN) },
      { get: () => Promise.resolve({ size: picture.length, stream: broken }) },
      { put: () => Promise.reject(DOWN) },
    ];
    for (const over of outages) {
      await expect(complete(ticket, withStore(over))).rejects.toMatchObject(failure("STORAGE_UNAVAILABLE"));
      expect(await stateOf(ticket)).toMatchObject({ state: "waiting", failure: null });
    }
    const { media } = await complete(ticket);
    expect(await stateOf(ticket)).toMatchObject({ state: "ready", media: { id: media.id } });
    expect(await items()).toBe(1);
  });

  it("end as what the winner made, where a call loses to another after it began", async () => {
    const ticket = await arrived();
    let uploaded: Awaited<ReturnType<typeof complete>> | undefined;
    const { primary } = domain.deps.objects;
    const get: ObjectStorage["get"] = async (key) => {
      uploaded ??= await complete(ticket);
      await removeDueObjects(domain.deps);
      return primary.get(key);
    };
    const late = await complete(ticket, withStore({ get }));
    expect([late.media.id, late.replayed]).toEqual([uploaded?.media.id, true]);
    expect(await items()).toBe(1);
  });

  it("store nothing once they were given up, however far they were", async () => {
    const ticket = await arrived();
    const sweepFirst: ObjectStorage["put"] = async (...put) => {
      wait(121);
      await sweepDirectUploads(domain.deps);
      await domain.deps.objects.primary.put(...put);
    };
    await expect(complete(ticket, withStore({ put: sweepFirst }))).rejects.toMatchObject(failure("CONFLICT"));
    expect(await stateOf(ticket)).toMatchObject({ state: "failed", failure: { code: "CONFLICT" }, media: null });
    await removeDueObjects(domain.deps);
    expect([await items(), await domain.keys()]).toEqual([0, []]);
  });

  it("are completed by whoever comes after a process that died at it", async () => {
    const ticket = await arrived();
    await domain.deps.database.directUploads.begin(ticket.id);
    expect((await stateOf(ticket)).state).toBe("processing");
    await complete(ticket);
    expect((await stateOf(ticket)).state).toBe("ready");
  });

  it("keep the first failure where the database cannot be told of it, and stay open", async () => {
    const ticket = await arrived(Buffer.alloc(picture.length));
    const { database } = domain.deps;
    const find = () => (asked++ === 0 ? database.directUploads.find(ticket.id) : Promise.reject(new Error("gone")));
    let asked = 0;
    const deps = { ...domain.deps, database: { ...database, directUploads: { ...database.directUploads, find } } };
    await expect(complete(ticket, deps)).rejects.toMatchObject(failure("UNSUPPORTED_TYPE"));
    expect(domain.log.lines.map(({ level }) => level)).toContain("warn");
    expect((await stateOf(ticket)).state).toBe("processing");
    await expect(complete(ticket)).rejects.toMatchObject(failure("UNSUPPORTED_TYPE"));
    expect((await stateOf(ticket)).state).toBe("failed");
  });

  it("say that they do not know what arrived while the store does not answer", async () => {
    const ticket = await arrived();
    const head = () => Promise.resolve({ state: "unknown", reason: "down" } as const);
    expect((await stateOf(ticket)).receivedBytes).toBe(picture.length);
    expect((await stateOf(ticket, withStore({ head }))).receivedBytes).toBeNull();
  });

  it("are a hundred a principal at most, of those whose address is still good", async () => {
    for (let n = 0; n < MAX_OPEN_TICKETS; n++) await open();
    await expect(open()).rejects.toMatchObject(failure("CONFLICT"));
    const admin: Actor = { kind: "user", id: "USR-ADMIN", role: "admin", verified: true };
    await openDirectUpload(domain.deps, admin, placeOf(), declared());
    wait(60);
    expect((await open()).principal).toBe("USR-1");
  });

  it("have an address that is good for an hour and this upload alone", async () => {
    const { ticket, address } = await openDirectUpload(domain.deps, owner, placeOf(), declared());
    const query = Object.fromEntries(new URL(address.url).searchParams);
    expect(new URL(address.url).pathname).toBe(`/v1/media/direct/${ticket.id}`);
    expect((await admitPut(domain.deps, ticket.id, query)).id).toBe(ticket.id);
    const other = await open();
    await expect(admitPut(domain.deps, other.id, query)).rejects.toMatchObject(failure("FORBIDDEN"));
    wait(60);
    await expect(admitPut(domain.deps, ticket.id, query)).rejects.toMatchObject(failure("FORBIDDEN"));
  });

  it("are told of a store that takes nothing at the moment", async () => {
    const ticket = await open();
    const stored = await domain.deps.database.directUploads.find(ticket.id);
    const { file } = await domain.incoming(picture);
    const deps = withStore({ put: () => Promise.reject(DOWN) });
    await expect(storePut(deps, stored as never, file)).rejects.toMatchObject(failure("STORAGE_UNAVAILABLE"));
    await storePut(domain.deps, stored as never, file);
    expect((await stateOf(ticket)).receivedBytes).toBe(picture.length);
  });

  it("are nobody's who is not signed in, a service's tickets neither", async () => {
    const { ticket } = await openDirectUpload(domain.deps, { kind: "service" }, placeOf(), declared());
    await expect(completeDirectUpload(domain.deps, ANONYMOUS, ticket.id)).rejects.toMatchObject(
      failure("UNAUTHENTICATED"),
    );
    expect((await directUploadStatus(domain.deps, { kind: "service" }, ticket.id)).state).toBe("waiting");
  });

  it("are watched until the server stops, or nobody listens", async () => {
    const ticket = await arrived();
    const watch = (over: { signal?: AbortSignal; isDraining?: () => boolean }) =>
      watchDirectUpload(domain.deps, owner, { uploadId: ticket.id, isDraining: () => false, ...over });
    const events = watch({ isDraining: () => true });
    expect((await events.next()).value).toMatchObject({ status: { state: "waiting" } });
    await expect(events.next()).rejects.toMatchObject(failure("OVERLOADED"));
    const gone = new AbortController();
    const unheard = watch({ signal: gone.signal });
    await unheard.next();
    gone.abort();
    expect(await unheard.next()).toEqual({ done: true, value: undefined });
  });

  describe("compared with the store", () => {
    const compare = () => reconcile(domain.deps, domain.deps.syncPatience, { isDry: false });
    /** What nobody names is seen twice, and gone after a week. */
    async function compareForWeeks(): Promise<void> {
      for (const minutes of [61, 3, 8 * DAY_MINUTES, 3]) {
        wait(minutes);
        await compare();
      }
      await removeDueObjects(domain.deps);
    }

    it("are no orphans while something may become of them", async () => {
      const ticket = await arrived();
      await compareForWeeks();
      expect(await domain.keys()).toEqual([ticket.objectKey]);
      expect(await domain.deps.database.sync.counts()).toEqual({ missing: 0, orphaned: 0 });
    });

    it("are orphans like any other when they arrive after all was over", async () => {
      const ticket = await open();
      wait(121);
      expect(await sweepDirectUploads(domain.deps)).toBe(1);
      await removeDueObjects(domain.deps);
      await domain.put(ticket.objectKey);
      await compareForWeeks();
      expect(await domain.keys()).toEqual([]);
    });
  });

  it("are swept in more than one batch, counted, and forgotten after a day", { timeout: 60_000 }, async () => {
    const tickets: NewDirectUpload[] = [];
    const { directUploads } = domain.deps.database;
    const first = await open();
    for (let n = 0; n < 100; n++) {
      const id = `UPL-${String(n).padStart(16, "0")}`;
      tickets.push({ ...first, id, objectKey: `incoming/2026-05/${id.toLowerCase().slice(4)}` });
      await directUploads.open(tickets[n] as NewDirectUpload);
    }
    wait(120);
    expect(await sweepDirectUploads(domain.deps)).toBe(0);
    wait(1);
    expect(await sweepDirectUploads(domain.deps)).toBe(101);
    expect(domain.measured.retired).toEqual(Array(101).fill(["direct_upload", 1]));
    expect((await stateOf(first)).failure).toMatchObject({ code: "CONFLICT" });
    wait(DAY_MINUTES);
    expect(await sweepDirectUploads(domain.deps)).toBe(0);
    await expect(stateOf(first)).rejects.toMatchObject(failure("NOT_FOUND"));
  });
});
