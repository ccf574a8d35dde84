/**
 * A thousand items move from the folder to the bucket and back, by the command line and beside a server that serves
 * them, which is killed on the way at moments that the seed decides. Afterwards every address answers what it did.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import pLimit from "p-limit";
import type { MediaOut } from "../../src/media/model.js";
import { createRandom } from "../support/seeded-random.js";
import { createApi } from "../support/server.js";
import { pathsBelow } from "../support/test-objects.js";
import { createReport, renderReport } from "./report.js";
import { startServerUnderFire } from "./server-under-fire.js";
import { makeGalleries, makePictures } from "./work.js";

const CLI = fileURLToPath(new URL("../../dist/src/cli.js", import.meta.url));
const CONCURRENCY = 8;
/** Kills on the way there, and on the way back. */
const KILLS = { s3: 2, local: 1 } as const;
const POLL_MS = 20;

const { values: options } = parseArgs({ options: { seed: { type: "string" }, items: { type: "string" } } });
const seed = Number(options.seed ?? Math.floor(Math.random() * 1_000_000));
const items = Number(options.items ?? 1_000);
if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(items) || items < 10)
  throw new TypeError("--seed and --items take whole numbers, the latter from 10 on");

const print = (text: string): void => void process.stdout.write(`${text}\n`);
const report = createReport();
const random = createRandom(seed);
const started = performance.now();
print(`seed ${seed}, ${items} items`);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

const server = await startServerUnderFire({ STORAGE_TYPE: "local" });
const api = createApi(server.baseUrl);
try {
  const galleries = await makeGalleries(api);
  await uploadItems(galleries);
  const before = await readEverything(galleries);
  await migrate("local", "s3");
  await compare("in the bucket", before, galleries);
  await migrate("s3", "local");
  await compare("back in the folder", before, galleries);
} finally {
  await server.stop();
}
report.count("seconds", Math.round((performance.now() - started) / 1000));
print(renderReport(report));
process.exit(report.violations.length > 0 ? 1 : 0);

type Galleries = Awaited<ReturnType<typeof makeGalleries>>;

async function uploadItems({ ids, owner }: Galleries): Promise<void> {
  const pictures = await makePictures();
  const limit = pLimit(CONCURRENCY);
  const uploads = Array.from({ length: items }, (_, number) =>
    limit(async () => {
      const { bytes } = pictures[number % pictures.length] as (typeof pictures)[number];
      const path = `/v1/media/builders/${ids[number % ids.length]}/portfolio`;
      const { status } = await api.post(path, owner, [["file", [bytes, `${number}.jpg`]]]);
      if (status !== 201) report.violation(`the upload of ${number} answered ${status}`);
    }),
  );
  await Promise.all(uploads);
  report.count("items", items);
}

/** Digests of everything that is shown, by address. */
async function readEverything(galleries: Galleries): Promise<Map<string, string>> {
  const shown = await listItems(galleries);
  const urls = shown.flatMap((item) => [item.originalUrl, ...item.variants.map((variant) => variant.url)]);
  const limit = pLimit(CONCURRENCY);
  const digests = urls.map((url) => limit(async () => [url, await digestOf(url)] as const));
  return new Map(await Promise.all(digests));
}

async function digestOf(url: string): Promise<string> {
  const answer = await fetch(url);
  const digest = createHash("sha256").update(new Uint8Array(await answer.arrayBuffer()));
  return `${answer.status} ${digest.digest("hex")}`;
}

async function listItems({ ids, owner }: Galleries): Promise<MediaOut[]> {
  const found: MediaOut[] = [];
  for (const id of ids) {
    let cursor: string | null = "";
    while (cursor !== null) {
      const path = `/v1/media/entity/builder/${id}?limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`;
      const page: { items: MediaOut[]; nextCursor: string | null } = (
        await api.call<{ items: MediaOut[]; nextCursor: string | null }>("GET", path, { token: owner })
      ).body;
      found.push(...page.items);
      cursor = page.nextCursor;
    }
  }
  return found;
}

/** Kills the command each time another part of the items has moved, and runs it to its end at last. */
async function migrate(from: "local" | "s3", to: "s3" | "local"): Promise<void> {
  for (let kill = 0; kill < KILLS[to]; kill++) {
    const { child, ended } = startCli(from, to);
    const target = Math.ceil((items * (kill + 0.1 + 0.8 * random())) / KILLS[to]);
    while ((await countIn(to)) < target && child.exitCode === null) await sleep(POLL_MS);
    child.kill("SIGKILL");
    await ended;
    const signal = child.signalCode;
    if (signal !== "SIGKILL") report.violation(`the command ended before it could be killed, with ${child.exitCode}`);
    report.count("kills");
    print(`killed with ${await countIn(to)} of ${items} items in ${to}`);
  }
  const { child, ended } = startCli(from, to);
  print(await ended);
  if (child.exitCode !== 0) report.violation(`the command ended with ${child.exitCode}`);
}

function startCli(from: string, to: string) {
  const env = { PATH: process.env.PATH, ...server.env };
  const child = spawn(process.execPath, [CLI, "storage", "migrate", "--from", from, "--to", to], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  return { child, ended: once(child, "close").then(() => output) };
}

async function countIn(store: string): Promise<number> {
  const [row] = await server.tables.execute("SELECT count(*) AS items FROM media WHERE storage_type = ?", [store]);
  return Number(row?.items);
}

/** Every address answers what it did, and each store holds what the rows say it does and no more. */
async function compare(where: string, before: ReadonlyMap<string, string>, galleries: Galleries): Promise<void> {
  const now = await readEverything(galleries);
  if (now.size !== before.size) report.violation(`${where} ${now.size} addresses are shown, not ${before.size}`);
  for (const [url, digest] of before) if (now.get(url) !== digest) report.violation(`${where} ${url} is another`);
  const inBucket = (await server.objects.keys()).length;
  // What a kill leaves of a put under way is swept after a day.
  const paths = await pathsBelow(`${server.env.DATA_DIR}/files`);
  const inFolder = paths.filter((path) => !path.startsWith(".tmp/")).length;
  report.count(`temporary files left by kills, ${where}`, paths.length - inFolder);
  report.count(`objects compared ${where}`, now.size);
  const expected = where === "in the bucket" ? [before.size, 0] : [0, before.size];
  if (inBucket !== expected[0] || inFolder !== expected[1])
    report.violation(`${where} the bucket holds ${inBucket} objects and the folder ${inFolder}`);
  const waiting = await server.tables.execute("SELECT * FROM object_deletions");
  if (waiting.length > 0) report.violation(`${where} ${waiting.length} objects wait for their removal`);
}
