import { principalOf } from "./actor.js";
import { MediaError, mediaNotFound } from "./errors.js";
import type { IdempotencyKey, UploadOutcome } from "./lifecycle-ports.js";
import type { Deps } from "./ports.js";
import type { Uploaded, UploadRequest } from "./upload-request.js";

/** How long an answer is kept under its key. */
export const IDEMPOTENCY_HOURS = 24;

/** How long a request waits for another with its key before it tells the client to come back. */
const PATIENCE_MS = 30_000;
const PAUSE_MS = 100;

type OnceDeps = Pick<Deps, "database" | "clock">;

/**
 * Does the work once for a key: the same key, principal and content answer the first result again, also when they
 * arrive at once. `work` finishes the key in the transaction that commits its item; when it fails the key is free again.
 * Throws IDEMPOTENCY_MISMATCH for other content and CONFLICT where the first is still running after half a minute.
 */
export async function onceOnly(
  deps: OnceDeps,
  request: UploadRequest,
  work: (key: IdempotencyKey | null) => Promise<Uploaded>,
): Promise<Uploaded> {
  const principal = principalOf(request.actor);
  if (!request.idempotencyKey || principal === null) return work(null);
  const key = { principal, key: request.idempotencyKey };
  const replayed = await begin(deps, key, await fingerprintOf(request));
  if (replayed) return replayed;
  try {
    return await work(key);
  } catch (error) {
    await deps.database.idempotency.release(key);
    throw error;
  }
}

/** Takes the key and answers null, or answers what the first request with it became. */
async function begin(deps: OnceDeps, key: IdempotencyKey, fingerprint: string): Promise<Uploaded | null> {
  const { clock, database } = deps;
  const deadline = clock.now().getTime() + PATIENCE_MS;
  for (;;) {
    const now = clock.now();
    const expiresBefore = new Date(now.getTime() - IDEMPOTENCY_HOURS * 3_600_000);
    const entry = await database.idempotency.begin(key, fingerprint, { now, expiresBefore });
    if (entry.state === "begun") return null;
    if (entry.fingerprint !== fingerprint) throw new MediaError({ code: "IDEMPOTENCY_MISMATCH" });
    if (entry.state === "done") return replay(deps, entry.outcome);
    if (now.getTime() >= deadline)
      throw new MediaError({
        code: "CONFLICT",
        reason: "The first request with this Idempotency-Key is still running.",
      });
    await clock.pause(PAUSE_MS);
  }
}

/** An earlier result again. Throws MEDIA_NOT_FOUND where its item was removed for good. */
export async function replay({ database }: Pick<OnceDeps, "database">, outcome: UploadOutcome): Promise<Uploaded> {
  const media = await database.media.find(outcome.mediaId);
  if (!media) throw mediaNotFound(outcome.mediaId);
  return { media, duplicates: outcome.duplicates, reused: outcome.reused, replayed: true };
}

/** SHA-256, hex, of everything that makes the request what it is: place, bytes, name, fields and its batch. */
async function fingerprintOf({ target, incoming, batch = [] }: UploadRequest): Promise<string> {
  const { entity, attachment } = target;
  const { file, filename, fields } = incoming;
  const content = [entity.type, entity.id, attachment.field, file.sha256, filename, fields, batch];
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(content)));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
