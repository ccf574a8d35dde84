/**
 * Entry of a pixel process: does one request after the other and answers each. A crash or a hang of a codec here costs
 * its own upload and nothing else. The server starts, times and ends these processes; see `process-pool.ts`.
 */
import sharp from "sharp";
import { MediaError } from "../media/errors.js";
import { derivePicture } from "./derive.js";
import { inspectPicture } from "./picture-header.js";
import { type PixelFailure, type PixelReply, type PixelRequest, READY } from "./pixel-messages.js";
import { renderPicture } from "./render.js";

/** Everything else libvips could open (SVG, PDF, its own format …) is refused before a byte of it is parsed. */
const LOADERS = ["Jpeg", "Png", "Webp", "Nsgif", "Tiff", "Heif"].map((format) => `VipsForeignLoad${format}`);

// There are as many processes as cores: threads inside one would only take turns with the other processes.
sharp.concurrency(1);
// No operation is ever asked for twice, and a cached file handle would outlive the upload.
sharp.cache(false);
sharp.block({ operation: ["VipsForeignLoad"] });
sharp.unblock({ operation: LOADERS });

// A terminal or a supervisor signals the whole group; the server still finishes what is running, and then ends this.
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => undefined);
// The server is gone. An ordinary exit would wait for a codec that may never return.
process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));

process.on("message", (request: PixelRequest) => {
  void answer(request).then((reply) => process.send?.(reply));
});
// Where the server went while this was loading, nothing keeps this process either.
if (process.connected) process.send?.(READY);

async function answer(request: PixelRequest): Promise<PixelReply> {
  try {
    return { ok: true, value: await work(request) };
  } catch (error) {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { ok: false, failure: failureOf(error), detail };
  }
}

function work(request: PixelRequest): Promise<unknown> {
  switch (request.kind) {
    case "inspect":
      return inspectPicture(request.path, request.contentType);
    case "render":
      return renderPicture(request.job, request.maxPixels);
    case "derive":
      return derivePicture(request.job, request.maxPixels);
  }
}

function failureOf(error: unknown): PixelFailure {
  const failure = error instanceof MediaError ? error.failure : null;
  switch (failure?.code) {
    case "CORRUPT_FILE":
    case "TOO_MANY_PIXELS":
      return failure;
    case "UNSUPPORTED_TYPE":
      return { ...failure, detected: failure.detected ?? "", accepted: [...failure.accepted] };
    default:
      return { code: "PROCESSING_FAILED", reason: "the picture service met an error of its own" };
  }
}
