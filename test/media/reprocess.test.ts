import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { updateMedia } from "../../src/media/edit.js";
import { MediaError } from "../../src/media/errors.js";
import { followFocalPoints } from "../../src/media/follow-focal-points.js";
import type { Media } from "../../src/media/model.js";
import { type Deps, type Entity, StorageUnavailableError } from "../../src/media/ports.js";
import { RENDERING, UNFOCUSED } from "../../src/media/rendering.js";
import {
  countSelected,
  type ReprocessOptions,
  reprocess,
  type Selection,
  selectedPages,
} from "../../src/media/reprocess.js";
import { staleVariants } from "../../src/media/stale-variants.js";
import { uploadMedia } from "../../src/media/upload.js";
import { createDomain, type Domain } from "../support/domain.js";
import { newEntity, newMedia } from "../support/media-rows.js";
import { scenery } from "../support/pictures.js";

const SERVICE = { kind: "service" } as const;
const STALE: Selection = { which: "stale" };
const ALL: Selection = { which: "all" };

let domain: Domain;
let builder: Entity;
let picture: Buffer;

beforeEach(async () => {
  domain = await createDomain();
  builder = await newEntity(domain.deps.database, "builder");
  picture = await scenery(300, 200).png().toBuffer();
});
afterEach(() => domain.close());

const media = () => domain.deps.database.media;
const find = async ({ id }: Media) => (await media().find(id)) as Media;

async function add(renderedAs: string | null = null): Promise<Media> {
  const incoming = await domain.incoming(picture);
  const { media: item } = await uploadMedia(domain.deps, {
    actor: SERVICE,
    target: domain.target(builder, "gallery"),
    incoming,
  });
  await media().update(item.id, { renderedAs }, domain.clock.time);
  return find(item);
}

/** Rows alone: nothing is in the store. */
const addRows = async (...made: (string | null)[]) => {
  const items: Media[] = [];
  for (const renderedAs of made) items.push(await media().insert(newMedia(builder, { renderedAs })));
  return items;
};

