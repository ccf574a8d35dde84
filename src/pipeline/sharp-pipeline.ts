import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import type { ImagePipeline, Logger } from "../media/ports.js";
import { DECODABLE_TYPES } from "./decodable-types.js";
import { derivedPath, derivedSchema, imageHeaderSchema, renderedImageSchema, variantPath } from "./pixel-messages.js";
import type { Priority } from "./pixel-queue.js";
import { createProcessPool } from "./process-pool.js";

export type SharpPipelineOptions = {
  /** Child processes that do the pixel work; as many as cores by default. */
  processes?: number | undefined;
  /** Pictures that may wait for a process before OVERLOADED, by who waits. */
  queueLimits: Readonly<Record<Priority, number>>;
  /** Pixels held decoded at once by all processes together; a picture that alone has more is worked on alone. */
  pixelBudget: number;
  inspectTimeoutMs: number;
  renderTimeoutMs: number;
  /** Frames times pixels of one frame; more is TOO_MANY_PIXELS in `render`. `inspect` sets no limit. */
  maxPixels: number;
  /** Most memory one of the processes may hold; without it there is no limit. Bytes. */
  maxProcessBytes?: number | undefined;
  log?: Logger | undefined;
};

/**
 * JPEG, PNG, WebP, GIF, TIFF and AVIF through sharp, HEIC and BMP through decoders of their own, each picture in a child
 * process that a deadline kills. Rejects with UNSUPPORTED_TYPE for every other type.
 */
export function createSharpPipeline(options: SharpPipelineOptions): ImagePipeline {
  const { queueLimits, pixelBudget, inspectTimeoutMs, renderTimeoutMs, maxPixels, maxProcessBytes, log } = options;
  const processes = Math.max(1, options.processes ?? availableParallelism());
  const pool = createProcessPool({ processes, queueLimits, pixelBudget, maxProcessBytes, log });
  return {
    contentTypes: DECODABLE_TYPES,
    inspect: (path, contentType) =>
      pool.run({ kind: "inspect", path: resolve(path), contentType }, imageHeaderSchema, {
        timeoutMs: inspectTimeoutMs,
        cost: 0,
        priority: "upload",
      }),
    async render(job) {
      const outputFolder = resolve(job.outputFolder);
      const request = { kind: "render", job: { ...job, path: resolve(job.path), outputFolder }, maxPixels } as const;
      const image = await pool.run(request, renderedImageSchema, {
        timeoutMs: renderTimeoutMs,
        cost: job.heldPixels ?? maxPixels,
        priority: job.priority ?? "upload",
      });
      const variants = image.variants.map((variant) => ({ ...variant, path: variantPath(outputFolder, variant) }));
      return { ...image, variants };
    },
    async derive(job) {
      const absolute = { ...job, path: resolve(job.path), outputFolder: resolve(job.outputFolder) };
      const request = { kind: "derive", job: absolute, maxPixels } as const;
      const terms = { timeoutMs: renderTimeoutMs, cost: job.heldPixels, priority: "demand" } as const;
      await pool.run(request, derivedSchema, terms);
      return derivedPath(absolute);
    },
    close: () => pool.close(),
  };
}
