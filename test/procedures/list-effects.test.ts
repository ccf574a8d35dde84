import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { AccountDeps } from "../../src/accounts/ports.js";
import type { Actor } from "../../src/media/actor.js";
import type { Deps, Entity } from "../../src/media/ports.js";
import { createCallerFor } from "../../src/procedures/in-process.js";
import type { Uploads } from "../../src/procedures/trpc.js";
import { createUrlSigner } from "../../src/security/url-signer.js";
import { openMigrated, type TestDatabase } from "../support/database.js";
import { DATABASES } from "../support/databases.js";
import { NOW, newEntity, newMedia, variant } from "../support/media-rows.js";

/** Has these parts; anything else asked of it is an error. */
const only = <T extends object>(parts: Partial<T>): T =>
  new Proxy(parts, {
    get(_, member) {
      if (member in parts) return Reflect.get(parts, member);
      throw new Error(`${String(member)} was asked for.`);
    },
  }) as T;

describe.each(DATABASES)("a list of a gallery on $name", ({ create }) => {
  const statements: string[] = [];
  let open: TestDatabase;
  let deps: Deps;
  let builder: Entity;

  beforeAll(async () => {
    open = await openMigrated(await create(), { logger: { logQuery: (sql: string) => void statements.push(sql) } });
    builder = await newEntity(open.database, "builder", { ownerId: "USR-OWNER" });
    // Longer than any secret must be.
    const signer = createUrlSigner("0123456789abcdef".repeat(4));
    const urls = { baseUrl: "http://localhost", s3PublicBaseUrl: null, cdnUrl: null };
    const clock = { now: () => NOW, pause: () => Promise.resolve() };
    deps = only<Deps>({ database: open.database, signer, urls, clock });
  });
  afterAll(() => open.close());
  beforeEach(() => void statements.splice(0));

  const add = (isPublic: boolean) =>
    open.database.media.insert(
      newMedia(builder, { isPublic, variants: [variant("small", 400), variant("large", 1600)] }),
    );
  const list = async (actor: Actor, cursor?: string) => {
    statements.splice(0);
    const { media } = createCallerFor(
      { deps, accounts: only<AccountDeps>({}), uploads: only<Uploads>({}), isDraining: () => false },
      actor,
    );
    return media.list({ type: "builder", id: builder.publicId, limit: 2, ...(cursor && { cursor }) });
  };
  const user = (id: string): Actor => ({ kind: "user", id, role: "user", verified: false });

  it.each([
    { items: 0, seen: 0 },
    { items: 1, seen: 1 },
    { items: 5, seen: 2 },
  ])(
    "of $items items is one statement beside those that find the entity and its ties, and asks no store",
    async ({ items, seen }) => {
      while ((await open.database.media.currentOfEntity(builder)).length < items) await add(true);
      const everyones = await list({ kind: "anonymous" });
      expect([everyones.items.length, everyones.total, statements.length]).toEqual([seen, items, 2]);
      const owners = await list(user("USR-OWNER"));
      expect([owners, statements.length]).toEqual([everyones, 3]);
      expect(everyones.items.every((item) => item.variants.map(({ width }) => width).join() === "1600,400")).toBe(true);
    },
  );

  it("counts what the caller may see alone", async () => {
    await add(false);
    const [strangers, owners] = [await list(user("USR-STRANGER")), await list(user("USR-OWNER"))];
    expect(owners.total - strangers.total).toBe(1);
  });

  it("says how many there are behind the last page too", async () => {
    const whole = await open.database.media.currentOfEntity(builder);
    const last = whole.at(-1);
    const behind = btoa(JSON.stringify([last?.sortOrder, last?.orderKey, last?.id]));
    const page = await list(user("USR-OWNER"), behind);
    expect(page).toEqual({ items: [], total: whole.length, nextCursor: null });
    expect(statements).toHaveLength(4);
  });
});