describe("making many anew", () => {
  const run = (over: Partial<ReprocessOptions> = {}, deps: Deps = domain.deps) =>
    reprocess(deps, { selection: STALE, concurrency: 1, ...over });
  const publicIds = async (selection: Selection) => {
    const pages: string[][] = [];
    for await (const page of selectedPages(media(), selection)) pages.push(page.map(({ publicId }) => publicId));
    return pages;
  };

  it("has nothing to do where there is nothing", async () => {
    const nothing = { made: 0, gone: 0, failed: [], withPosition: [], isComplete: true, afterId: 0 };
    for (const selection of [STALE, ALL, { ids: [] }]) expect(await run({ selection })).toEqual(nothing);
  });

  it("takes what another version made, and leaves the rest; once done there is nothing left", async () => {
    const [old, unknown, current] = [await add("0-old"), await add(), await add(RENDERING)];
    const progress: number[] = [];
    const onProgress = (done: number) => void progress.push(done);
    expect(await countSelected(media(), STALE)).toBe(2);
    expect(await run({ onProgress, concurrency: 2 })).toMatchObject({ made: 2, failed: [], isComplete: true });
    expect([progress, await find(current)]).toEqual([[1, 2], current]);
    for (const item of [old, unknown]) expect((await find(item)).renderedAs).toBe(RENDERING);
    expect([await countSelected(media(), STALE), await run()]).toMatchObject([0, { made: 0 }]);
  });

  it("takes everything, or named items, where it is told to", async () => {
    const [first, second] = [await add(RENDERING), await add(RENDERING)];
    expect(await run({ selection: { ids: [second.id] } })).toMatchObject({ made: 1 });
    expect([(await find(first)).variants, (await find(second)).variants[0]?.key === second.variants[0]?.key]).toEqual([
      first.variants,
      false,
    ]);
    expect(await run({ selection: ALL })).toMatchObject({ made: 2 });
    expect(await run({ selection: { which: "all", afterId: first.id } })).toMatchObject({ made: 1 });
  });

  it("goes through pages of everything that was made by something else, each item once", async () => {
    const made = Array.from({ length: 230 }, (_, n) => [null, "0-a", RENDERING][n % 3] ?? null);
    const items = await addRows(...made);
    const stale = await publicIds(STALE);
    expect(stale.map((page) => page.length)).toEqual([77, 77]);
    expect(stale.flat().sort()).toEqual(
      items
        .filter(({ renderedAs }) => renderedAs !== RENDERING)
        .map(({ publicId }) => publicId)
        .sort(),
    );
    expect((await publicIds(ALL)).map((page) => page.length)).toEqual([100, 100, 30]);
    expect(await publicIds({ which: "stale", entityType: "post" })).toEqual([]);
    expect(await countSelected(media(), { which: "stale", entityType: "post" })).toBe(0);
  });

  it("skips what cannot be made anew, tells why, and goes on", async () => {
    const [lost] = await addRows(null);
    const item = await add();
    const result = await run();
    expect(result).toMatchObject({
      made: 1,
      failed: [{ publicId: lost?.publicId, reason: `${lost?.storagePath} is not in local.` }],
      isComplete: true,
    });
    expect((await find(item)).renderedAs).toBe(RENDERING);
    expect(await find(lost as Media)).toEqual(lost);
  });

  it("stops after the items under way, and goes on with the rest the next time", async () => {
    for (let n = 0; n < 3; n++) await add();
    const stop = new AbortController();
    const onProgress = () => stop.abort();
    expect(await run({ signal: stop.signal, onProgress })).toMatchObject({ made: 1, isComplete: false });
    expect(await run()).toMatchObject({ made: 2, isComplete: true });
  });

  it("ends where a store does not answer about ten items in a row, and changes nothing", async () => {
    const items = await addRows(...Array.from({ length: 12 }, () => null));
    const get = () => Promise.reject(new StorageUnavailableError("an outage"));
    const result = await run({}, domain.withStores({ local: { get } }));
    expect([result.failed.length, result.isComplete, await countSelected(media(), STALE)]).toEqual([10, false, 12]);
    expect(await find(items[0] as Media)).toEqual(items[0]);
  });

  it("rejects where the database breaks", async () => {
    await add();
    const transact = () => Promise.reject(new MediaError({ code: "DATABASE_UNAVAILABLE", retryAfterSeconds: 1 }));
    const broken = { ...domain.deps, database: { ...domain.deps.database, transact } };
    await expect(run({}, broken)).rejects.toThrow(MediaError);
    expect(await run()).toMatchObject({ made: 1 });
  });

  it("is done once by two at it", async () => {
    const items = [await add(), await add(), await add()];
    const both = await Promise.all([run(), run()]);
    expect(both.reduce((sum, { made }) => sum + made, 0)).toBe(items.length);
    expect(both.flatMap(({ failed }) => failed)).toEqual([]);
    for (const item of items) expect((await find(item)).variants).toHaveLength(item.variants.length);
  });

  it("names items whose originals hold a position that is not kept any more", async () => {
    const IFD3 = { GPSLatitudeRef: "N", GPSLatitude: "41/1 54/1 0/1" };
    picture = await scenery(200, 300).withExif({ IFD3 }).jpeg().toBuffer();
    const incoming = await domain.incoming(picture);
    const target = domain.target(builder, "gallery");
    const { media: item } = await uploadMedia({ ...domain.deps, keepGps: true }, { actor: SERVICE, target, incoming });
    expect(await run({ selection: ALL })).toMatchObject({ made: 1, withPosition: [item.publicId] });
  });
});

