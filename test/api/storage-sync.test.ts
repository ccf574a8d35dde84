import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { MediaOut } from "../../src/media/model.js";
import type { StorageSync } from "../../src/media/storage-health.js";
import { scenery } from "../support/pictures.js";
import { SERVICE_TOKEN, startTestServer, type TestServer } from "../support/server.js";

type Repaired = { dryRun: boolean; checked: number; marked: number[]; quarantined: string[]; removed: string[] };
type Trpc<T> = { result: { data: T } };

describe("storage-sync", () => {
  let server: TestServer;
  let admin: string;
  let moderator: string;
  let owner: string;
  let media: MediaOut;

  beforeEach(async () => {
    server = await startTestServer({ SYNC_CONFIRM_MINUTES: "0", SYNC_GRACE_MINUTES: "0" });
    owner = await server.user("USR-OWNER");
    admin = await server.user("USR-ADMIN", { role: "admin" });
    moderator = await server.user("USR-MODERATOR", { role: "moderator" });
    await server.entity("builder", "BLD-1", { ownerId: "USR-OWNER" });
    const picture = await scenery(200, 160).jpeg().toBuffer();
    const answer = await server.post("/v1/media/builders/BLD-1/portfolio", owner, [["file", [picture, "a.jpg"]]]);
    media = answer.body.media;
  });
  afterEach(() => server.stop());

  const health = async (token = moderator) =>
    (await server.call<StorageSync>("GET", "/v1/media/health/storage-sync", { token })).body;
  const repair = async (body: unknown = {}, token: string | undefined = admin) =>
    server.call<Repaired>("POST", "/v1/media/health/repair", { token, body });
  const keyOf = (url: string) => new URL(url).pathname.slice("/files/".length);

  it("answers before the first run, and says that there was none", async () => {
    const bytes = media.fileSize + media.variants.reduce((sum, variant) => sum + variant.fileSize, 0);
    expect(await health()).toEqual({
      status: "healthy",
      totals: { items: 1, bytes },
      checked: 0,
      unknown: 0,
      missing: 0,
      orphaned: 0,
      pendingDeletions: 0,
      lastRunAt: null,
    });
  });

  it("is healthy after a run that found nothing, also over tRPC", async () => {
    expect((await repair({ dryRun: false })).body).toMatchObject({ dryRun: false, marked: [], quarantined: [] });
    const sync = await health();
    expect(sync).toMatchObject({ status: "healthy", missing: 0, orphaned: 0, unknown: 0 });
    expect(sync.checked).toBe(2 * (1 + media.variants.length));
    expect(Date.parse(sync.lastRunAt ?? "")).toBeGreaterThan(Date.now() - 60_000);
    const trpc = await server.call<Trpc<StorageSync>>("GET", "/trpc/health.storageSync", { token: moderator });
    expect(trpc.body.result.data).toEqual(sync);
  });

  it("is critical where a share of all objects is lost, and well again when they are back", async () => {
    const key = keyOf(media.originalUrl);
    const bytes = await server.objects.read(key);
    await server.objects.remove(key);
    expect((await repair({ dryRun: false })).body.marked).toEqual([media.id]);
    expect(await health()).toMatchObject({ status: "critical", missing: 1 });
    const list = () => server.call<{ total: number }>("GET", "/v1/media/entity/builder/BLD-1");
    expect((await list()).body.total).toBe(0);
    await server.objects.write(key, bytes);
    await repair({ dryRun: false });
    expect(await health()).toMatchObject({ status: "healthy", missing: 0 });
    expect((await list()).body.total).toBe(1);
  });

  it("is degraded where an object belongs to nobody", async () => {
    const stray = keyOf(media.originalUrl).replace(/-[a-z0-9]+\.jpg$/, "-0123456789abcdef.jpg");
    await server.objects.write(stray, Buffer.from("stray"));
    expect((await repair({ dryRun: false })).body.quarantined).toEqual([stray]);
    expect(await health()).toMatchObject({ status: "degraded", orphaned: 1 });
  });

  it("repairs nothing unless it is told to", async () => {
    await server.objects.remove(keyOf(media.originalUrl));
    for (const body of [{}, { dryRun: true }]) {
      const { status, body: answer } = await repair(body);
      expect([status, answer.dryRun]).toEqual([200, true]);
    }
    expect(await health()).toMatchObject({ status: "healthy", missing: 0, lastRunAt: null });
  });

  it("is shown to moderators and admins, and repaired by admins and services", async () => {
    const shown = async (token?: string) =>
      (await server.call("GET", "/v1/media/health/storage-sync", { token })).status;
    const repaired = async (token?: string) =>
      (await server.call("POST", "/v1/media/health/repair", { token, body: {} })).status;
    const all = [undefined, owner, moderator, admin, SERVICE_TOKEN];
    const statuses = async (ask: (token?: string) => Promise<number>) => {
      const seen: number[] = [];
      for (const token of all) seen.push(await ask(token));
      return seen;
    };
    expect(await statuses(shown)).toEqual([401, 403, 200, 200, 200]);
    expect(await statuses(repaired)).toEqual([401, 403, 403, 200, 200]);
  });
});
