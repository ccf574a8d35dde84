import { MediaError } from "../media/errors.js";
import type { ByteRange } from "../media/ports.js";
import type { Renditions } from "../media/renditions.js";
import { openFile, type StoredFile } from "../media/stored-file.js";
import type { AppContext, AppDeps } from "./app-env.js";
import { parseRange } from "./range-header.js";
import { cacheControlOf, etagOf, isKnown } from "./requested-file.js";

/** A stored file as it is told of. */
export type FileAnswer = {
  file: StoredFile;
  etag: string;
  cacheControl: string;
  /** Whether another `Accept` may be answered otherwise. */
  varies: boolean;
  /** It stands in for a better one, which may be there soon. */
  isBrief?: true;
  /** What to send where the bytes of this one, made on demand, cannot be had. */
  instead?: FileAnswer;
};

/** A file that is what its key says, whoever asks. */
export const answerWith = (file: StoredFile): FileAnswer => ({
  file,
  etag: etagOf(file),
  cacheControl: cacheControlOf(file),
  varies: false,
});

type SendDeps = Pick<AppDeps, "deps" | "breakOff"> & { renditions: Pick<Renditions, "lost"> };

/** The bytes, or as much of them as is asked for; 304 to who has them. The connection breaks off where they do. */
export async function sendFile(app: SendDeps, c: AppContext, answer: FileAnswer): Promise<Response> {
  const { file } = answer;
  if (isKnown(c, answer.etag)) return c.body(null, 304, headersOf(answer));
  const range = rangeOf(c, answer);
  if (range === "unsatisfiable") return c.body(null, 416, { ...headersOf(answer), ...unsatisfiable(file) });
  const headers = { ...headersOf(answer), ...extentOf(file, range) };
  const status = range ? 206 : 200;
  if (c.req.method === "HEAD") return c.body(null, status, headers);
  // A failure here has its own type and length: nothing of the file's may be set before it.
  const stream = await open(app, c, { answer, range });
  if (!stream) return sendFile(app, c, answer.instead as FileAnswer);
  const giveUp = (error: unknown) => {
    const { log } = app.deps;
    log.error({ err: error, key: file.key, requestId: c.get("requestId") }, "a file broke off while it was sent");
    app.breakOff(c);
  };
  return c.body(endingIn(giveUp, stream), status, headers);
}

/** Null where these bytes are not to be had and the answer has another one in its place. */
async function open(
  { deps, renditions }: SendDeps,
  c: AppContext,
  { answer: { file, instead }, range }: { answer: FileAnswer; range: ByteRange | null },
): Promise<ReadableStream<Uint8Array> | null> {
  try {
    return (await openFile(deps, file, range ?? undefined)).stream;
  } catch (error) {
    if (!instead) throw error;
    deps.log.warn({ err: error, key: file.key, requestId: c.get("requestId") }, "a rendition could not be read");
    if (error instanceof MediaError && error.failure.code === "MEDIA_NOT_FOUND") await renditions.lost(file.key);
    return null;
  }
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

const headersOf = ({ file, etag, cacheControl, varies }: FileAnswer): Record<string, string> => ({
  "Content-Type": file.contentType,
  "Cache-Control": cacheControl,
  ETag: etag,
  ...(varies && { Vary: "Accept" }),
  "Last-Modified": file.media.createdAt.toUTCString(),
  "Accept-Ranges": "bytes",
  "X-Content-Type-Options": "nosniff",
  "Content-Security-Policy": "default-src 'none'; sandbox",
  "Cross-Origin-Resource-Policy": "cross-origin",
});

/** A range counts only while the bytes are still the ones the client began with. */
function rangeOf(c: AppContext, { file, etag }: FileAnswer) {
  const condition = c.req.header("if-range");
  const holds = condition === undefined || condition === etag;
  return holds ? parseRange(c.req.header("range"), file.fileSize) : null;
}

const unsatisfiable = ({ fileSize }: StoredFile) => ({ "Content-Range": `bytes */${fileSize}`, "Content-Length": "0" });

function extentOf({ fileSize }: StoredFile, range: ByteRange | null): Record<string, string> {
  if (!range) return { "Content-Length": String(fileSize) };
  const { start, end } = range;
  return { "Content-Length": String(end - start + 1), "Content-Range": `bytes ${start}-${end}/${fileSize}` };
}
