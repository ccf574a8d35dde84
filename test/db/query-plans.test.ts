import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Entity } from "../../src/media/ports.js";
import { openMigrated, type TestDatabase } from "../support/database.js";
import { DATABASES } from "../support/databases.js";
import { createSqliteDatabase } from "../support/sqlite.js";
import { type Explainer, openExplainer, type Plan, type Statement } from "./explain.js";
import { fillLargely, ITEMS, momentOf } from "./large-database.js";
import { CALLS } from "./repository-calls.js";

type Explained = Plan & { sql: string };

const all = Object.entries(CALLS).flatMap(([port, methods]) =>
  Object.entries(methods).flatMap(([method, calls]) =>
    calls.map((call, n) => ({ ...call, name: `${port}.${method} ${n + 1}`, port })),
  ),
);

const SITUATIONS = [
  ...DATABASES.map((database) => ({ ...database, counted: true })),
  // Nobody tells SQLite to count, so in production it goes by what the indexes look like.
  { name: "SQLite, which never counted its rows", create: createSqliteDatabase, counted: false },
];

describe.each(SITUATIONS)("with a hundred thousand items on $name", ({ create, counted }) => {
  const statements: Statement[] = [];
  let open: TestDatabase;
  let explainer: Explainer;

  beforeAll(async () => {
    const logger = { logQuery: (sql: string, params: unknown[]) => void statements.push({ sql, params }) };
    open = await openMigrated(await create(), { logger });
    await fillLargely(open.url, { counted });
    explainer = await openExplainer(open.url);
  });
  afterAll(async () => {
    await explainer.close();
    await open.close();
  });
  beforeEach(() => void statements.splice(0));

  async function explained(): Promise<Explained[]> {
    const plans: Explained[] = [];
    for (const statement of statements.splice(0)) {
      const plan = await explainer.planOf(statement);
      if (plan) plans.push({ ...plan, sql: statement.sql });
    }
    return plans;
  }

  it("every method of every port is looked at", () => {
    const { database, users, sessions, tokens } = open;
    const { transact, ping, ...stores } = database;
    const ports = { ...stores, users, sessions, tokens };
    const methods = Object.entries(ports).map(([port, methods]) => [port, Object.keys(methods).sort()]);
    const known = Object.entries(CALLS).map(([port, methods]) => [port, Object.keys(methods).sort()]);
    expect(Object.fromEntries(known)).toEqual(Object.fromEntries(methods));
  });

  it.each(all)("$name uses its index, and neither walks nor sorts unless it says why", async (call) => {
    const { users, sessions, tokens } = open;
    const accounts = { users, sessions, tokens };
    await open.database.transact(async (stores) => {
      if (call.port in stores) await call.run({ ...stores, ...accounts });
    });
    if (call.port in accounts) await call.run({ ...open.database, ...accounts });
    expect(statements.length).toBeGreaterThan(0);
    const plans = await explained();
    for (const { sql, text, walked, sorts } of plans) {
      if (!call.walks) expect(walked, `${sql}\n${text}`).toEqual([]);
      if (!call.sorts) expect(sorts, `${sql}\n${text}`).toBe(false);
    }
    const texts = plans.map((plan) => plan.text).join("\n");
    for (const index of call.by ?? []) expect(texts).toMatch(new RegExp(index));
  });

  it("words that many items have are read from the newest down, without the index and without sorting", async () => {
    const query = { text: "view", audience: { sees: "everything" }, limit: 20, beforeId: null } as const;
    expect(await open.database.media.search(query)).toHaveLength(20);
    const plans = (await explained()).filter(({ sql }) => sql.includes("media_search"));
    expect(plans.map(({ sorts, walked }) => [sorts, walked])).toEqual([
      [false, []],
      [false, []],
    ]);
    expect(plans.map(({ text }) => text).join("\n")).not.toMatch(/fulltext|VIRTUAL/);
  });

  it("a search without words goes down the ids, without reading all and sorting then", async () => {
    await open.database.media.search({ audience: { sees: "everything" }, limit: 20, beforeId: null });
    const [found] = await explained();
    expect(found?.sql).toMatch(/order by .*id.* desc limit \?$/);
    expect(found?.sorts).toBe(false);
    // The ids of what is not in the trash are in order too.
    expect(found?.text).toMatch(/^(SCAN media$|media index PRIMARY |.*media_deleted_at_index)/);
  });

  it("a page is read with one statement, its variants and the count of all pages too, however many items it has", async () => {
    const { items, total } = await open.database.media.list({
      entity,
      audience: { sees: "everything" },
      limit: 60,
      after: null,
    });
    expect([items.length, total > 60, statements.length]).toEqual([60, true, 1]);
  });

  it("the objects of a page are read with two statements, however many items it has", async () => {
    expect(await open.database.media.storedItems({ afterId: 100, limit: 500 })).toHaveLength(500);
    expect(statements).toHaveLength(2);
  });

  it("the places of a gallery are set with one statement", async () => {
    const items = await open.database.media.current(entity, "gallery");
    statements.splice(0);
    await open.database.media.setPlaces(items, momentOf(ITEMS));
    expect(statements.map(({ sql }) => sql.slice(0, 6))).toEqual(["update"]);
  });

  it("all ties of a user to an entity are read with one statement", async () => {
    await open.database.entities.ties(entity, "USR-7", momentOf(0));
    expect(statements).toHaveLength(1);
  });
});

const entity = { id: 50, type: "property", publicId: "E-197" } as Entity;
