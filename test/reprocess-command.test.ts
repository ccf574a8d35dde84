import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UsageError } from "../src/command-words.js";
import { loadConfig } from "../src/config.js";
import type { MediaOut } from "../src/media/model.js";
import { RENDERING } from "../src/media/rendering.js";
import { sweepAbandonedUploads } from "../src/media/sweep.js";
import { reprocessVariants } from "../src/reprocess-command.js";
import { runCli, startCli } from "./support/command-line.js";
import { scenery } from "./support/pictures.js";
import { startTestServer, type TestServer } from "./support/server.js";

const ITEMS = 6;
const VARIANTS_EACH = 2;

describe("the words of reprocess", () => {
  it.each([
    ["two ways to choose", ["--all", "--id", "MED-1"], "--stale, --all and --id exclude each other"],
    ["a type that is none", ["--type", "castle"], "--type must be one of: user, "],
    ["a type twice", ["--type", "post", "--entity", "post/1"], "--entity names a type already"],
    ["a time that is none", ["--from", "yesterday"], "--from must be an ISO 8601 date or time"],
    ["too many at once", ["--concurrency", "51"], "--concurrency must be a whole number from 1 to 50"],
    ["a word it does not know", ["--everything"], "Unknown option '--everything'"],
  ])("refuse %s", async (_, words, said) => {
    const refused = reprocessVariants(loadConfig({}), words);
    await expect(refused).rejects.toThrow(said);
    await expect(refused).rejects.toBeInstanceOf(UsageError);
  });
});

describe("reprocess", () => {
  let server: TestServer;
  let env: Record<string, string>;

  beforeAll(async () => {
    server = await startTestServer(async (settings) => {
      env = settings;
      return {};
    });
    const owner = await server.user("USR-OWNER");
    await server.entity("builder", "BLD-1", { ownerId: "USR-OWNER" });
    for (let index = 0; index < ITEMS; index++) {
      const picture = await scenery(700 + index, 500, index)
        .jpeg()
        .toBuffer();
      await server.post("/v1/media/builders/BLD-1/portfolio", owner, [["file", [picture, "a.jpg"]]]);
    }
  });
  afterAll(() => server.stop());

  const list = async () =>
    (await server.call<{ items: MediaOut[] }>("GET", "/v1/media/entity/builder/BLD-1?limit=100")).body.items;
  const media = () => server.deps.database.media;
  const urlsOf = (items: readonly MediaOut[]) => items.flatMap((item) => item.variants.map(({ url }) => url));
  const statuses = async (urls: readonly string[]) =>
    new Set(await Promise.all(urls.map(async (url) => (await fetch(url, { method: "HEAD" })).status)));

  /** As another version left them: of one item a variant is not there at all. */
  async function makeStale(): Promise<void> {
    for (const [at, { id }] of (await media().storedItems({ afterId: 0, limit: 99 })).entries()) {
      const item = await media().find(id);
      const variants = at === 0 ? item?.variants.slice(1) : item?.variants;
      if (item && variants) await media().replaceVariants(item, { variants, renderedAs: "0-old" }, new Date());
    }
  }

  it("refuses an entity that is not there", async () => {
    const { code, output } = await runCli(["reprocess", "--entity", "builder/BLD-404"], env);
    expect([code, output]).toEqual([2, expect.stringContaining("--entity: there is no builder/BLD-404")]);
  });

  it("says what is stale and changes nothing", async () => {
    await makeStale();
    const before = await list();
    const { code, stdout } = await runCli(["reprocess", "--dry-run", "--json"], env);
    const said = JSON.parse(stdout) as Record<string, unknown>;
    expect([code, said.rendering, said.total, await list()]).toEqual([0, RENDERING, ITEMS, before]);
    expect(said.items).toHaveLength(ITEMS);
    const none = await runCli(["reprocess", "--dry-run", "--entity", "builder/BLD-1", "--to", "2020-01-01"], env);
    expect([none.code, none.stdout]).toEqual([0, `0 items to make anew, as ${RENDERING}.\n`]);
  });

  it("goes on after a kill: everything is there, nothing is left over, and old addresses still answer", async () => {
    const before = await list();
    const killed = startCli(["reprocess", "--concurrency", "1"], env);
    while ((await media().countRendered({ renderedAs: "0-old" })) === ITEMS) expect(killed.child.exitCode).toBeNull();
    killed.child.kill("SIGKILL");
    await killed.ended;
    expect(await statuses(urlsOf(await list()))).toEqual(new Set([200]));
    const { code, output } = await runCli(["reprocess"], env);
    expect([code, output]).toEqual([0, expect.stringContaining("made anew")]);
    const now = await list();
    expect(now.map(({ variants }) => variants.length)).toEqual(Array(ITEMS).fill(VARIANTS_EACH));
    expect(await media().renderings()).toEqual([RENDERING]);
    expect(await statuses([...urlsOf(now), ...urlsOf(before)])).toEqual(new Set([200]));
    await sweepAbandonedUploads(server.deps);
    // The one that had lost its place in the row before is the one that nothing names.
    const retired = await server.deps.database.deletions.size();
    expect((await server.objects.keys()).length - 1).toBe(ITEMS * (1 + VARIANTS_EACH) + retired);
  });

  it("makes named items anew whether they are stale or not, and tells which names are none", async () => {
    const [item] = await list();
    const { code, stdout } = await runCli(
      ["reprocess", "--id", item?.publicId ?? "", "--id", "MED-404", "--json"],
      env,
    );
    expect([code, JSON.parse(stdout)]).toEqual([
      1,
      expect.objectContaining({ made: 1, failed: [{ publicId: "MED-404", reason: "There is no such picture." }] }),
    ]);
    expect(urlsOf(await list()).filter((url) => urlsOf([item as MediaOut]).includes(url))).toEqual([]);
  });

  it("names what it could not make anew, and leaves it as it is", async () => {
    await makeStale();
    const [item] = await list();
    await server.objects.remove(decodeURIComponent(new URL(item?.originalUrl ?? "").pathname.slice("/files/".length)));
    const { code, output } = await runCli(["reprocess"], env);
    expect([code, output]).toEqual([1, expect.stringContaining(`${item?.publicId}: `)]);
    expect(await media().countRendered({ renderedAs: "0-old" })).toBe(1);
    expect(await statuses(urlsOf(await list()))).toEqual(new Set([200]));
  });
});