describe("stale variants", () => {
  const ask = (limit: number, cursor?: string) => staleVariants(domain.deps, SERVICE, { limit, cursor });

  it("are none where everything is of this version", async () => {
    await addRows(RENDERING);
    expect(await ask(5)).toEqual({ rendering: RENDERING, stale: 0, items: [], nextCursor: null });
  });

  it("are counted, and listed page by page, each once", async () => {
    const items = await addRows("0-b", null, RENDERING, "0-a", "0-b", null, "9-z");
    const listed: (string | null)[] = [];
    let cursor: string | undefined;
    do {
      const page = await ask(2, cursor);
      expect(page.stale).toBe(6);
      listed.push(...page.items.map(({ publicId }) => publicId));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(listed).toEqual([1, 5, 3, 0, 4, 6].map((at) => items[at]?.publicId));
  });

  it("are not for everybody, and know a cursor of others", async () => {
    const stranger = domain.user("USR-1");
    await expect(staleVariants(domain.deps, stranger, { limit: 1 })).rejects.toMatchObject({
      failure: { code: "FORBIDDEN" },
    });
    await expect(ask(1, btoa("[1]"))).rejects.toMatchObject({ failure: { code: "VALIDATION" } });
  });
});

describe("a focal point that changed", () => {
  const follow = (deps: Deps = domain.deps) => followFocalPoints(deps, new AbortController().signal);
  const point = (item: Media, focalPoint: { x: number; y: number } | null) =>
    updateMedia(domain.deps, SERVICE, item.id, { focalPoint });
  const keyOf = (item: Media, name: string) => item.variants.find((variant) => variant.name === name)?.key;

  beforeEach(async () => {
    picture = await scenery(600, 200).png().toBuffer();
  });

  it("has the crops made anew, and nothing else", async () => {
    const [item, stale] = [await add(RENDERING), await add("0-old")];
    const pointed = await point(item, { x: 0.9, y: 0.5 });
    expect([pointed.renderedAs, pointed.variants]).toEqual([`${UNFOCUSED}${RENDERING}`, item.variants]);
    expect(await follow()).toBe(1);
    const now = await find(item);
    expect([now.renderedAs, keyOf(now, "small")]).toEqual([RENDERING, keyOf(item, "small")]);
    expect(keyOf(now, "thumbnail")).not.toBe(keyOf(item, "thumbnail"));
    expect([await find(stale), await follow()]).toEqual([stale, 0]);
  });

  it("goes back to the middle where it is cleared: the bytes are those of the first day", async () => {
    const item = await add(RENDERING);
    const bytes = async (key: string | undefined) =>
      Buffer.from(await new Response((await domain.deps.objects.of("local").get(key ?? ""))?.stream).arrayBuffer());
    const thumbnail = async () => bytes(keyOf(await find(item), "thumbnail"));
    const remade = async (focalPoint: { x: number; y: number } | null) => {
      await point(item, focalPoint);
      await follow();
      return thumbnail();
    };
    // Both from the same step of the pipeline, where the first came from a smaller one.
    const [middle, right] = [await remade({ x: 0.5, y: 0.5 }), await remade({ x: 1, y: 0.5 })];
    const cleared = await remade(null);
    expect([right.equals(middle), right.equals(cleared)]).toEqual([false, false]);
    expect((await find(item)).focalPoint).toBeNull();
  });

  it("leaves an item that was stale before as stale as it was", async () => {
    const [unknown, old] = [await add(), await add("0-old")];
    for (const item of [unknown, old]) await point(item, { x: 0, y: 0 });
    expect(await follow()).toBe(2);
    expect([(await find(unknown)).renderedAs, (await find(old)).renderedAs]).toEqual([null, "0-old"]);
  });

  it("is no reason to make anything where it is the same, where other things change, or where nothing is cropped", async () => {
    const item = await add(RENDERING);
    await point(item, null);
    await updateMedia(domain.deps, SERVICE, item.id, { caption: "x" });
    picture = await scenery(120, 100).png().toBuffer();
    const tiny = await add(RENDERING);
    await point(tiny, { x: 0, y: 0 });
    expect([(await find(item)).renderedAs, (await find(tiny)).renderedAs]).toEqual([RENDERING, RENDERING]);
    expect(await follow()).toBe(0);
  });

  it("is followed by whoever makes everything anew, too", async () => {
    const item = await add("0-old");
    await point(item, { x: 1, y: 0 });
    expect(await reprocess(domain.deps, { selection: STALE, concurrency: 1 })).toMatchObject({ made: 1 });
    expect([(await find(item)).renderedAs, await follow()]).toEqual([RENDERING, 0]);
  });

  it("waits while the pixels or the store have no time for it, and is given up where the file is at fault", async () => {
    const item = await add(RENDERING);
    await point(item, { x: 1, y: 0 });
    const busy = {
      ...domain.deps.images,
      render: () => Promise.reject(new MediaError({ code: "OVERLOADED", retryAfterSeconds: 1 })),
    };
    expect(await follow({ ...domain.deps, images: busy })).toBe(0);
    expect((await find(item)).renderedAs).toBe(`${UNFOCUSED}${RENDERING}`);
    await domain.deps.objects.of("local").delete(item.storagePath);
    expect(await follow()).toBe(0);
    expect((await find(item)).renderedAs).toBeNull();
  });

  it("is followed by one process at a time, and not by one that stops", async () => {
    const item = await add(RENDERING);
    await point(item, { x: 1, y: 0 });
    expect(await followFocalPoints(domain.deps, AbortSignal.abort())).toBe(0);
    const met: unknown[] = [];
    const render: Deps["images"]["render"] = async (job) => {
      met.push(await follow());
      return domain.deps.images.render(job);
    };
    expect(await follow({ ...domain.deps, images: { ...domain.deps.images, render } })).toBe(1);
    expect(met).toEqual([null]);
  });
});
