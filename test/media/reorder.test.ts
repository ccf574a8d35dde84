import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Actor } from "../../src/media/actor.js";
import { MediaError } from "../../src/media/errors.js";
import { placeAt, placeAtEnd, placeBeside } from "../../src/media/gallery-order.js";
import type { Media } from "../../src/media/model.js";
import type { Database, Deps, Entity, NewMedia } from "../../src/media/ports.js";
import { restoreMedia, trashMedia } from "../../src/media/remove.js";
import { type MoveTarget, moveMedia, reorderGallery } from "../../src/media/reorder.js";
import { createDomain, type Domain } from "../support/domain.js";
import { newEntity, newMedia } from "../support/media-rows.js";

const OWNER = "USR-1";

/** The gallery as a plain list: what every change must come to. */
function moved(letters: string, letter: string, side: "before" | "after", other: string): string {
  const rest = letters.replace(letter, "");
  const at = rest.indexOf(other) + (side === "after" ? 1 : 0);
  return rest.slice(0, at) + letter + rest.slice(at);
}

/** Numbers that look random and are the same in each run: a linear congruential generator, constants of C11's example. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * below);
  };
}

function shuffled(letters: string, random: (below: number) => number): string {
  const rest = Array.from(letters);
  return letters.replace(/./g, () => rest.splice(random(rest.length), 1).join(""));
}

const failureOf = (attempt: Promise<unknown>) =>
  attempt.then(
    () => "nothing failed",
    (error: unknown) => (error instanceof MediaError ? error.failure : error),
  );

describe("a place in a gallery", () => {
  it("is the first number in an empty gallery and the next one behind the last", () => {
    expect(placeAtEnd(null)).toEqual({ sortOrder: 0, orderKey: "a0" });
    expect(placeAtEnd({ sortOrder: 7, orderKey: "a3", id: 1 })).toEqual({ sortOrder: 8, orderKey: "a0" });
  });

  it("of a number that is taken lies behind the last that has it", () => {
    expect(placeAt(3, null)).toEqual({ sortOrder: 3, orderKey: "a0" });
    expect(placeAt(3, { sortOrder: 2, orderKey: "a8", id: 1 })).toEqual({ sortOrder: 3, orderKey: "a0" });
    expect(placeAt(3, { sortOrder: 3, orderKey: "a8", id: 1 })).toEqual({ sortOrder: 3, orderKey: "a9" });
  });

  it("beside another lies between it and its neighbour, bytewise", () => {
    const other = { sortOrder: 3, orderKey: "a1" };
    const after = placeBeside(other, { sortOrder: 3, orderKey: "a2" }, "after");
    expect(after?.sortOrder).toBe(3);
    expect(["a1", after?.orderKey ?? "", "a2"].sort()).toEqual(["a1", after?.orderKey, "a2"]);
    const before = placeBeside(other, { sortOrder: 3, orderKey: "Zz" }, "before");
    expect(["Zz", before?.orderKey ?? "", "a1"].sort()).toEqual(["Zz", before?.orderKey, "a1"]);
    expect(placeBeside(other, { sortOrder: 4, orderKey: "a0" }, "after")).toEqual({ sortOrder: 3, orderKey: "a2" });
    expect(placeBeside(other, null, "before")).toEqual({ sortOrder: 3, orderKey: "a0" });
  });

  it("there is none between two that share theirs, or where the key would grow past its column", () => {
    const other = { sortOrder: 3, orderKey: "a1" };
    expect(placeBeside(other, other, "after")).toBeNull();
    expect(placeBeside(other, other, "before")).toBeNull();
    const long = { sortOrder: 3, orderKey: `a1${"0".repeat(130)}1` };
    expect(placeBeside(other, long, "after")).toBeNull();
    expect(placeBeside(long, { sortOrder: 3, orderKey: "a2" }, "before")).not.toEqual(other);
  });
});

describe("the order of a gallery", () => {
  let domain: Domain;
  let database: Database;
  let builder: Entity;
  let owner: Actor;
  let gallery: Map<string, Media>;

  beforeAll(async () => {
    domain = await createDomain();
    database = domain.deps.database;
    owner = domain.user(OWNER);
  });
  beforeEach(async () => {
    builder = await newEntity(database, "builder", { ownerId: OWNER });
    gallery = await fill(builder, "abcdef");
  });
  afterAll(() => domain.close());

  async function fill(entity: Entity, letters: string, over: Partial<NewMedia> = {}): Promise<Map<string, Media>> {
    const items = new Map<string, Media>();
    for (const letter of letters) {
      const place = placeAtEnd(await database.media.lastPlace(entity, over.entityField ?? "gallery"));
      const row = newMedia(entity, { ...place, originalFilename: letter, ...over });
      items.set(letter, await database.media.insert(row));
    }
    return items;
  }

  const item = (letter: string): Media => {
    const media = gallery.get(letter);
    if (!media) throw new Error(`no item ${letter}`);
    return media;
  };
  const lettersOf = (items: readonly Media[]) => items.map((media) => media.originalFilename).join("");
  const order = async () => lettersOf(await database.media.current(builder, "gallery"));
  const reorder = (letters: string, deps: Pick<Deps, "database" | "clock"> = domain.deps) =>
    reorderGallery(deps, owner, {
      type: "builder",
      id: builder.id,
      field: "gallery",
      mediaIds: Array.from(letters).map((letter) => item(letter).id),
    });
  const move = (letter: string, side: "before" | "after", other: string, deps = domain.deps) =>
    moveMedia(deps, owner, item(letter).id, { [side]: item(other).id } as MoveTarget);

  it.each([
    ["a", "after", "b"],
    ["a", "before", "b"],
    ["c", "before", "a"],
    ["c", "after", "f"],
    ["f", "before", "a"],
    ["a", "after", "f"],
    ["d", "after", "c"],
    ["d", "before", "c"],
  ] as const)("moving %s right %s %s", async (letter, side, other) => {
    const answer = await move(letter, side, other);
    expect(await order()).toBe(moved("abcdef", letter, side, other));
    expect(answer).toEqual(await database.media.find(item(letter).id));
  });

  it("holds through moves and reorders in any sequence", async () => {
    const random = numbers(7);
    let expected = "abcdef";
    for (let step = 0; step < 200; step++) {
      const letter = expected.charAt(random(6));
      const other = expected.replace(letter, "").charAt(random(5));
      const side = random(2) === 0 ? "before" : "after";
      if (random(20) === 0) {
        expected = shuffled(expected, random);
        await reorder(expected);
      } else {
        expected = moved(expected, letter, side, other);
        await move(letter, side, other);
      }
      expect(await order(), `step ${step}: ${letter} ${side} ${other}`).toBe(expected);
    }
  });

  it.each(["before", "after"] as const)("is still right after 300 moves %s the same item", async (side) => {
    let expected = "abcdef";
    for (let step = 0; step < 300; step++) {
      const letter = "abdef".charAt(step % 5);
      expected = moved(expected, letter, side, "c");
      await move(letter, side, "c");
    }
    expect(await order()).toBe(expected);
  });

  it("a move writes one row and no other", async () => {
    domain.clock.time = new Date(domain.clock.time.getTime() + 1000);
    const before = await database.media.current(builder, "gallery");
    await move("e", "before", "b");
    const after = await database.media.current(builder, "gallery");
    const changed = after.filter(
      (media) => !before.some((old) => old.updatedAt.getTime() === media.updatedAt.getTime()),
    );
    expect(lettersOf(changed)).toBe("e");
    const others = (items: Media[]) => items.filter((media) => media.originalFilename !== "e");
    expect(others(after)).toEqual(others(before));
  });

  it("numbers a gallery anew where the place beside an item is taken twice", async () => {
    const place = { sortOrder: 5, orderKey: "a0" };
    await database.media.setPlaces(
      [...gallery.values()].map(({ id }) => ({ id, ...place })),
      domain.clock.now(),
    );
    await move("f", "after", "b");
    expect(await order()).toBe("abfcde");
    await move("c", "before", "a");
    expect(await order()).toBe("cabfde");
  });

  it("numbers a gallery anew where the key between two would grow too long", async () => {
    const narrow = [
      { id: item("b").id, sortOrder: 1, orderKey: "a1" },
      { id: item("c").id, sortOrder: 1, orderKey: `a1${"0".repeat(119)}1` },
    ];
    await database.media.setPlaces(narrow, domain.clock.now());
    expect(await order()).toBe("abcdef");
    await move("f", "after", "b");
    expect(await order()).toBe("abfcde");
    const keys = (await database.media.current(builder, "gallery")).map((media) => media.orderKey.length);
    expect(Math.max(...keys)).toBeLessThan(10);
  });

  it("is untouched by a refused move", async () => {
    const other = await newEntity(database, "builder", { ownerId: OWNER });
    const [foreign] = (await fill(other, "x")).values();
    const [cover] = (await fill(builder, "k", { entityField: "cover" })).values();
    const refs = [item("a").id, item("a").publicId, foreign?.id ?? 0, cover?.id ?? 0, 999_999, "MED-NONE"];
    for (const ref of refs)
      for (const target of [{ before: ref }, { after: ref }])
        expect(await failureOf(moveMedia(domain.deps, owner, item("a").id, target))).toMatchObject({
          code: "VALIDATION",
          issues: [{ path: Object.keys(target)[0] }],
        });
    expect(await order()).toBe("abcdef");
  });

  it("has no place beside an item in the trash", async () => {
    await trashMedia(domain.deps, owner, item("c").id);
    expect(await failureOf(move("a", "after", "c"))).toMatchObject({ code: "VALIDATION" });
    expect(await failureOf(move("c", "after", "a"))).toMatchObject({ code: "MEDIA_NOT_FOUND" });
    expect(await order()).toBe("abdef");
  });

  it("takes an item back from the trash to where it stood, whatever the others did", async () => {
    await trashMedia(domain.deps, owner, item("c").id);
    await restoreMedia(domain.deps, owner, item("c").id);
    expect(await order()).toBe("abcdef");
    await trashMedia(domain.deps, owner, item("b").id);
    await trashMedia(domain.deps, owner, item("c").id);
    await restoreMedia(domain.deps, owner, item("c").id);
    await restoreMedia(domain.deps, owner, item("b").id);
    expect(await order()).toBe("abcdef");
    await trashMedia(domain.deps, owner, item("b").id);
    await reorder("fedca");
    await restoreMedia(domain.deps, owner, item("b").id);
    expect(await order()).toBe("febdca");
  });

  it("need not name items whose bytes are lost; they keep to the end and out of the answer", async () => {
    await database.media.markMissing(item("b").id, domain.clock.now());
    expect(lettersOf(await reorder("fedca"))).toBe("fedca");
    expect(await order()).toBe("fedcab");
    expect(lettersOf(await reorder("bacdef"))).toBe("acdef");
    expect(await order()).toBe("bacdef");
  });

  it("refuses a reorder whole and names the place that is wrong", async () => {
    const other = await newEntity(database, "builder", { ownerId: OWNER });
    const [foreign] = (await fill(other, "x")).values();
    const attempt = (mediaIds: (number | string)[]) =>
      failureOf(reorderGallery(domain.deps, owner, { type: "builder", id: builder.id, field: "gallery", mediaIds }));
    const ids = Array.from("fedcba").map((letter) => item(letter).id);
    for (const [mediaIds, issue] of [
      [ids.slice(1), { path: "mediaIds", message: `leaves out ${item("f").publicId}` }],
      [[...ids, ids[0] ?? 0], { path: "mediaIds", message: "names an item more than once" }],
      [[...ids.slice(1), ids[1] ?? 0], { path: "mediaIds", message: "names an item more than once" }],
      [[...ids, foreign?.id ?? 0], { path: "mediaIds.6" }],
      [[], { path: "mediaIds" }],
    ] as const)
      expect(await attempt([...mediaIds])).toMatchObject({ code: "VALIDATION", issues: [issue] });
    expect(await order()).toBe("abcdef");
  });

  it("a hundred changes at once end as if they had come one after the other", async () => {
    const random = numbers(11);
    const serial: ((letters: string) => string)[] = [];
    /** Notes a change in the transaction that makes it: transactions that hold one lock end in the order of their notes. */
    const noting = (change: (letters: string) => string): Pick<Deps, "database" | "clock"> => ({
      clock: domain.clock,
      database: {
        ...database,
        transact: (work) =>
          database.transact(async (stores) => {
            const result = await work(stores);
            serial.push(change);
            return result;
          }),
      },
    });
    const changes = Array.from({ length: 100 }, async (_, n) => {
      const all = shuffled("abcdef", random);
      if (n % 4 === 0) {
        expect(
          lettersOf(
            await reorder(
              all,
              noting(() => all),
            ),
          ),
        ).toBe(all);
        return;
      }
      const [letter, other] = [all.charAt(0), all.charAt(1)];
      const side = n % 2 === 0 ? "before" : "after";
      const deps = noting((letters) => moved(letters, letter, side, other));
      await moveMedia(deps, owner, item(letter).id, { [side]: item(other).id } as MoveTarget);
    });
    await Promise.all(changes);
    expect(serial).toHaveLength(100);
    expect(await order()).toBe(serial.reduce((letters, change) => change(letters), "abcdef"));
  });
});
