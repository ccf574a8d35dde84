import type { Actor } from "./actor.js";
import { type DirectUploadStatus, directUploadStatus } from "./direct-upload.js";
import { MediaError } from "./errors.js";
import type { ServiceDeps } from "./ports.js";

const PAUSE_MS = 500;
/** How soon to come back when this server stops. */
const RETRY_SECONDS = 1;

export type Watch = {
  uploadId: string;
  /** The event seen last, by one who was here before: it is not told again. */
  lastEventId?: string | null | undefined;
  signal?: AbortSignal | undefined;
  /** True once the server was told to stop. */
  isDraining(): boolean;
};

/** `id` names what is told: events of one upload with the same id say the same. */
export type DirectUploadEvent = { id: string; status: DirectUploadStatus };

/**
 * How an upload stands now, and again whenever that changes, until it is ready or failed or the signal says so. It
 * looks twice a second: the change may be another process's, or the store's. Throws NOT_FOUND, and OVERLOADED when the
 * server stops, so that whoever watches comes back to another one.
 */
export async function* watchDirectUpload(
  deps: Pick<ServiceDeps, "database" | "objects" | "clock">,
  actor: Actor,
  { uploadId, lastEventId, signal, isDraining }: Watch,
): AsyncGenerator<DirectUploadEvent, void, undefined> {
  let told = lastEventId;
  while (!signal?.aborted) {
    const status = await directUploadStatus(deps, actor, uploadId);
    const id = `${status.state}-${status.receivedBytes ?? "unknown"}`;
    if (id !== told) yield { id, status };
    told = id;
    if (status.state === "ready" || status.state === "failed") return;
    if (isDraining()) throw new MediaError({ code: "OVERLOADED", retryAfterSeconds: RETRY_SECONDS });
    await deps.clock.pause(PAUSE_MS);
  }
}
