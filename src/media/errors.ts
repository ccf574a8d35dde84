/**
 * Everything that can go wrong, as one closed union. The domain throws `MediaError`; the transports map
 * `failure.code` to a status in one table (`procedures/error-map.ts`). Shared with the client as values, so this
 * file imports nothing.
 */
export type MediaFailure =
  | { code: "UNSUPPORTED_TYPE"; detected: string | null; accepted: readonly string[] }
  | { code: "FILE_TOO_LARGE"; maxBytes: number }
  | { code: "FILE_TOO_SMALL"; minBytes: number }
  | { code: "BAD_DIMENSIONS"; width: number; height: number; minSide: number; maxSide: number }
  | { code: "TOO_MANY_PIXELS"; pixels: number; maxPixels: number }
  | { code: "CORRUPT_FILE"; reason: string }
  | { code: "EMPTY_FILE" }
  | { code: "MISSING_FILE"; field: string }
  | { code: "TOO_MANY_FILES"; maxFiles: number }
  | { code: "MALFORMED_MULTIPART"; reason: string }
  | { code: "VALIDATION"; issues: readonly ValidationIssue[] }
  | { code: "UNAUTHENTICATED" }
  | { code: "FORBIDDEN"; right: string; subject: string | null; reason: string }
  | { code: "NOT_FOUND"; what: string }
  | { code: "ENTITY_NOT_FOUND"; entityType: string; entityId: string }
  | { code: "MEDIA_NOT_FOUND"; mediaId: string }
  | { code: "METHOD_NOT_ALLOWED"; allowed: readonly string[] }
  | { code: "REQUEST_TIMEOUT"; seconds: number }
  | { code: "DUPLICATE"; publicId: string; distance: number; tier: DuplicateTier }
  | { code: "CONFLICT"; reason: string }
  | { code: "UPLOAD_ELSEWHERE"; uploadUrl: string | null }
  | { code: "IDEMPOTENCY_MISMATCH" }
  | { code: "RATE_LIMITED"; retryAfterSeconds: number }
  | { code: "PROCESSING_FAILED"; reason: string }
  | { code: "INTERNAL" }
  | { code: "STORAGE_UNAVAILABLE"; retryAfterSeconds: number }
  | { code: "DATABASE_UNAVAILABLE"; retryAfterSeconds: number }
  | { code: "OVERLOADED"; retryAfterSeconds: number };

export type MediaErrorCode = MediaFailure["code"];
/** `path` is the place in the input, dotted; `message` is for people. */
export type ValidationIssue = { path: string; message: string };
/** `exact`: same received bytes. `same`: Hamming distance ≤ 5. `similar`: ≤ 10. */
export type DuplicateTier = "exact" | "same" | "similar";

type Describe = { [C in MediaErrorCode]: (failure: Extract<MediaFailure, { code: C }>) => string };

const DESCRIBE: Describe = {
  UNSUPPORTED_TYPE: (f) =>
    `${f.detected ? `The file is ${f.detected}, which` : "The file's type is not recognised, so it"} is not accepted here. Accepted: ${f.accepted.join(", ")}.`,
  FILE_TOO_LARGE: (f) => `The file is larger than the limit of ${f.maxBytes} bytes.`,
  FILE_TOO_SMALL: (f) => `The file is smaller than the minimum of ${f.minBytes} bytes.`,
  BAD_DIMENSIONS: (f) =>
    `The picture is ${f.width} x ${f.height} pixels; each side must be ${f.minSide} to ${f.maxSide}.`,
  TOO_MANY_PIXELS: (f) => `The picture holds ${f.pixels} pixels; the limit is ${f.maxPixels}.`,
  CORRUPT_FILE: (f) => `The file is damaged: ${f.reason}.`,
  EMPTY_FILE: () => "The file is empty.",
  MISSING_FILE: (f) => `The form has no file part named "${f.field}".`,
  TOO_MANY_FILES: (f) => `At most ${f.maxFiles} files are taken in one request.`,
  MALFORMED_MULTIPART: (f) => `The multipart body cannot be read: ${f.reason}.`,
  VALIDATION: (f) => f.issues.map((i) => (i.path ? `${i.path}: ${i.message}` : i.message)).join("; "),
  UNAUTHENTICATED: () => "Sign in, or send a valid bearer token.",
  FORBIDDEN: (f) => `The right "${f.right}"${f.subject ? ` on ${f.subject}` : ""} is missing: ${f.reason}.`,
  NOT_FOUND: (f) => `There is no ${f.what}.`,
  ENTITY_NOT_FOUND: (f) => `There is no ${f.entityType} "${f.entityId}".`,
  MEDIA_NOT_FOUND: (f) => `There is no media item "${f.mediaId}".`,
  METHOD_NOT_ALLOWED: (f) => `This address takes ${f.allowed.join(", ")}.`,
  REQUEST_TIMEOUT: (f) => `The request made no progress for ${f.seconds} seconds.`,
  DUPLICATE: (f) => `The same picture is already there as ${f.publicId} (${f.tier}).`,
  CONFLICT: (f) => f.reason,
  UPLOAD_ELSEWHERE: (f) => `Files are not taken here${f.uploadUrl ? `; send the same form to ${f.uploadUrl}` : ""}.`,
  IDEMPOTENCY_MISMATCH: () => "This Idempotency-Key was used before with other content.",
  RATE_LIMITED: (f) => `Too many requests; try again in ${f.retryAfterSeconds} s.`,
  PROCESSING_FAILED: (f) => `The file could not be processed: ${f.reason}.`,
  INTERNAL: () => "Something went wrong on the server; the request id leads to its log.",
  STORAGE_UNAVAILABLE: (f) => `The object store does not answer; try again in ${f.retryAfterSeconds} s.`,
  DATABASE_UNAVAILABLE: (f) => `The database does not answer; try again in ${f.retryAfterSeconds} s.`,
  OVERLOADED: (f) => `The server is busy; try again in ${f.retryAfterSeconds} s.`,
};

/** All codes, for tables and tests that must be complete. */
export const MEDIA_ERROR_CODES = Object.keys(DESCRIBE) as readonly MediaErrorCode[];

/** One sentence for people; never holds a path, SQL or a secret. */
export function describeFailure(failure: MediaFailure): string {
  const describe = DESCRIBE[failure.code] as (failure: MediaFailure) => string;
  return describe(failure);
}

/** The one exception class of the domain. A plain class: `instanceof` on a generic one narrows to `any`. */
export class MediaError extends Error {
  readonly failure: MediaFailure;

  constructor(failure: MediaFailure, options?: ErrorOptions) {
    super(describeFailure(failure), options);
    this.name = "MediaError";
    this.failure = failure;
  }
}

/** For what is not there and for what the caller may not see, alike. */
export const mediaNotFound = (ref: number | string): MediaError =>
  new MediaError({ code: "MEDIA_NOT_FOUND", mediaId: String(ref) });

/** One objection to one value of the input; `path` is empty where it is about all of it. */
export const validationFailed = (path: string, message: string): MediaError =>
  new MediaError({ code: "VALIDATION", issues: [{ path, message }] });

/** How soon a client should try again when the store is down. */
const STORAGE_RETRY_SECONDS = 10;

export const storageUnavailable = (cause: unknown): MediaError =>
  new MediaError({ code: "STORAGE_UNAVAILABLE", retryAfterSeconds: STORAGE_RETRY_SECONDS }, { cause });
