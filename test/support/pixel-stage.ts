import { mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { FocalPoint } from "../../src/media/model.js";
import type { ImagePipeline, RenderedImage } from "../../src/media/ports.js";
import { VARIANTS } from "../../src/media/variants.js";
import { createSharpPipeline } from "../../src/pipeline/sharp-pipeline.js";
import { makeTemporaryFolder } from "./temporary-folder.js";

/** A pipeline of one process, and a folder for what it reads and writes. */
export type PixelStage = {
  pipeline: ImagePipeline;
  /** Where everything is kept until `close`. */
  folder: string;
  /** Keeps an upload and answers its path. */
  store(bytes: Uint8Array): Promise<string>;
  /** Renders the file at the path, which loses its position, to a folder of its own. */
  renderAt(path: string, focalPoint?: FocalPoint | null): Promise<RenderedImage>;
  close(): Promise<void>;
};

export async function openPixelStage(maxPixels: number): Promise<PixelStage> {
  const folder = await makeTemporaryFolder();
  const pipeline = createSharpPipeline({
    processes: 1,
    queueLimits: { upload: 50, demand: 50 },
    pixelBudget: 200_000_000,
    inspectTimeoutMs: 20_000,
    renderTimeoutMs: 20_000,
    maxPixels,
  });
  let files = 0;
  return {
    pipeline,
    folder: folder.path,
    async store(bytes) {
      const path = join(folder.path, `upload-${files++}`);
      await writeFile(path, bytes);
      return path;
    },
    async renderAt(path, focalPoint = null) {
      const outputFolder = await mkdtemp(join(folder.path, "out-"));
      return pipeline.render({ path, outputFolder, variants: VARIANTS, focalPoint, keepGps: false });
    },
    async close() {
      await pipeline.close();
      await folder.remove();
    },
  };
}
