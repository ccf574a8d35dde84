import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Entity, MediaSearchQuery, NewMedia } from "../../src/media/ports.js";
import { type EmptyDatabase, openMigrated, type TestDatabase } from "../support/database.js";
import { LATER, newEntity, newMedia } from "../support/media-rows.js";
import { openTestTables, type TestTables } from "../support/test-tables.js";

/** A caption, what finds it, and what does not. */
const CASES: Readonly<Record<string, { caption: string; finds: readonly string[]; misses: readonly string[] }>> = {
  "words and their beginnings, in either case and any order": {
    caption: "The big House\non the lake.",
    finds: ["house", "HOUSE BIG", "ho", "lak hous", "lake, house!", "t b h o l", "house house", " big\t house "],
    misses: ["ouse", "houses", "bighouse", "the big house at", "house boat"],
  },
  "file names, at their seams too": {
    caption: "IMG_2043-kitchen.JPG livingRoom02.png DSC01234 S21Ultra",
    finds: [
      "img",
      "2043",
      "kit",
      "jpg",
      "IMG_2043",
      "kitchen.jpg",
      "room",
      "02",
      "livingroom",
      "room02",
      "01234",
      "ultra",
    ],
    misses: ["043", "itchen", "1234", "oom"],
  },
  "words that the database would leave out by itself": {
    caption: "a is to the in of www com über 7 x",
    finds: ["a", "is", "the", "to the", "www", "com", "7", "x", "of in"],
    misses: ["about", "i s", "77", "xx"],
  },
  "accents and letters that are written in several ways": {
    caption: "Schöne Größe, Łódź, København, Ærø, ﬁne ２０, naïve cafe\u0301",
    finds: [
      "schone",
      "SCHÖNE",
      "grosse",
      "GRÖSSE",
      "größe",
      "lodz",
      "ŁÓDŹ",
      "kobenhavn",
      "aero",
      "fine",
      "20",
      "café",
      "NAIVE",
    ],
    misses: ["schoene", "groesse", "ode"],
  },
  "the Turkish letters": {
    caption: "İstanbul ısıtma ILGAZ",
    finds: ["istanbul", "İSTANBUL", "ıstanbul", "ISITMA", "isitma", "ilgaz", "ılgaz"],
    misses: ["stanbul"],
  },
  "Greek and Cyrillic": {
    caption: "ΟΔΟΣ Αθήνα, Ёлка на площади",
    finds: ["οδος", "οδοσ", "αθηνα", "ΑΘΉΝΑ", "елка", "ЁЛК", "площад"],
    misses: ["θηνα", "лка"],
  },
  "scripts without spaces, wherever it stands": {
    caption: "東京都の庭 photo中文字 がくせい カーテン สวัสดี",
    finds: [
      "東京",
      "京都",
      "庭",
      "都",
      "の庭",
      "東京都の庭",
      "photo",
      "中文字",
      "文字",
      "字",
      "がく",
      "せい",
      "カーテン",
      "テン",
      "สวัส",
      "วัส",
    ],
    misses: ["文中", "京東", "かく", "庭園", "中庭"],
  },
  "scripts that spell their vowels beside the letters": {
    caption: "हिन्दी 한국어",
    finds: ["हिन्दी", "हिन्", "한국"],
    misses: ["हन्दी", "국어"],
  },
  "pictographs, however they are joined": {
    caption: "Home 🏡❤️ by 👨‍👩‍👧",
    finds: ["🏡", "❤", "❤️", "🏡❤", "👩", "👨‍👩‍👧", "home 🏡"],
    misses: ["🏠", "❤🏡", "👨👧"],
  },
  "what the databases take for operators, as nothing": {
    caption: "front door it's 100% a_b c\\d near-by",
    finds: [
      "+front +door",
      "front -door",
      '"door front"',
      "fro* doo*",
      "(front) <door >front ~door @front",
      "door^ {front}: [it] |s| a&b",
      "it's",
      "100%",
      "a_b",
      "c\\d",
      "front\u0000door",
      "front'; --",
      "near-by",
    ],
    misses: ["-front back", "front NOT door", "front OR back", "words:front", "fr%t", "fr_nt", "front @5", "d__r"],
  },
  "long words by their beginning": {
    caption: `${"x".repeat(200)} ${"ж".repeat(60)}`,
    finds: ["x".repeat(79), "x".repeat(80), "x".repeat(200), "ж".repeat(15), "ж".repeat(60)],
    misses: [`${"x".repeat(79)}y`, `${"ж".repeat(15)}з`],
  },
};

