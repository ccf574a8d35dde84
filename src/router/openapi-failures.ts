import { MEDIA_ERROR_CODES, type MediaErrorCode, type MediaFailure } from "../media/errors.js";
import { ERROR_MAP } from "../procedures/error-map.js";
import { toProblem } from "./error-response.js";
import { ref } from "./openapi-parts.js";

export const PROBLEM = {
  type: "object",
  description: "RFC 9457. Further members hold the facts of the failure.",
  required: ["type", "title", "status", "detail", "code", "requestId"],
  properties: {
    type: { type: "string" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    code: { type: "string", enum: MEDIA_ERROR_CODES },
    requestId: { type: "string" },
  },
};

/** One of each failure, for the description's examples. */
const SAMPLES = {
  UNSUPPORTED_TYPE: { code: "UNSUPPORTED_TYPE", detected: "text/plain", accepted: ["image/jpeg", "image/png"] },
  FILE_TOO_LARGE: { code: "FILE_TOO_LARGE", maxBytes: 20_971_520 },
  FILE_TOO_SMALL: { code: "FILE_TOO_SMALL", minBytes: 10_240 },
  BAD_DIMENSIONS: { code: "BAD_DIMENSIONS", width: 40, height: 40, minSide: 50, maxSide: 16_384 },
  TOO_MANY_PIXELS: { code: "TOO_MANY_PIXELS", pixels: 144_000_000, maxPixels: 100_000_000 },
  CORRUPT_FILE: { code: "CORRUPT_FILE", reason: "it ends before the picture does" },
  EMPTY_FILE: { code: "EMPTY_FILE" },
  MISSING_FILE: { code: "MISSING_FILE", field: "file" },
  TOO_MANY_FILES: { code: "TOO_MANY_FILES", maxFiles: 20 },
  MALFORMED_MULTIPART: { code: "MALFORMED_MULTIPART", reason: "the last boundary is missing" },
  VALIDATION: { code: "VALIDATION", issues: [{ path: "limit", message: "Too big: expected number to be <=100" }] },
  UNAUTHENTICATED: { code: "UNAUTHENTICATED" },
  FORBIDDEN: {
    code: "FORBIDDEN",
    right: "upload",
    subject: "property PRP-1",
    reason: "it is held by the owner of the parent builder or a user with an unexpired upload grant",
  },
  NOT_FOUND: { code: "NOT_FOUND", what: "such address" },
  ENTITY_NOT_FOUND: { code: "ENTITY_NOT_FOUND", entityType: "property", entityId: "PRP-404" },
  MEDIA_NOT_FOUND: { code: "MEDIA_NOT_FOUND", mediaId: "404" },
  METHOD_NOT_ALLOWED: { code: "METHOD_NOT_ALLOWED", allowed: ["GET"] },
  REQUEST_TIMEOUT: { code: "REQUEST_TIMEOUT", seconds: 30 },
  DUPLICATE: { code: "DUPLICATE", publicId: "MED-5XQ2N8RT4KWZ", distance: 0, tier: "exact" },
  CONFLICT: { code: "CONFLICT", reason: "The item was changed meanwhile." },
  UPLOAD_ELSEWHERE: { code: "UPLOAD_ELSEWHERE", uploadUrl: "https://media.example.org/v1/media/upload" },
  IDEMPOTENCY_MISMATCH: { code: "IDEMPOTENCY_MISMATCH" },
  RATE_LIMITED: { code: "RATE_LIMITED", retryAfterSeconds: 12 },
  PROCESSING_FAILED: { code: "PROCESSING_FAILED", reason: "it took too long" },
  INTERNAL: { code: "INTERNAL" },
  STORAGE_UNAVAILABLE: { code: "STORAGE_UNAVAILABLE", retryAfterSeconds: 10 },
  DATABASE_UNAVAILABLE: { code: "DATABASE_UNAVAILABLE", retryAfterSeconds: 5 },
  OVERLOADED: { code: "OVERLOADED", retryAfterSeconds: 5 },
} as const satisfies { [C in MediaErrorCode]: Extract<MediaFailure, { code: C }> };

const SAMPLE_REQUEST_ID = "01968c5e-7f3a-7c21-9d0b-3f1f6f2f8a11";

const STATUSES = [...new Set(MEDIA_ERROR_CODES.map((code) => ERROR_MAP[code].status))];
const codesOf = (status: number) => MEDIA_ERROR_CODES.filter((code) => ERROR_MAP[code].status === status);
const nameOf = (status: number) => `Problem${status}`;

function describeStatus(status: number) {
  const codes = codesOf(status);
  const examples = codes.map((code) => [code, { value: toProblem(SAMPLES[code], SAMPLE_REQUEST_ID) }] as const);
  const content = { "application/problem+json": { schema: ref("Problem"), examples: Object.fromEntries(examples) } };
  return { description: codes.join(", "), content };
}

/** One answer for each status any failure can have, with an example of each code. */
export const FAILURE_RESPONSES = Object.fromEntries(STATUSES.map((s) => [nameOf(s), describeStatus(s)]));

/** References to them, by status: what every operation may answer. */
export const FAILURES = Object.fromEntries(
  STATUSES.map((status) => [String(status), { $ref: `#/components/responses/${nameOf(status)}` }]),
);

/** What a failed answer of this status holds. */
export const failureContent = (status: number) => describeStatus(status).content;
