import type { inferRouterOutputs } from "@trpc/server";
import type { DuplicateTier, MediaErrorCode } from "../src/media/errors.js";
import type { AppRouter } from "../src/procedures/public-router.js";
import { abortedBy, failureOf, isRecord, toMediaClientError } from "./failures.js";
import { type MediaPlace, type UploadPlace, uploadPath } from "./place.js";
import { sendForm, type UploadProgress } from "./send-form.js";

/** One media item as every call answers it. */
export type MediaOut = inferRouterOutputs<AppRouter>["media"]["get"];

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
  /** See `sendForm`: bytes under way in browsers, the end alone elsewhere. */
  onProgress?: ((progress: UploadProgress) => void) | undefined;
  signal?: AbortSignal | undefined;
  /** Makes a retry safe: the same key with the same content answers the first result again. */
  idempotencyKey?: string | undefined;
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
export type UploadConnection = {
  baseUrl: string;
  authorize(): Promise<Record<string, string>>;
  credentials: RequestCredentials | undefined;
  fetch: typeof fetch;
};

/** Sends one file to the address of its place. Throws `MediaClientError`, and `TypeError` where there is no such place. */
export async function upload(
  connection: UploadConnection,
  place: UploadPlace,
  file: Blob,
  options: UploadOptions = {},
): Promise<UploadAnswer> {
  const form = new FormData();
  appendFields(form, options);
  form.append("file", file);
  const answer = await post(connection, { path: uploadPath(place), form, options });
  if (answer.status < 300 && isRecord(answer.body) && isRecord(answer.body.media))
    return answer.body as unknown as UploadAnswer;
  throw failureOf(answer);
}

/**
 * Sends many files to one place. Files that were refused are part of the answer, also when all of them were. Throws
 * `MediaClientError` where the request as a whole was refused.
 */
export async function uploadBatch(
  connection: UploadConnection,
  place: MediaPlace,
  files: readonly Blob[],
  options: BatchOptions = {},
): Promise<BatchAnswer> {
  const form = new FormData();
  form.append("entity_type", place.entityType);
  form.append("entity_id", String(place.id));
  form.append("entity_field", place.field);
  appendFields(form, options);
  for (const file of files) form.append("files", file);
  const answer = await post(connection, { path: "/v1/media/batch/upload", form, options });
  if (isRecord(answer.body) && Array.isArray(answer.body.uploaded) && Array.isArray(answer.body.failed))
    return answer.body as unknown as BatchAnswer;
  throw failureOf(answer);
}

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

type Post = { path: string; form: FormData; options: RequestOptions };

/** Every way to get no answer (the token's source, the network, the signal) ends as `MediaClientError` here. */
async function post(connection: UploadConnection, { path, form, options }: Post) {
  const { baseUrl, credentials } = connection;
  const { onProgress, signal, idempotencyKey } = options;
  try {
    const headers = await connection.authorize();
    if (idempotencyKey !== undefined) headers["Idempotency-Key"] = idempotencyKey;
    const request = { url: `${baseUrl}${path}`, form, headers, credentials, signal, onProgress };
    const answer = await sendForm(request, connection.fetch);
    return { ...answer, body: parseJson(answer.text) };
  } catch (error) {
    throw signal?.aborted ? abortedBy(signal.reason) : toMediaClientError(error);
  }
}

/** Undefined for what is not JSON: a proxy's page, an empty body. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
