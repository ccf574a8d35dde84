import { Hono } from "hono";
import pLimit from "p-limit";
import { requirePrincipal } from "../media/access.js";
import { describeFailure, MediaError, type MediaFailure } from "../media/errors.js";
import { admit, maxUploadBytes } from "../media/inspect.js";
import type { MediaOut } from "../media/model.js";
import type { Deps } from "../media/ports.js";
import { uploadMedia } from "../media/upload.js";
import { parseUploadFields, type UploadFields } from "../media/upload-fields.js";
import type { UploadTarget } from "../media/upload-request.js";
import { toMediaOut } from "../media/view.js";
import { ERROR_MAP, toFailure } from "../procedures/error-map.js";
import type { AppContext, AppDeps, AppEnv } from "./app-env.js";
import { type FormFields, readForm } from "./multipart.js";
import { type ReceivedFile, receiveFile } from "./receive-file.js";
import { placeOpener, readIdempotencyKey, refuseDeclaredSize } from "./uploads.js";

/** How many items of one batch are worked on at once, so that a batch cannot fill the pixel queue alone. */
const BATCH_PARALLELISM = 4;

type BatchItem = { index: number; filename: string } & ({ received: ReceivedFile } | { error: unknown });
export type BatchFailure = {
  index: number;
  filename: string;
  code: MediaFailure["code"];
  message: string;
  retryable: boolean;
};

/** Many files to one place; each stands or falls for itself. */
export function batchUploadRoute(app: AppDeps): Hono<AppEnv> {
  return new Hono<AppEnv>().post("/v1/media/batch/upload", (c) => receiveBatch(app, c));
}

async function receiveBatch(app: AppDeps, c: AppContext): Promise<Response> {
  const { deps } = app;
  requirePrincipal(c.get("actor"));
  const open = placeOpener(deps, c);
  const known = await open(new Map(), { isComplete: false });
  refuseDeclaredSize(c, deps.limits.batchMaxFiles * maxUploadBytes(known?.attachment ?? null, deps.limits));
  const items: BatchItem[] = [];
  try {
    const form = await readBatch(app, c, { open, items });
    const target = await open(form, { isComplete: true });
    if (!target || items.length === 0) throw new MediaError({ code: "MISSING_FILE", field: "files" });
    return await storeBatch(deps, c, { target, items, fields: parseUploadFields(form) });
  } finally {
    await Promise.all(items.flatMap((item) => ("received" in item ? [item.received.discard()] : [])));
  }
}

/** Spools every file; a file that is refused is an item that failed, and its bytes are skipped. */
function readBatch(
  { deps, bodyIdleMs }: AppDeps,
  c: AppContext,
  { open, items }: { open: ReturnType<typeof placeOpener>; items: BatchItem[] },
): Promise<FormFields> {
  return readForm(c.req.raw, {
    fileNames: ["files"],
    idleMs: bodyIdleMs,
    onFile: async (part, soFar) => {
      if (part.name !== "files" && part.name !== "files[]") return;
      const target = await open(soFar, { isComplete: false });
      const index = items.length;
      if (index >= deps.limits.batchMaxFiles)
        throw new MediaError({ code: "TOO_MANY_FILES", maxFiles: deps.limits.batchMaxFiles });
      const place = target?.attachment ?? null;
      try {
        const received = await receiveFile(deps.spool, part, (head) => admit(deps, place, head));
        items.push({ index, filename: received.filename, received });
      } catch (error) {
        items.push({ index, filename: part.filename ?? "file", error });
      }
    },
  });
}

type Batch = { target: UploadTarget; items: readonly BatchItem[]; fields: UploadFields };
type Stored = { out: MediaOut; replayed: boolean };

/** Works on a few items at once and commits them in the order they were sent. */
async function storeBatch(deps: Deps, c: AppContext, batch: Batch): Promise<Response> {
  const { items } = batch;
  const key = readIdempotencyKey(c);
  const limit = pLimit(BATCH_PARALLELISM);
  let turn: Promise<unknown> = Promise.resolve();
  const start = (item: BatchItem) => {
    const before = turn;
    // Each item is a request of its own under the batch's key: a retry finds those that went in before. With a space,
    // which no client's key holds, it can be no other request's.
    const idempotencyKey = key && `${key} ${item.index}`;
    const stored = limit(() => storeItem(deps, c, { ...batch, item, turn: before, idempotencyKey }));
    turn = Promise.allSettled([before, stored]);
    return stored;
  };
  // With a key the first item that came whole goes alone: it tells whether this is the batch the key stands for.
  const opening = key ? items.findIndex((item) => "received" in item) + 1 : 0;
  const opened = items.slice(0, opening).map(start);
  refuseMismatch(await Promise.allSettled(opened));
  const rest = items.slice(opening).map(start);
  return batchAnswer(deps, c, { items, results: await Promise.allSettled([...opened, ...rest]) });
}

function refuseMismatch(opened: readonly PromiseSettledResult<unknown>[]): void {
  const last = opened.at(-1);
  if (last?.status === "rejected" && toFailure(last.reason).code === "IDEMPOTENCY_MISMATCH") throw last.reason;
}

type ItemRequest = Batch & { item: BatchItem; turn: Promise<unknown>; idempotencyKey: string | null };

async function storeItem(deps: Deps, c: AppContext, request: ItemRequest): Promise<Stored> {
  const { target, items, item, fields, turn, idempotencyKey } = request;
  if ("error" in item) throw item.error;
  const incoming = { file: item.received.file, filename: item.filename, fields };
  const batch = items.map(({ filename }) => filename);
  const uploaded = await uploadMedia(deps, { actor: c.get("actor"), target, incoming, turn, idempotencyKey, batch });
  return { out: await toMediaOut(deps, uploaded.media), replayed: uploaded.replayed };
}

type BatchResults = { items: readonly BatchItem[]; results: readonly PromiseSettledResult<Stored>[] };

function batchAnswer(deps: Pick<Deps, "log">, c: AppContext, { items, results }: BatchResults): Response {
  const stored = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const failed = results.flatMap((result, index) => {
    if (result.status === "fulfilled") return [];
    logUnforeseen(deps, c, result.reason);
    return [toBatchFailure(index, items[index]?.filename ?? "", result.reason)];
  });
  const message = `${stored.length} of ${items.length} files were stored.`;
  const isReplay = failed.length === 0 && stored.every((item) => item.replayed);
  if (isReplay) c.header("Idempotent-Replay", "true");
  const status = isReplay ? 200 : failed.length === 0 ? 201 : stored.length === 0 ? 400 : 207;
  const uploaded = stored.map((item) => item.out);
  return c.json({ uploaded, failed, uploadedCount: uploaded.length, failedCount: failed.length, message }, status);
}

/** The answer hides what nobody foresaw; the log does not. */
function logUnforeseen({ log }: Pick<Deps, "log">, c: AppContext, error: unknown): void {
  if (ERROR_MAP[toFailure(error).code].status >= 500)
    log.error({ requestId: c.get("requestId"), err: error }, "an item of a batch failed");
}

/** Sending the same again may succeed: the fault was not the file's. */
const isRetryable = (code: MediaFailure["code"]): boolean => [408, 429, 500, 503].includes(ERROR_MAP[code].status);

function toBatchFailure(index: number, filename: string, error: unknown): BatchFailure {
  const failure = toFailure(error);
  const { code } = failure;
  return { index, filename, code, message: describeFailure(failure), retryable: isRetryable(code) };
}