/** Finding by words and tags. Each test begins without items and ends without. */
export function mediaSearchContract(create: () => Promise<EmptyDatabase>): void {
  let open: TestDatabase;
  let tables: TestTables;
  let property: Entity;
  beforeAll(async () => {
    open = await openMigrated(await create());
    tables = openTestTables(open.url);
    property = await newEntity(open.database, "property");
  });
  afterAll(() => open.close());
  afterEach(async () => {
    for (const { id } of await media().storedItems({ afterId: 0, limit: 10_000 })) await media().remove(id);
    expect(await tables.execute("select * from media_search")).toEqual([]);
  });

  const media = () => open.database.media;
  const add = async (over: Partial<NewMedia> = {}) =>
    (await media().insert(newMedia(property, { originalFilename: "", ...over }))).id;
  const search = async (query: Partial<MediaSearchQuery>) => {
    const found = await media().search({ audience: { sees: "everything" }, limit: 100, beforeId: null, ...query });
    return found.map(({ id }) => id);
  };

  describe("finds", () => {
    it.each(Object.entries(CASES))("%s", async (_, { caption, finds, misses }) => {
      await add({ caption: "Quite other" });
      const id = await add({ caption });
      // A full page comes from the newest items alone, any other from the index: both say the same.
      for (const limit of [1, 100]) {
        for (const text of finds) expect(await search({ text, limit }), `${limit} ${text}`).toEqual([id]);
        for (const text of misses) expect(await search({ text, limit }), `${limit} ${text}`).toEqual([]);
      }
    });

    it("nothing by signs alone, which is not the same as no text", async () => {
      const id = await add({ caption: "%_+-*" });
      for (const text of [
        "%",
        "_",
        "*",
        "+",
        '"',
        "''",
        '"" ""',
        "-- ",
        "()",
        "@",
        "~",
        "\u0000",
        "\u200d",
        "\ud800",
        "",
      ])
        expect(await search({ text }), text).toEqual([]);
      expect(await search({ text: "*", tag: "x" })).toEqual([]);
      expect(await search({})).toEqual([id]);
    });

    it("by the first words of a query that is as long as a book, and soon", async () => {
      const words = Array.from({ length: 24 }, (_, n) => `word${String(n).padStart(2, "0")}`);
      const id = await add({ caption: words.join(" ") });
      await add({ caption: words.slice(1).join(" ") });
      expect(await search({ text: `${words.join(" ")} ${"more ".repeat(2_000)}` })).toEqual([id]);
      expect(await search({ text: "x".repeat(10_000) })).toEqual([]);
      expect(await search({ text: "東京".repeat(5_000) })).toEqual([]);
      expect(await search({ text: '+"(*'.repeat(2_500) })).toEqual([]);
    });

    it("by words of alt text, caption and original file name together, and of nothing else", async () => {
      const id = await add({ altText: "red", caption: "door", originalFilename: "IMG_1.JPG", filename: "photo-9.jpg" });
      for (const text of ["red", "door", "img 1", "red door jpg"]) expect(await search({ text }), text).toEqual([id]);
      for (const text of ["photo", "gallery"]) expect(await search({ text }), text).toEqual([]);
      expect(await add({ tags: ["red"], sourceUrl: "https://red.example" })).toBeGreaterThan(id);
      expect(await search({ text: "red" })).toEqual([id]);
    });

    it("a text as long as texts may be, of words that hardly repeat", async () => {
      const characters = Array.from({ length: 5_000 }, (_, n) => String.fromCodePoint(0x4e00 + ((n * 7_919) % 20_000)));
      const long = await add({ caption: characters.join(""), altText: "a1".repeat(250) });
      expect(await search({ text: characters.slice(4_990).join("") })).toEqual([long]);
      expect(await search({ text: "a1a1" })).toEqual([long]);
    });
  });

  describe("by tag", () => {
    it.each(["pool", "Tür & Tor, 100%", "a", "the", '"', "中".repeat(50), "pool* -house", "zwpool"])(
      "%j, whole",
      async (tag) => {
        const id = await add({ tags: ["other", tag], caption: "pool" });
        await add({ tags: [`${tag}s`, `s${tag}`, "POOL"], caption: tag });
        for (const limit of [1, 100]) expect(await search({ tag, limit })).toEqual([id]);
        expect(await search({ tag, text: "poo" })).toEqual([id]);
        expect(await search({ tag, text: "house" })).toEqual([]);
      },
    );

    it("not by its beginning, its case or its accents", async () => {
      await add({ tags: ["Größe"], caption: "Größe" });
      for (const tag of ["größe", "Grösse", "Grosse", "Größ", "G"]) expect(await search({ tag }), tag).toEqual([]);
    });
  });

  describe("stays true", () => {
    it("when texts and tags change, each for itself, and to nothing", async () => {
      const id = await add({ altText: "alpha", caption: "beta", tags: ["gamma"], originalFilename: "file.jpg" });
      const found = async () => {
        const queries = [{ text: "alpha" }, { text: "beta" }, { tag: "gamma" }, { text: "delta" }, { text: "file" }];
        return (await Promise.all(queries.map(search))).map((ids) => ids.length).join("");
      };
      expect(await found()).toBe("11101");
      await media().update(id, { caption: "delta" }, LATER);
      expect(await found()).toBe("10111");
      await media().update(id, { altText: null, caption: null }, LATER);
      expect(await found()).toBe("00101");
      await media().update(id, { tags: [], caption: "beta" }, LATER);
      expect(await found()).toBe("01001");
      await media().update(id, { isPublic: false, sortOrder: 9 }, LATER);
      expect(await found()).toBe("01001");
    });

    it("when items go to the trash, come back, and go for good", async () => {
      const [kept, item] = [await add({ caption: "door" }), await add({ caption: "door", tags: ["t"] })];
      await media().update(item, { deletedAt: LATER }, LATER);
      expect([await search({ text: "door" }), await search({ tag: "t" })]).toEqual([[kept], []]);
      await media().update(item, { caption: "window" }, LATER);
      await media().update(item, { deletedAt: null }, LATER);
      expect([await search({ text: "door" }), await search({ text: "window" })]).toEqual([[kept], [item]]);
      await media().remove(item);
      expect([await search({ text: "door" }), await search({ text: "window" })]).toEqual([[kept], []]);
    });

    it("when a transaction is undone", async () => {
      const id = await add({ caption: "door" });
      const undone = open.database.transact(async (stores) => {
        await stores.media.insert(newMedia(property, { caption: "window" }));
        await stores.media.update(id, { caption: "window" }, LATER);
        throw new RangeError("undo");
      });
      await expect(undone).rejects.toThrow(RangeError);
      expect([await search({ text: "door" }), await search({ text: "window" })]).toEqual([[id], []]);
    });
  });

  describe("page by page", () => {
    async function pagesOf(limit: number): Promise<number[]> {
      const paged: number[] = [];
      for (let page: number[] | null = null; page === null || page.length === limit; paged.push(...page))
        page = await search({ text: "doo", limit, beforeId: paged.at(-1) ?? null });
      return paged;
    }

    it("names every item found once, the newest first, also behind the items that are looked through first", async () => {
      const doors: number[] = [];
      for (let n = 0; n < 5; n++) {
        doors.unshift(await add({ caption: "door" }));
        await add({ caption: "window" });
      }
      // As if thousands had come in between.
      const id = await add({ caption: "door", tags: ["far"] });
      const late = id + 9_000;
      await tables.execute("update media set id = ? where id = ?", [late, id]);
      await tables.execute("update media_search set media_id = ? where media_id = ?", [late, id]);
      for (const limit of [1, 2, 6, 7]) expect(await pagesOf(limit), `pages of ${limit}`).toEqual([late, ...doors]);
      expect(await search({ text: "door", beforeId: doors[2] ?? 0 })).toEqual(doors.slice(3));
      expect(await search({ tag: "far" })).toEqual([late]);
    });
  });

  describe("items stored without words", () => {
    /** As a version that kept none left them. */
    async function forget(ids: readonly number[]): Promise<void> {
      for (const id of ids) await tables.execute("delete from media_search where media_id = ?", [id]);
    }
    const index = (afterId: number, limit = 2) => media().indexWords({ afterId, limit });

    it("are found once their words were made, page after page, and nothing is made twice", async () => {
      const ids: number[] = [];
      for (let n = 0; n < 5; n++) ids.push(await add({ caption: "Gärten", tags: ["t"] }));
      const [a, b, c, d, e] = ids;
      await media().update(b ?? 0, { deletedAt: LATER }, LATER);
      await forget([a, b, c, e].map((id) => id ?? 0));
      expect(await search({ text: "gart" })).toEqual([d]);
      const first = (a ?? 0) - 1;
      expect(await index(first)).toEqual({ lastId: b, indexed: 2 });
      expect(await search({ text: "gart" })).toEqual([d, a]);
      expect(await Promise.all([index(b ?? 0), index(b ?? 0)])).toContainEqual({ lastId: d, indexed: 1 });
      expect(await index(d ?? 0)).toEqual({ lastId: e, indexed: 1 });
      expect(await index(e ?? 0)).toBeNull();
      expect(await index(first, 99)).toEqual({ lastId: e, indexed: 0 });
      expect(await search({ text: "gart" })).toEqual([e, d, c, a]);
      expect(await search({ tag: "t" })).toEqual([e, d, c, a]);
      await media().update(b ?? 0, { deletedAt: null }, LATER);
      expect(await search({ text: "gart", tag: "t" })).toEqual([e, d, c, b, a]);
    });

    it("get words by any change of their texts, and can be removed without", async () => {
      const [changed, removed] = [await add({ caption: "old", tags: ["t"] }), await add({ caption: "old" })];
      await forget([changed, removed]);
      await media().update(changed, { altText: "new" }, LATER);
      await media().remove(removed);
      expect([await search({ text: "old new" }), await search({ tag: "t" })]).toEqual([[changed], [changed]]);
    });

    it("have the last words when they change while words are made", async () => {
      const ids: number[] = [];
      for (let n = 0; n < 20; n++) ids.push(await add({ caption: "old" }));
      await forget(ids);
      await Promise.all([
        index((ids[0] ?? 0) - 1, 99),
        ...ids.map((id) => media().update(id, { caption: "new" }, LATER)),
        index((ids[0] ?? 0) - 1, 99),
      ]);
      expect(await search({ text: "new" })).toEqual(ids.toReversed());
      expect(await search({ text: "old" })).toEqual([]);
    });
  });
}
