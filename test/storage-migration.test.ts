import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { MediaOut } from "../src/media/model.js";
import { runCli, startCli } from "./support/command-line.js";
import { scenery } from "./support/pictures.js";
import { createS3Bucket, type TestBucket } from "./support/s3.js";
import { startTestServer, type TestServer } from "./support/server.js";
import { openTestBucket, pathsBelow, type TestStore } from "./support/test-objects.js";

const ITEMS = 12;

describe("the command line", () => {
  it.each([
    ["no command", [], "Usage: cli"],
    ["a command it does not know", ["storage", "shuffle"], "Usage: cli"],
    ["a command that only begins like one", ["demonstration"], "Usage: cli"],
    ["a store that is missing", ["storage", "migrate", "--from", "local"], "--from and --to must be two of: local, s3"],
    ["the same store twice", ["storage", "migrate", "--from", "s3", "--to", "s3"], "--from and --to must be two of"],
    ["a word it does not know", ["storage", "migrate", "--all"], "Unknown option '--all'"],
    [
      "a number that is none",
      ["storage", "migrate", "--from", "local", "--to", "s3", "--concurrency", "0"],
      "--concurrency must be a whole number from 1 on",
    ],
  ])("refuses %s with its usage", async (_, words, said) => {
    const { code, output } = await runCli(words, { S3_BUCKET_NAME: "media" });
    expect([code, output]).toEqual([2, expect.stringContaining(said)]);
  });

  it.each([
    ["without a bucket", {}, "S3_BUCKET_NAME is required to move objects"],
    [
      "into the folder that a server empties",
      { STORAGE_TYPE: "s3", S3_BUCKET_NAME: "media", STORAGE_FALLBACK: "local" },
      "STORAGE_FALLBACK must be off to move objects to local: a server would move them back",
    ],
  ])("moves nothing %s", async (_, env, message) => {
    const { code, output } = await runCli(["storage", "migrate", "--from", "s3", "--to", "local"], env);
    expect([code, output]).toEqual([1, `Configuration: ${message}\n`]);
  });
});

describe("storage migrate", () => {
  let bucket: TestBucket;
  let inBucket: TestStore;
  let server: TestServer;
  let env: Record<string, string>;
  let before: Map<string, string>;

  beforeAll(async () => {
    bucket = await createS3Bucket();
    inBucket = openTestBucket(bucket.options);
    server = await startTestServer(async (settings) => {
      env = { ...settings, ...inBucket.env, STORAGE_TYPE: "local" };
      return env;
    });
    const owner = await server.user("USR-OWNER");
    await server.entity("builder", "BLD-1", { ownerId: "USR-OWNER" });
    for (let index = 0; index < ITEMS; index++) {
      const picture = await scenery(420 + index, 300, index)
        .jpeg()
        .toBuffer();
      await server.post("/v1/media/builders/BLD-1/portfolio", owner, [["file", [picture, "a.jpg"]]]);
    }
    before = await digests();
  });

  afterAll(async () => {
    await server.stop();
    inBucket.close();
    await bucket.remove();
  });

  const list = async () =>
    (await server.call<{ items: MediaOut[] }>("GET", "/v1/media/entity/builder/BLD-1?limit=100")).body.items;

  /** Every address of every item with what it answers. */
  async function digests(): Promise<Map<string, string>> {
    const urls = (await list()).flatMap((item) => [item.originalUrl, ...item.variants.map((variant) => variant.url)]);
    const answers = urls.map(async (url) => {
      const answer = await fetch(url);
      const digest = await crypto.subtle.digest("SHA-256", await answer.arrayBuffer());
      return [url, `${answer.status} ${Buffer.from(digest).toString("hex")}`] as const;
    });
    return new Map(await Promise.all(answers));
  }

  const stores = async () => new Set((await list()).map((item) => item.storageType));
  const filesInFolder = () => pathsBelow(`${server.folder}/files`);
  const migrate = (from: string, to: string) => ["storage", "migrate", "--from", from, "--to", to];

  it("goes on after a kill, and moves every byte to the bucket while the server serves them", async () => {
    const killed = startCli([...migrate("local", "s3"), "--concurrency", "1"], env);
    while ((await inBucket.keys()).length === 0) expect(killed.child.exitCode).toBeNull();
    killed.child.kill("SIGKILL");
    await killed.ended;
    expect([before.size, await digests()]).toEqual([ITEMS * 3, before]);
    const { code, output } = await runCli(migrate("local", "s3"), env);
    expect([code, output]).toEqual([0, expect.stringContaining("moved from local to s3")]);
    expect(await stores()).toEqual(new Set(["s3"]));
    expect(await filesInFolder()).toEqual([]);
    expect(await digests()).toEqual(before);
  });

  it("moves them back the same way", async () => {
    const { code } = await runCli(migrate("s3", "local"), env);
    expect([code, await stores(), await inBucket.keys()]).toEqual([0, new Set(["local"]), []]);
    expect(await digests()).toEqual(before);
  });

  it("names what it could not move and leaves it where it is", async () => {
    const [item] = await list();
    const key = decodeURIComponent(new URL(item?.thumbnailUrl as string).pathname.slice("/files/".length));
    await server.objects.remove(key);
    const { code, output } = await runCli(migrate("local", "s3"), env);
    expect([code, output]).toEqual([1, expect.stringContaining(`${item?.publicId}: `)]);
    expect((await list()).map((one) => [one.publicId, one.storageType])).toContainEqual([item?.publicId, "local"]);
    expect(await filesInFolder()).toHaveLength(item === undefined ? 0 : item.variants.length);
  });
});
