import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { MediaOut } from "../../src/media/model.js";
import type { StorageUsage, UsageSum } from "../../src/media/usage.js";
import { scenery } from "../support/pictures.js";
import { SERVICE_TOKEN, startTestServer, type TestServer } from "../support/server.js";

type Trpc<T> = { result: { data: T } };
type Days = { days: { day: string; entityType: string; mediaType: string; items: number; bytes: number }[] };
type Scanned = { group: string; isTrashed: boolean } & UsageSum;

const DAY_MS = 86_400_000;

/** How a row's group is named, in SQL, for each breakdown. */
const GROUPS = {
  byEntityType: "entity_type",
  byField: "concat(entity_type, '.', entity_field)",
  byMediaType: "media_type",
  byStatus: "moderation_status",
  byUploader: "coalesce(uploaded_by, '@service')",
} as const;

describe("analytics", () => {
  let server: TestServer;
  let owner: string;
  let moderator: string;

  beforeAll(async () => {
    server = await startTestServer();
    owner = await server.user("USR-OWNER");
    moderator = await server.user("USR-MODERATOR", { role: "moderator" });
    await server.entity("builder", "BLD-1", { ownerId: "USR-OWNER" });
    await server.entity("post", "PST-1", { ownerId: "USR-OWNER" });
    const add = async (path: string, token: string, seed: number): Promise<MediaOut> => {
      const picture = await scenery(500, 400, seed).jpeg().toBuffer();
      const answer = await server.post(`/v1/media${path}`, token, [["file", [picture, `${seed}.jpg`]]]);
      expect(answer.status, JSON.stringify(answer.body)).toBe(201);
      return answer.body.media;
    };
    await add("/builders/BLD-1/portfolio", owner, 1);
    await add("/builders/BLD-1/portfolio", SERVICE_TOKEN, 2);
    await add("/builders/BLD-1/logo", owner, 3);
    await add("/builders/BLD-1/logo", owner, 4);
    await add("/posts/PST-1/media", owner, 5);
    const trashed = await add("/posts/PST-1/media", owner, 6);
    await server.call("DELETE", `/v1/media/${trashed.id}`, { token: owner });
  });
  afterAll(() => server.stop());

  const storage = async (query = "") =>
    (await server.call<StorageUsage>("GET", `/v1/media/analytics/storage${query}`, { token: moderator })).body;

  /** The same sums from the rows themselves. */
  async function scan(group: string, where = "1"): Promise<Scanned[]> {
    const rows = await server.tables.execute(`
      SELECT ${group} AS name, deleted_at IS NOT NULL AS trashed, count(*) AS items, sum(file_size) AS original,
        sum((SELECT count(*) FROM media_variants v WHERE v.media_id = media.id)) AS variants,
        sum((SELECT coalesce(sum(v.file_size), 0) FROM media_variants v WHERE v.media_id = media.id)) AS made
      FROM media WHERE ${where} GROUP BY 1, 2`);
    return rows.map((row) => ({
      group: row.name as string,
      isTrashed: Number(row.trashed) === 1,
      items: Number(row.items),
      originalBytes: Number(row.original),
      variants: Number(row.variants),
      variantBytes: Number(row.made),
      bytes: Number(row.original) + Number(row.made),
    }));
  }

  it.each(Object.entries(GROUPS))("says %s what a scan of the rows says", async (name, group) => {
    const usage = await storage();
    const scanned = (await scan(group)).filter((row) => !row.isTrashed);
    const expected = scanned.map(({ group: key, isTrashed: _, ...sum }) => ({ key, ...sum }));
    const shown = usage[name as keyof typeof GROUPS];
    expect(shown).toHaveLength(expected.length);
    expect(shown).toEqual(expect.arrayContaining(expected));
    expect(shown.map((row) => row.bytes)).toEqual(shown.map((row) => row.bytes).sort((a, b) => b - a));
  });

  it("counts variants, and the trash apart", async () => {
    const usage = await storage();
    const rows = (await scan("1")).sort((a, b) => Number(a.isTrashed) - Number(b.isTrashed));
    const [current, trash] = rows.map(({ group: _, isTrashed: __, ...sum }) => sum);
    expect([usage.current, usage.trash]).toEqual([current, trash]);
    expect(usage.total.bytes).toBe(usage.current.bytes + usage.trash.bytes);
    expect([usage.current.items, usage.trash.items]).toEqual([4, 2]);
    expect(usage.current.variants).toBe(4 * 2);
    const { stored } = await server.files();
    expect(stored).toHaveLength(usage.total.items + usage.total.variants);
  });

  it("takes one entity type alone", async () => {
    const usage = await storage("?entity_type=post");
    const [scanned] = (await scan("entity_type", "entity_type = 'post'")).filter((row) => !row.isTrashed);
    expect(usage.byEntityType).toEqual([{ key: "post", ...usage.current }]);
    expect(usage.current.bytes).toBe(scanned?.bytes);
    expect(usage.trash.items).toBe(1);
    const none = await storage("?entity_type=amenity");
    expect([none.total.items, none.byField]).toEqual([0, []]);
  });

  it("refuses an entity type that is none", async () => {
    const path = "/v1/media/analytics/storage?entity_type=spaceship";
    expect(await server.call("GET", path, { token: moderator })).toMatchObject({
      status: 400,
      body: { code: "VALIDATION" },
    });
  });

  it("counts uploads by day, those since thrown away included", async () => {
    const [today, tomorrow] = [0, 1].map((days) => new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10));
    const path = "/v1/media/analytics/uploads";
    const { days } = (await server.call<Days>("GET", path, { token: moderator })).body;
    const byType = (type: string) => days.filter((day) => day.entityType === type).reduce((n, day) => n + day.items, 0);
    expect([byType("builder"), byType("post")]).toEqual([4, 2]);
    const originals = (await scan("1")).reduce((sum, row) => sum + row.originalBytes, 0);
    expect(days.reduce((sum, day) => sum + day.bytes, 0)).toBe(originals);
    const daysOf = async (query: string) =>
      (await server.call<Days>("GET", `${path}${query}`, { token: moderator })).body.days;
    for (const query of ["?from=2020-01-01&to=2020-12-31", "?to=2020-12-31", `?from=${today}&to=2020-12-31`])
      expect(await daysOf(query), query).toEqual([]);
    for (const query of [`?from=2020-01-01&to=${tomorrow}`, "?from=2020-01-01", `?from=${days[0]?.day}&to=${tomorrow}`])
      expect(await daysOf(query), query).toEqual(days);
    for (const query of ["?from=yesterday", "?to=2026-02-30", `?from=${today}T00:00:00Z`])
      expect((await server.call("GET", `${path}${query}`, { token: moderator })).status, query).toBe(400);
  });

  it("counts the uploads of a day by entity type and media type, both ends of the range included", async () => {
    const insert = "INSERT INTO upload_days (day, entity_type, media_type, items, bytes) VALUES (?, ?, ?, ?, ?)";
    const rows = [
      { day: "2019-12-31", entityType: "post", mediaType: "IMAGE", items: 9, bytes: 90 },
      { day: "2020-01-01", entityType: "builder", mediaType: "IMAGE", items: 1, bytes: 10 },
      { day: "2020-01-01", entityType: "post", mediaType: "VIDEO", items: 2, bytes: 20 },
      { day: "2020-01-30", entityType: "builder", mediaType: "IMAGE", items: 3, bytes: 5_000_000_000 },
    ];
    for (const row of rows) await server.tables.execute(insert, Object.values(row));
    const daysOf = async (query: string) =>
      (await server.call<Days>("GET", `/v1/media/analytics/uploads${query}`, { token: moderator })).body.days;
    expect(await daysOf("?from=2020-01-01&to=2020-01-30")).toEqual(rows.slice(1));
    expect(await daysOf("?to=2020-01-30"), "thirty days").toEqual(rows.slice(1));
    expect(await daysOf("?to=2020-01-31"), "thirty days").toEqual(rows.slice(3));
    expect(await daysOf("?from=2020-01-02&to=2020-01-29")).toEqual([]);
    await server.tables.execute("DELETE FROM upload_days WHERE day < '2021'");
  });

  it("answers the same over tRPC", async () => {
    const query = async <T>(name: string, input: object) => {
      const path = `/trpc/analytics.${name}?input=${encodeURIComponent(JSON.stringify(input))}`;
      return (await server.call<Trpc<T>>("GET", path, { token: moderator })).body.result.data;
    };
    expect(await query("storage", {})).toEqual(await storage());
    expect(await query("storage", { entity_type: "post" })).toEqual(await storage("?entity_type=post"));
    const rest = await server.call<Days>("GET", "/v1/media/analytics/uploads", { token: moderator });
    expect(await query("uploadsOverTime", {})).toEqual(rest.body);
  });

  it("is for moderators, admins and services", async () => {
    const admin = await server.user("USR-ADMIN", { role: "admin" });
    for (const path of [
      "/v1/media/analytics/storage",
      "/v1/media/analytics/uploads",
      "/trpc/analytics.storage?input=%7B%7D",
      "/trpc/analytics.uploadsOverTime?input=%7B%7D",
    ]) {
      const statuses: number[] = [];
      for (const token of [undefined, owner, moderator, admin, SERVICE_TOKEN])
        statuses.push((await server.call("GET", path, { token })).status);
      expect(statuses, path).toEqual([401, 403, 200, 200, 200]);
    }
  });
});
