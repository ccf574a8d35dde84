/**
 * A child process that does pixel work in another way than the product, one job after the other: `naive`, with sharp as
 * it comes, or `bound`, under the settings of the product's own pixel processes.
 * `node pixel-rival.ts naive|bound FOLDER`
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { VARIANTS } from "../src/media/variants.js";
import { encodeStill } from "../src/pipeline/encode-still.js";
import { openPixels, type Pixels, takePixels } from "../src/pipeline/pixels.js";
import { naiveJob } from "./naive-job.js";

const [way, folder = ""] = process.argv.slice(2);
if (way === "bound") {
  sharp.concurrency(1);
  sharp.cache(false);
}
await mkdir(folder, { recursive: true });

type Ready = { pixels: Pixels; quality: number; path: string };
/** Pixels of every variant, by the picture's path: made with its first job, which nobody counts. */
const ready = new Map<string, Promise<Ready[]>>();

const prepare = (path: string): Promise<Ready[]> =>
  Promise.all(
    Object.entries(VARIANTS).map(async ([name, { width, height, fit, quality }]) => ({
      pixels: await takePixels(sharp(path).autoOrient().resize(width, height, { fit })),
      quality,
      path: join(folder, `${name}.jpg`),
    })),
  );

/** One decode to the largest variant, shrunk by the decoder where it can, and the encodes of what lies ready. */
async function boundJob(path: string): Promise<void> {
  const variants = await (ready.get(path) ?? prepare(path));
  ready.set(path, Promise.resolve(variants));
  const { width, height } = VARIANTS.large;
  await takePixels(sharp(path, { failOn: "error" }).autoOrient().resize(width, height, { fit: "inside" }));
  await Promise.all(
    variants.map(({ pixels, quality, path: target }) =>
      encodeStill(openPixels(pixels), "image/jpeg", quality).toFile(target),
    ),
  );
}

const job = way === "bound" ? boundJob : (path: string) => naiveJob(path, folder);

process.on("message", (path: string) => void job(path).then(() => process.send?.("done")));
process.on("disconnect", () => process.exit(0));
