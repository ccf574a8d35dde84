import { Hono } from "hono";
import pLimit from "p-limit";
import { requirePrincipal } from "../media/access.js";
import { describeFailure, MediaError, type MediaFailure } from "../media/errors.js";
import { admit, maxUploadBytes } from "../media/inspect.js";
import type { MediaOut } from "../media/model.js";
import type { Deps } from "../media/ports.js";
import { uploadMedia } from "../media/upload.js";
import { parseUploadFields, type UploadFields } from "../media/upload-fields.js";
import type { UploadTarget } from "../media/upload-target.js";
import { toMediaOut } from "../media/view.js";
import { ERROR_MAP, toFailure } from "../procedures/error-map.js";
import type { AppContext, AppDeps, AppEnv } from "./app-env.js";
import { type FormFields, readForm } from "./multipart.js";
import { type ReceivedFile, receiveFile } from "./receive-file.js";
import { placeOpener, refuseDeclaredSize } from "./uploads.js";

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
  return new Hono<AppEnv>().post("/v1/media/batch/upload", (c) => receiveBatch(app.deps, c));
}

async function receiveBatch(deps: Deps, c: AppContext): Promise<Response> {
  requirePrincipal(c.get("actor"));
  const open = placeOpener(deps, c);
  const known = await open(new Map(), { isComplete: false });
  refuseDeclaredSize(c, deps.limits.batchMaxFiles * maxUploadBytes(known?.attachment ?? null, deps.limits));
  const items: BatchItem[] = [];
  try {
    const form = await readBatch(deps, c, { open, items });
    const target = await open(form, { isComplete: true });
    if (!target || items.length === 0) throw new MediaError({ code: "MISSING_FILE", field: "files" });
    return await storeBatch(deps, c, { target, items, fields: parseUploadFields(form) });
  } finally {
    await Promise.all(items.flatMap((item) => ("received" in item ? [item.received.discard()] : [])));
  }
}

/** Spools every file; a file that is refused is an item that failed, and its bytes are skipped. */
function readBatch(
  deps: Deps,
  c: AppContext,
  { open, items }: { open: ReturnType<typeof placeOpener>; items: BatchItem[] },
): Promise<FormFields> {
  return readForm(c.req.raw, {
    fileNames: ["files"],
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

/** Works on a few items at once and commits them in the order they were sent. */
async function storeBatch(deps: Deps, c: AppContext, { target, items, fields }: Batch): Promise<Response> {
  const limit = pLimit(BATCH_PARALLELISM);
  let turn: Promise<unknown> = Promise.resolve();
  const work = items.map((item) => {
    const before = turn;
    const stored = limit(() => storeItem(deps, c, { target, item, fields, turn: before }));
    turn = Promise.allSettled([before, stored]);
    return stored;
  });
  return batchAnswer(deps, c, { items, results: await Promise.allSettled(work) });
}

type ItemRequest = { target: UploadTarget; item: BatchItem; fields: UploadFields; turn: Promise<unknown> };

async function storeItem(deps: Deps, c: AppContext, { target, item, fields, turn }: ItemRequest): Promise<MediaOut> {
  if ("error" in item) throw item.error;
  const incoming = { file: item.received.file, filename: item.filename, fields };
  const { media } = await uploadMedia(deps, { actor: c.get("actor"), target, incoming, turn });
  return toMediaOut(deps, media);
}

type BatchResults = { items: readonly BatchItem[]; results: readonly PromiseSettledResult<MediaOut>[] };

function batchAnswer(deps: Pick<Deps, "log">, c: AppContext, { items, results }: BatchResults): Response {
  const uploaded = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const failed = results.flatMap((result, index) => {
    if (result.status === "fulfilled") return [];
    logUnforeseen(deps, c, result.reason);
    return [toBatchFailure(index, items[index]?.filename ?? "", result.reason)];
  });
  const message = `${uploaded.length} of ${items.length} files were stored.`;
  const counts = { uploadedCount: uploaded.length, failedCount: failed.length };
  const status = failed.length === 0 ? 201 : uploaded.length === 0 ? 400 : 207;
  return c.json({ uploaded, failed, ...counts, message }, status);
}

/** The answer hides what nobody foresaw; the log does not. */
function logUnforeseen({ log }: Pick<Deps, "log">, c: AppContext, error: unknown): void {
  if (ERROR_MAP[toFailure(error).code].status >= 500)
    log.error({ requestId: c.get("requestId"), err: error }, "an item of a batch failed");
}

function toBatchFailure(index: number, filename: string, error: unknown): BatchFailure {
  const failure = toFailure(error);
  const { code } = failure;
  return { index, filename, code, message: describeFailure(failure), retryable: ERROR_MAP[code].status >= 500 };
}
