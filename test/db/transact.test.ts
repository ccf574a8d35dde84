import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Stores } from "../../src/media/ports.js";
import { openMigrated, type TestDatabase } from "../support/database.js";
import { DATABASES } from "../support/databases.js";
import { NOW, newEntity, newMedia } from "../support/media-rows.js";

describe.each(DATABASES)("transact on $name", ({ name, create }) => {
  let open: TestDatabase;
  beforeAll(async () => {
    // All of 200 are to be served, however long the last of them waits.
    open = await openMigrated(await create(), { answerTimeoutMs: 120_000 });
  });
  afterAll(() => open.close());

  it("answers what the work answers, and keeps what it wrote", async () => {
    const { database } = open;
    const entity = await newEntity(database, "post");
    const made = await database.transact(({ media }) => media.insert(newMedia(entity)));
    expect(await database.media.find(made.id)).toEqual(made);
  });

  it("undoes everything when the work throws, and throws the same", async () => {
    const { database } = open;
    const entity = await newEntity(database, "post");
    const failure = new RangeError("mine");
    const work = async ({ media, entities, intents }: Stores) => {
      await media.insert(newMedia(entity, { publicId: "MED-undone" }));
      await entities.upsert({ type: "post", publicId: entity.publicId, name: "changed" }, NOW);
      await intents.open({ id: "undone", mediaPublicId: "MED-undone", storageType: "local", keys: ["a"] }, NOW);
      throw failure;
    };
    await expect(database.transact(work)).rejects.toBe(failure);
    expect(await database.media.find("MED-undone")).toBeUndefined();
    expect((await database.entities.find("post", entity.id))?.name).toBeNull();
    expect(await database.intents.close("undone")).toBe(false);
  });

  it("shows nobody else what is not committed", async () => {
    const { database } = open;
    const entity = await newEntity(database, "post");
    await database.transact(async ({ media }) => {
      const { id } = await media.insert(newMedia(entity));
      expect(await media.find(id)).toBeDefined();
      expect(await database.media.find(id)).toBeUndefined();
    });
  });

  it("goes on after a row was refused, and commits the rest", async () => {
    const { database } = open;
    const user = await newEntity(database, "user");
    const refused = { failure: { code: "CONFLICT" } };
    const avatar = { entityField: "avatar" } as const;
    await database.transact(async ({ media }) => {
      await media.insert(newMedia(user, avatar));
      await expect(media.insert(newMedia(user, avatar))).rejects.toMatchObject(refused);
      await media.insert(newMedia(user, { entityField: "cover" }));
    });
    expect(await database.media.currentOfEntity(user)).toHaveLength(2);
  });

  it("lets 200 at once all commit, one after the other where they meet", async () => {
    const { database } = open;
    const entity = await newEntity(database, "builder");
    await Promise.all(
      Array.from({ length: 200 }, () =>
        database.transact(async ({ entities, media }) => {
          await entities.lock(entity);
          const last = await media.lastPlace(entity, "gallery");
          await media.insert(newMedia(entity, { sortOrder: (last?.sortOrder ?? 0) + 1 }));
        }),
      ),
    );
    const places = (await database.media.current(entity, "gallery")).map((item) => item.sortOrder);
    expect(places).toEqual(Array.from({ length: 200 }, (_, n) => n + 1));
  }, 120_000);

  it("lets two that lock each other's entity both commit in the end", async () => {
    const { database } = open;
    const [a, b] = [await newEntity(database, "builder"), await newEntity(database, "builder")];
    const lockBoth = (first: typeof a, second: typeof a) =>
      database.transact(async ({ entities, media }) => {
        await entities.lock(first);
        await new Promise((resolve) => setTimeout(resolve, 50));
        await entities.lock(second);
        await media.insert(newMedia(first));
      });
    await Promise.all([lockBoth(a, b), lockBoth(b, a)]);
    for (const entity of [a, b]) expect(await database.media.current(entity, "gallery")).toHaveLength(1);
  });

  it("reads while another transaction is writing", async () => {
    const { database } = open;
    const entity = await newEntity(database, "builder");
    await database.transact(async ({ entities }) => {
      await entities.lock(entity);
      const { items } = await database.media.list({ entity, audience: { sees: "everything" }, limit: 1, after: null });
      expect(items).toEqual([]);
    });
  });

  it.runIf(name === "SQLite")("refuses a write past its own stores, which would wait for itself for ever", async () => {
    const { database } = open;
    const entity = await newEntity(database, "builder");
    const refused = database.transact(() => database.media.insert(newMedia(entity)));
    await expect(refused).rejects.toThrow("write through the stores");
    await expect(database.transact(() => database.transact(async () => 1))).rejects.toThrow("write through the stores");
    await expect(database.media.insert(newMedia(entity))).resolves.toBeDefined();
  });
});
