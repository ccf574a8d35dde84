/**
 * What a HEIC upload takes over what its decoder alone takes, in CPU and alternately; and how long the event loop of
 * the server's own process is held while pictures are worked on beside it. The picture is a grid, as phones write them,
 * of one tile that `heif-enc` (Debian's libheif-examples) codes from noise like a photograph's.
 * `npm run bench:heic -- --rounds 5 --columns 4`: 12 megapixels are 4 x 4 tiles, 48 are 8 x 8.
 */
import { execFileSync } from "node:child_process";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import sharp from "sharp";
import { VARIANTS } from "../src/media/variants.js";
import { decodeHevc } from "../src/pipeline/hevc.js";
import { renderPicture } from "../src/pipeline/render.js";
import { createSharpPipeline } from "../src/pipeline/sharp-pipeline.js";
import { gridItem, heifFile, itemOf } from "../test/support/heif-file.js";
import { median, numbersFrom } from "./measure.js";

const { rounds, columns } = numbersFrom({ rounds: 5, columns: 4 });
const TILE = { width: 1008, height: 756 } as const;
const MAX_PIXELS = 100_000_000;
const PICTURES_BESIDE = 4;

/** Large soft shapes and fine grain. */
async function photograph(): Promise<Buffer> {
  const noise = (mean: number, sigma: number) => ({ type: "gaussian", mean, sigma }) as const;
  const create = { channels: 3, background: "#808080" } as const;
  const shapes = sharp({ create: { ...create, width: 42, height: 32, noise: noise(128, 60) } });
  const soft = await shapes.png().toBuffer();
  const grain = sharp({ create: { ...create, ...TILE, noise: noise(128, 12) } });
  const coarse = await sharp(soft).resize(TILE.width, TILE.height, { fit: "fill", kernel: "cubic" }).png().toBuffer();
  return sharp(await grain.png().toBuffer())
    .composite([{ input: coarse, blend: "overlay" }])
    .png()
    .toBuffer();
}

async function makePicture(folder: string): Promise<string> {
  const [source, tile, path] = ["tile.png", "tile.heic", "picture.heic"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await writeFile(source, await photograph());
  execFileSync("heif-enc", ["-q", "60", source, "-o", tile], { stdio: "ignore" });
  const size = { columns, rows: columns, width: TILE.width * columns, height: TILE.height * columns };
  const item = itemOf(await readFile(tile));
  const tiles = Array.from({ length: columns ** 2 }, (_, at) => at + 1);
  await writeFile(path, heifFile([gridItem(size, tiles), ...tiles.map(() => item)]));
  return path;
}

/** Milliseconds of CPU, in this process. */
async function cpuOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

async function measureCpu(path: string, folder: string): Promise<void> {
  sharp.concurrency(1);
  sharp.cache(false);
  const job = { path, outputFolder: folder, variants: VARIANTS, focalPoint: null, keepGps: true };
  const [whole, alone]: [number[], number[]] = [[], []];
  for (let round = -1; round < rounds; round++) {
    const [ofDecoder, ofAll] = [await cpuOf(() => decodeHevc(path)), await cpuOf(() => renderPicture(job, MAX_PIXELS))];
    if (round < 0) continue;
    alone.push(ofDecoder);
    whole.push(ofAll);
  }
  const ratio = median(whole.map((value, at) => value / (alone[at] ?? 1)));
  console.log(
    `whole ${median(whole).toFixed(0)} ms of CPU, decoder alone ${median(alone).toFixed(0)}; ratio ${ratio.toFixed(2)}`,
  );
}

/** The longest the loop was held, in milliseconds, while `work` ran. */
async function longestHold(work: () => Promise<unknown>): Promise<number> {
  const held = monitorEventLoopDelay({ resolution: 5 });
  held.enable();
  await work();
  held.disable();
  return held.max / 1e6 - 5;
}

async function measureHold(path: string, folder: string): Promise<void> {
  const pipeline = createSharpPipeline({
    processes: 2,
    queueLimits: { upload: 10, demand: 10 },
    pixelBudget: 2 * MAX_PIXELS,
    inspectTimeoutMs: 60_000,
    renderTimeoutMs: 600_000,
    maxPixels: MAX_PIXELS,
  });
  const started = performance.now();
  const busy = await longestHold(() =>
    Promise.all(
      Array.from({ length: PICTURES_BESIDE }, async () => {
        const outputFolder = await mkdtemp(join(folder, "out-"));
        await copyFile(path, join(outputFolder, "original"));
        const original = join(outputFolder, "original");
        await pipeline.render({ path: original, outputFolder, variants: VARIANTS, focalPoint: null, keepGps: false });
      }),
    ),
  );
  const idle = await longestHold(() => delay(performance.now() - started));
  await pipeline.close();
  console.log(
    `event loop held ${busy.toFixed(0)} ms at most beside ${PICTURES_BESIDE} pictures, ${idle.toFixed(0)} ms with nothing to do`,
  );
}

const folder = await mkdtemp(join(tmpdir(), "bench-heic-"));
try {
  const path = await makePicture(folder);
  const { width, height } = await sharp(path).metadata();
  console.log(`${width} x ${height}, ${((await readFile(path)).length / 2 ** 20).toFixed(1)} MiB`);
  await measureCpu(path, folder);
  await measureHold(path, folder);
} finally {
  await rm(folder, { recursive: true, force: true });
}
