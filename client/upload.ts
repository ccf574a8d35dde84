import type { DuplicateTier, MediaErrorCode } from "../src/media/errors.js";
import { abortedBy, type FailedAnswer, failureOf, isRecord, toMediaClientError } from "./failures.js";
import { createIdempotencyKey } from "./idempotency-key.js";
import type { MediaOut } from "./media-out.js";
import { type MediaPlace, type UploadPlace, uploadPath } from "./place.js";
import { type RetryDeps, type RetryNotice, withRetries } from "./retry.js";
import { sendForm, type UploadProgress } from "./send-form.js";
import { appendFile, type UploadFile } from "./upload-file.js";

/** What can be said of a file while it is uploaded. A tag holds no comma: the form separates tags by it. */
export type UploadFields = {
  altText?: string | undefined;
  caption?: string | undefined;
  tags?: readonly string[] | undefined;
  /** Place in the gallery; at its end where absent. */
  sortOrder?: number | undefined;
  isPublic?: boolean | undefined;
  isPrimary?: boolean | undefined;
  /** What becomes of a copy of a picture the entity has: stored and reported (the default), refused, or answered. */
  onDuplicate?: "keep" | "reject" | "reuse" | undefined;
};

export type RequestOptions = {
  /**
   * See `sendForm`: bytes under way in browsers and React Native, the end alone elsewhere. Each try sends every byte
   * again, so after a failed one it goes back to 0.
   */
  onProgress?: ((progress: UploadProgress) => void) | undefined;
  /** Ends the upload and the waiting between tries. */
  signal?: AbortSignal | undefined;
  /** The same key with the same content answers the first result again. A random one for all tries of a call if absent. */
  idempotencyKey?: string | undefined;
  /** Tries after the first, for failures that may pass; the client's own number if absent, 0 for none. */
  retries?: number | undefined;
  /** A try failed and another will follow. */
  onRetry?: ((notice: RetryNotice) => void) | undefined;
};

export type UploadOptions = UploadFields & RequestOptions;
export type BatchOptions = Pick<UploadFields, "tags" | "isPublic" | "onDuplicate"> & RequestOptions;

export type UploadAnswer = {
  media: MediaOut;
  message: string;
  /** Items of the same entity that hold the same picture. `distance` in bits of 64. */
  duplicates: { publicId: string; distance: number; tier: DuplicateTier }[];
};

/** Each file stands or falls for itself; `index` is its place among those sent. */
export type BatchAnswer = {
  uploaded: MediaOut[];
  uploadedCount: number;
  failed: { index: number; filename: string; code: MediaErrorCode; message: string; retryable: boolean }[];
  failedCount: number;
  message: string;
};

/** What both uploads need of the client they belong to. `authorize` answers the headers that say who calls. */
export type UploadConnection = RetryDeps & {
  baseUrl: string;
  uploadBaseUrl: string;
  authorize(): Promise<Record<string, string>>;
  credentials: RequestCredentials | undefined;
  fetch: typeof fetch;
  /** Tries after the first where a call does not say. */
  retries: number;
};

/** Sends one file to the address of its place. Throws `MediaClientError`, and `TypeError` where there is no such place. */
export async function upload(
  connection: UploadConnection,
  place: UploadPlace,
  file: UploadFile,
  options: UploadOptions = {},
): Promise<UploadAnswer> {
  const form = new FormData();
  appendFields(form, options);
  appendFile(form, "file", file);
  return post(connection, { path: uploadPath(place), form, options, read: readUpload });
}

const readUpload = ({ status, body }: FailedAnswer): UploadAnswer | null =>
  status < 300 && isRecord(body) && isRecord(body.media) ? (body as unknown as UploadAnswer) : null;

/**
 * Sends many files to one place. Files that were refused are part of the answer, also when all of them were; they are
 * not tried again by themselves. Throws `MediaClientError` where the request as a whole was refused.
 */
