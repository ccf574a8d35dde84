import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Media } from "../../src/media/model.js";
import { type Deps, type ObjectStorage, StorageUnavailableError } from "../../src/media/ports.js";
import { findFile, openFile } from "../../src/media/stored-file.js";
import { createObjectStores } from "../../src/storage/object-stores.js";
import { createDomain, type Domain } from "../support/domain.js";
import { newEntity, newMedia } from "../support/media-rows.js";

const KEY = "a.jpg";
/** Of one size, as copies are. */
const COPIES = { local: "the copy at home!", s3: "the copy far away" } as const;
const fileSize = COPIES.local.length;

describe("the bytes of a stored file", () => {
  let domain: Domain;

  beforeEach(async () => {
    domain = await createDomain();
    for (const type of ["local", "s3"] as const) await domain.put(KEY, type, COPIES[type]);
  });
  afterEach(() => domain.close());

  async function add(over: Parameters<typeof newMedia>[1] = {}): Promise<Media> {
    const builder = await newEntity(domain.deps.database, "builder");
    return domain.deps.database.media.insert(newMedia(builder, { storagePath: KEY, fileSize, ...over }));
  }
  const find = (deps: Deps = domain.deps) => findFile(deps, KEY, {});
  const read = async (deps: Deps = domain.deps) => new Response((await openFile(deps, await find(deps))).stream).text();
  const move = ({ id }: Media) =>
    domain.deps.database.media.switchStorage(id, { from: "local", to: "s3", bucketName: "bucket" });

  it.each(["local", "s3"] as const)("come from %s where the row says so", async (storageType) => {
    await add({ storageType });
    expect(await read()).toBe(COPIES[storageType]);
  });

  it("come in part", async () => {
    await add({ storageType: "s3" });
    const { stream, size } = await openFile(domain.deps, await find(), { start: 4, end: 7 });
    expect([await new Response(stream).text(), size]).toEqual(["copy", fileSize]);
  });

  it("come from where they moved to after the file was found", async () => {
    const media = await add();
    const file = await find();
    await move(media);
    await domain.deps.objects.of("local").delete(KEY);
    expect(await new Response((await openFile(domain.deps, file)).stream).text()).toBe(COPIES.s3);
  });

  it("are a failure where the store holds more or less than the row says", async () => {
    await add({ fileSize: fileSize + 1 });
    await expect(read()).rejects.toThrow(`a.jpg holds ${fileSize} bytes in local where its row says ${fileSize + 1}.`);
  });

  it("are not found where the store lost them, also after a move", async () => {
    const media = await add();
    const file = await find();
    await domain.deps.objects.of("local").delete(KEY);
    await expect(read()).rejects.toMatchObject({ failure: { code: "MEDIA_NOT_FOUND" } });
    await move(media);
    await domain.deps.objects.of("s3").delete(KEY);
    await expect(openFile(domain.deps, file)).rejects.toMatchObject({ failure: { code: "MEDIA_NOT_FOUND" } });
  });

  it("are not found where the item was removed since", async () => {
    const media = await add();
    const file = await find();
    await domain.deps.database.media.remove(media.id);
    await domain.deps.objects.of("local").delete(KEY);
    await expect(openFile(domain.deps, file)).rejects.toMatchObject({ failure: { code: "MEDIA_NOT_FOUND" } });
  });

  it("are unavailable while their store does not answer, whatever the other one holds", async () => {
    await add({ storageType: "s3" });
    const get: ObjectStorage["get"] = () => Promise.reject(new StorageUnavailableError("an outage"));
    const unavailable = { failure: { code: "STORAGE_UNAVAILABLE", retryAfterSeconds: 10 } };
    await expect(read(domain.withStores({ s3: { get } }))).rejects.toMatchObject(unavailable);
    const objects = createObjectStores({ primary: domain.deps.objects.primary });
    await expect(read({ ...domain.deps, objects })).rejects.toMatchObject(unavailable);
  });
});
