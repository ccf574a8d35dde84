import { Hono } from "hono";
import type { ByteRange } from "../media/ports.js";
import { openFile, type StoredFile } from "../media/stored-file.js";
import type { AppContext, AppDeps, AppEnv } from "./app-env.js";
import { parseRange } from "./range-header.js";
import { cacheControlOf, etagOf, findRequestedFile, isUnchanged } from "./requested-file.js";

/**
 * The bytes of originals and variants. The type is what was found in the bytes; with nosniff and a sandbox nothing
 * that is served can run in a browser.
 */
export function fileRoutes({ deps, breakOff }: AppDeps): Hono<AppEnv> {
  return new Hono<AppEnv>().get("/files/*", async (c) => {
    const file = await findRequestedFile(deps, c);
    if (isUnchanged(c, file)) return c.body(null, 304, headersOf(file));
    const range = rangeOf(c, file);
    if (range === "unsatisfiable") return c.body(null, 416, { ...headersOf(file), ...unsatisfiable(file) });
    const headers = { ...headersOf(file), ...extentOf(file, range) };
    const status = range ? 206 : 200;
    if (c.req.method === "HEAD") return c.body(null, status, headers);
    // A failure here has its own type and length: nothing of the file's may be set before it.
    const { stream } = await openFile(deps, file, range ?? undefined);
    const giveUp = (error: unknown) => {
      deps.log.error(
        { err: error, key: file.key, requestId: c.get("requestId") },
        "a file broke off while it was sent",
      );
      breakOff(c);
    };
    return c.body(endingIn(giveUp, stream), status, headers);
  });
}

/**
 * The same bytes. Where they break off so does the connection: whatever were sent instead of them would be taken for
 * bytes of the file.
 */
function endingIn(giveUp: (error: unknown) => void, stream: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const reader = stream.getReader();
  return new ReadableStream(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          giveUp(error);
          controller.close();
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

const headersOf = (file: StoredFile): Record<string, string> => ({
  "Content-Type": file.contentType,
  "Cache-Control": cacheControlOf(file),
  ETag: etagOf(file),
  "Last-Modified": file.media.createdAt.toUTCString(),
  "Accept-Ranges": "bytes",
  "X-Content-Type-Options": "nosniff",
  "Content-Security-Policy": "default-src 'none'; sandbox",
  "Cross-Origin-Resource-Policy": "cross-origin",
});

/** A range counts only while the bytes are still the ones the client began with. */
function rangeOf(c: AppContext, file: StoredFile) {
  const condition = c.req.header("if-range");
  const holds = condition === undefined || condition === etagOf(file);
  return holds ? parseRange(c.req.header("range"), file.fileSize) : null;
}

const unsatisfiable = ({ fileSize }: StoredFile) => ({ "Content-Range": `bytes */${fileSize}`, "Content-Length": "0" });

function extentOf({ fileSize }: StoredFile, range: ByteRange | null): Record<string, string> {
  if (!range) return { "Content-Length": String(fileSize) };
  const { start, end } = range;
  return { "Content-Length": String(end - start + 1), "Content-Range": `bytes ${start}-${end}/${fileSize}` };
}