export async function uploadBatch(
  connection: UploadConnection,
  place: MediaPlace,
  files: readonly UploadFile[],
  options: BatchOptions = {},
): Promise<BatchAnswer> {
  const form = new FormData();
  form.append("entity_type", place.entityType);
  form.append("entity_id", String(place.id));
  form.append("entity_field", place.field);
  appendFields(form, options);
  for (const file of files) appendFile(form, "files", file);
  return post(connection, { path: "/v1/media/batch/upload", form, options, read: readBatch });
}

const readBatch = ({ body }: FailedAnswer): BatchAnswer | null =>
  isRecord(body) && Array.isArray(body.uploaded) && Array.isArray(body.failed)
    ? (body as unknown as BatchAnswer)
    : null;

const FORM_NAMES = {
  altText: "alt_text",
  caption: "caption",
  tags: "tags",
  sortOrder: "sort_order",
  isPublic: "is_public",
  isPrimary: "is_primary",
  onDuplicate: "on_duplicate",
} as const satisfies Record<keyof UploadFields, string>;

/** Fields before files, so that the server can refuse before it reads a file. */
function appendFields(form: FormData, fields: UploadFields): void {
  for (const [name, wireName] of Object.entries(FORM_NAMES)) {
    const value = fields[name as keyof UploadFields];
    if (value !== undefined) form.append(wireName, String(value));
  }
}

/** `read`: the answer's value, or null where it is a failure. */
type Post<T> = { path: string; form: FormData; options: RequestOptions; read: (answer: FailedAnswer) => T | null };

/** Every try carries the same key, so a try whose answer was lost is not stored twice. */
function post<T>(connection: UploadConnection, job: Post<T>): Promise<T> {
  const { retries = connection.retries, signal, onRetry, idempotencyKey = createIdempotencyKey() } = job.options;
  const progress = restartable(job.options.onProgress);
  const options = { ...job.options, idempotencyKey, onProgress: progress.report };
  const policy = {
    retries,
    signal,
    onRetry: (notice: RetryNotice) => {
      progress.restart();
      onRetry?.(notice);
    },
  };
  return withRetries(() => postOnce(connection, { ...job, options }), policy, connection);
}

type Report = RequestOptions["onProgress"];

/** `restart` takes back what a failed try had reported. */
function restartable(onProgress: Report): { report: Report; restart(): void } {
  if (!onProgress) return { report: undefined, restart: () => undefined };
  let total = 0;
  return {
    report: (progress) => {
      total = progress.total;
      onProgress(progress);
    },
    restart: () => {
      if (total > 0) onProgress({ loaded: 0, total });
    },
  };
}

/**
 * Every way to get no answer (the token's source, the network, the signal) ends as `MediaClientError` here. Where the
 * server names another that takes files, the form goes there, once.
 */
async function postOnce<T>(connection: UploadConnection, { path, form, options, read }: Post<T>): Promise<T> {
  const { uploadBaseUrl, credentials } = connection;
  const { onProgress, signal, idempotencyKey } = options;
  try {
    const headers = await connection.authorize();
    if (idempotencyKey !== undefined) headers["Idempotency-Key"] = idempotencyKey;
    const send = async (url: string): Promise<FailedAnswer> => {
      const sent = await sendForm({ url, form, headers, credentials, signal, onProgress }, connection.fetch);
      return { ...sent, body: parseJson(sent.text) };
    };
    const first = `${uploadBaseUrl}${path}`;
    const refused = await send(first);
    const elsewhere = uploadUrlIn(refused, first);
    const answer = elsewhere === null ? refused : await send(elsewhere);
    const value = read(answer);
    if (value === null) throw failureOf(answer);
    return value;
  } catch (error) {
    throw signal?.aborted ? abortedBy(signal.reason) : toMediaClientError(error);
  }
}

/** Where the same form is to go instead. Never from an encrypted connection to one that is not: the token goes along. */
function uploadUrlIn({ body }: FailedAnswer, asked: string): string | null {
  if (!isRecord(body) || body.code !== "UPLOAD_ELSEWHERE" || typeof body.uploadUrl !== "string") return null;
  const isSafe = body.uploadUrl.startsWith("https://") || asked.startsWith("http://");
  return isSafe ? body.uploadUrl : null;
}

/** Undefined for what is not JSON: a proxy's page, an empty body. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
